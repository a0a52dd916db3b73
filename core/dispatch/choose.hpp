// SPDX-License-Identifier: Apache-2.0
//
// From a validated call to its place in the table of the device profile: what every unbound call pays for choosing.
#pragma once

#include "dispatch/bind.hpp"
#include "tuner/table.hpp"

namespace rayo {

inline TableKey table_key(const BoundCall &call, uint32_t policy, uint32_t threads) noexcept {
  TableKey key;
  key.op = call.desc().op;
  key.types = type_index(call.types());
  key.layout = layout_of(call.desc(), call.compact());
  key.policy = policy;
  key.threads = threads;
  return key;
}

inline Features features_of(const BoundCall &call) noexcept { return features_of(call.schema().rule, call.desc()); }

// Who runs the call by the profile; null: the static order decides. No lock, no allocation.
inline const TableChoice *choose(const SelectTable &table, const BoundCall &call, uint32_t policy,
                                 uint32_t threads) noexcept {
  return table.find(table_key(call, policy, threads), features_of(call));
}

}  // namespace rayo
