// SPDX-License-Identifier: Apache-2.0
//
// The services that a runtime gives to its plugins.
#pragma once

#include <rayo/plugin.h>

#include "base/log.hpp"
#include "trace/trace.hpp"

namespace rayo {

// A host table that knows its runtime's log and trace.
struct HostTable : rayo_host {
  const Log *log_of_runtime = nullptr;
  Trace *trace = nullptr;  // nullptr = off
};

// Fills every member but cpu_features and max_threads. `log` outlives the table.
void fill_host_table(HostTable *table, const Log *log, Trace *trace);

}  // namespace rayo
