// SPDX-License-Identifier: Apache-2.0
//
// What was measured on and with: for a record that somebody reads a year later.
#pragma once

#include <nlohmann/json.hpp>

#include "tools/session.hpp"

namespace rayo::bench {

// cpu, cpus, caches, memory, system, compiler, Rayo's version and commit, date (UTC), load average.
nlohmann::json describe_machine(const tools::Session &session);

}  // namespace rayo::bench
