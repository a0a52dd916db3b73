// SPDX-License-Identifier: Apache-2.0
//
// The services that a runtime gives to its plugins.
#pragma once

#include <rayo/plugin.h>

#include "base/log.hpp"

namespace rayo {

// A host table that knows its runtime's log. `log` outlives it.
struct HostTable : rayo_host {
  const Log *log_of_runtime = nullptr;
};

// Fills every member but cpu_features and max_threads.
void fill_host_table(HostTable *table, const Log *log);

}  // namespace rayo
