// SPDX-License-Identifier: Apache-2.0
//
// From a validated call to its place in the table of the device profile: what every unbound call pays for choosing.
#pragma once

#include "device/device.hpp"
#include "dispatch/bind.hpp"
#include "tuner/table.hpp"

namespace rayo {

// Calls whose operands live in both places have no place in the table: see choose_mixed.
inline TableKey table_key(const SelectTable &table, const BoundCall &call, uint32_t policy, uint32_t threads,
                          uint32_t layout) noexcept {
  TableKey key;
  key.op = call.desc().op;
  key.types = type_index(call.types());
  key.layout = layout;
  key.residency = call.home() == nullptr ? 0 : table.residency_of(call.home()->id());
  key.policy = policy;
  key.threads = threads;
  return key;
}

inline TableKey table_key(const SelectTable &table, const BoundCall &call, uint32_t policy, uint32_t threads) noexcept {
  return table_key(table, call, policy, threads, layout_of(call.desc(), call.compact()));
}

inline Features features_of(const BoundCall &call) noexcept { return features_of(call.schema().rule, call.desc()); }

// Who runs the call by the profile; null: the static order decides. No lock, no allocation.
inline const TableChoice *choose(const SelectTable &table, const BoundCall &call, uint32_t policy,
                                 uint32_t threads) noexcept {
  return call.mixed() ? nullptr : table.find(table_key(table, call, policy, threads), features_of(call));
}

// Bringing operands to the home device (or to the host) and results back, by the measured latencies and bandwidths.
double moves_ns(const ProfileTransfer &transfer, const BoundCall &call, bool to_device);

// The same for a call whose operands live on a device and in host memory: the device with what was measured of data
// that lives there, and the host with what was measured of data in host memory, each with the moves that this call
// needs. Null where one of the two was not measured: the call stays on the device. Cold: allocates.
const TableChoice *choose_mixed(const SelectTable &table, const BoundCall &call, uint32_t policy, uint32_t threads);

}  // namespace rayo
