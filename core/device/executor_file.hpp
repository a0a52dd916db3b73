// SPDX-License-Identifier: Apache-2.0
//
// Executors that come as files of Rayo's own, lib/rayo/executors/NAME.so, and the one function they export. Vendors and
// applications bring theirs through rayo_set_executor instead.
#pragma once

#include <rayo/plugin.h>

#include <string_view>

extern "C" {
// The executor, which lives as long as the process; NULL = it cannot work here. Any thread, any number of times.
const rayo_executor *rayo_executor_query(void);
}

namespace rayo {

// The executor called `name`: nullptr for "pool", which every runtime has of its own. Loads its file, which stays
// loaded. Throws Error naming `source` and the legal values, or the file and why it is not used.
const rayo_executor *find_executor(std::string_view source, std::string_view name);

}  // namespace rayo
