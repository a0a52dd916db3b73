// SPDX-License-Identifier: Apache-2.0
//
// The table that a call looks itself up in: [op][types][layout][residency][policy][threads] -> a row of breakpoints for
// its shape -> who runs it. Compiled once from a profile and the plugins that are there; immutable from then on, read
// without lock, allocation or string.
#pragma once

#include <rayo/rayo.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "registry/registry.hpp"
#include "tuner/features.hpp"
#include "tuner/layers.hpp"
#include "tuner/profile.hpp"

namespace rayo {

// Where a call's operands live: 0 the host, else 1 + the index in Registry::devices().
using Residency = uint32_t;

// Who runs a call.
struct TableChoice {
  const PluginRecord *plugin = nullptr;
  uint32_t device = 0;  // index in Registry::devices()
  uint32_t threads = 1;
};

// What of a call decides.
struct TableKey {
  rayo_op op = RAYO_OP_NONE;
  uint32_t types = 0;  // type_index
  uint32_t layout = kLayoutContiguous;
  Residency residency = 0;
  uint32_t policy = RAYO_POLICY_ACCURATE;
  uint32_t threads = 1;
};

class SelectTable {
 public:
  // Takes the entries that hold; the registry outlives the table.
  SelectTable(const Registry &registry, MergedProfile profile);

  // Of operands on this device; one that no entry can have where the device is not in the registry.
  Residency residency_of(std::string_view device) const noexcept;

  // Who runs the call by what was measured; null: nothing that holds was measured for it.
  const TableChoice *find(const TableKey &key, const Features &at) const noexcept;

  // ---- For explain and binding: not for hot paths ----

  // The entry behind a key; null = none. `out_layer` says where it is from.
  const ProfileEntry *entry(const TableKey &key, std::string *out_layer = nullptr) const;
  // The choice that stands for an entry's candidate under a policy; null = it may not be chosen.
  const TableChoice *choice_of(const ProfileEntry &entry, uint32_t candidate, uint32_t policy) const;
  // What moving data to and from a device costs; null = it was not measured.
  const ProfileTransfer *transfer(std::string_view device) const;
  // Index in Registry::devices() of an entry's candidate that may be chosen; -1 = its plugin or device is not there.
  int32_t candidate_device(const ProfileEntry &entry, uint32_t candidate) const;
  // Why `plugin` may not run the op although it is ready: its result was wrong when it was measured. "" = it may.
  std::string wrong_result(const TableKey &key, const PluginRecord &plugin) const;
  // Why nothing measured holds for a plugin: "its file has changed since ...". "" = no entry of it was dropped.
  std::string dropped(const std::string &plugin) const;
  // Why a key's entry is not used as a whole; "" = it is, or there is none.
  std::string unused(const TableKey &key) const;
  const MergedProfile &profile() const { return profile_; }
  const Registry &registry() const { return registry_; }

 private:
  static constexpr uint32_t kPolicies = 3;
  struct Row {
    uint32_t begin = 0;
    uint32_t end = 0;
  };
  struct ClassRows {
    int32_t first_level = 0;
    uint32_t first_row = 0;
    uint32_t rows = 0;
  };
  // The rows of one key, one policy and one number of threads.
  struct Variant {
    uint32_t threads = 1;
    ClassRows classes[kShapeClasses];
  };
  struct Slot {
    int32_t entry = -1;  // index into profile_.entries
    uint32_t first_variant[kPolicies] = {};
    uint32_t variants[kPolicies] = {};
  };

  void compile(size_t index);
  std::vector<uint32_t> choices_of(const MergedEntry &merged, const std::vector<const KernelRecord *> &kernels);
  std::string unmeasured_home(const MergedEntry &merged) const;
  std::string unmeasured_first(const MergedEntry &merged, const std::vector<const KernelRecord *> &kernels,
                               const BoundTypes &types) const;
  void compile_policy(const ProfileEntry &entry, const std::vector<uint32_t> &choices, uint32_t policy, Slot *slot);
  void add_variant(const ProfileEntry &entry, const std::vector<uint32_t> &choices, uint32_t threads,
                   const std::vector<bool> &usable);
  Slot *make_slot(const TableKey &key);
  const Slot *slot_at(const TableKey &key) const noexcept;

  const Registry &registry_;
  MergedProfile profile_;
  uint32_t residencies_ = 1;
  std::vector<uint32_t> op_tables_;   // by op id: 1 + index of its block of kTypeIndices in type_slots_; 0 = none
  std::vector<uint32_t> type_slots_;  // 1 + index of the first of kLayouts * residencies_ slots; 0 = none
  std::vector<Slot> slots_;
  std::vector<Variant> variants_;
  std::vector<Row> rows_;
  std::vector<uint64_t> from_;
  std::vector<uint32_t> choice_;  // beside from_: index into choices_
  std::vector<TableChoice> choices_;
  std::vector<uint32_t> numerics_;        // beside choices_: the tightest class of the plugin's kernels for the key
  std::map<size_t, std::string> unused_;  // by entry
  std::vector<std::vector<uint32_t>> entry_choices_;  // by entry and candidate: index into choices_, or none
};

}  // namespace rayo
