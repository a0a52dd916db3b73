// SPDX-License-Identifier: Apache-2.0
//
// Choices that no single measurement decides: sums of a kernel's time and of moves.
#include "dispatch/choose.hpp"

#include "device/staged.hpp"
#include "tuner/model.hpp"

namespace rayo {
namespace {

// A sum of a fit and two interpolations is no measurement: data leaves its device only where the sum says this much.
constexpr double kModelMargin = 1.25;

struct Best {
  const TableChoice *choice = nullptr;
  double ns = 0;
};

Best fastest(const SelectTable &table, const TableKey &key, const Features &at, bool on_host) {
  Best best;
  const ProfileEntry *entry = table.entry(key);
  if (entry == nullptr || !table.unused(key).empty()) return best;
  for (uint32_t c = 0; c < entry->candidates.size(); ++c) {
    const TableChoice *choice = table.choice_of(*entry, c, key.policy);
    if (choice == nullptr || choice->threads > key.threads) continue;
    const bool host = !table.registry().devices()[choice->device].device_tier;
    const bool here = host ? on_host : choice->device + 1 == key.residency;
    const double ns = here ? predict(*entry, c, at) : -1;
    if (ns >= 0 && (best.choice == nullptr || ns < best.ns)) best = {choice, ns};
  }
  return best;
}

}  // namespace

double moves_ns(const ProfileTransfer &transfer, const BoundCall &call, bool to_device) {
  double ns = 0;
  const auto add = [&](const std::vector<OperandDesc> &operands, uint32_t resident, bool is_output) {
    for (size_t i = 0; i < operands.size(); ++i) {
      const bool there = (resident >> i & 1u) != 0;
      if (operands[i].absent() || there == to_device) continue;
      // An output travels the other way: from where it is computed to where it lives.
      ns += transfer_ns(transfer, to_device != is_output, staged_layout(operands[i]).bytes);
    }
  };
  add(call.inputs(), call.resident_inputs(), false);
  add(call.outputs(), call.resident_outputs(), true);
  return ns;
}

const TableChoice *choose_mixed(const SelectTable &table, const BoundCall &call, uint32_t policy, uint32_t threads) {
  const ProfileTransfer *transfer = table.transfer(call.home()->id());
  if (transfer == nullptr) return nullptr;
  const Features at = features_of(call);
  TableKey key = table_key(table, call, policy, threads);
  const Best device = fastest(table, key, at, false);
  key.residency = 0;
  const Best host = fastest(table, key, at, true);
  if (device.choice == nullptr || host.choice == nullptr) return nullptr;
  const double there = device.ns + moves_ns(*transfer, call, true);
  const double here = host.ns + moves_ns(*transfer, call, false);
  return here * kModelMargin < there ? host.choice : device.choice;
}

}  // namespace rayo
