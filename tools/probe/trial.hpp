// SPDX-License-Identifier: Apache-2.0
//
// What happens to one plugin file inside its child process.
#pragma once

#include <cstdint>
#include <string>

#include "probe/report.hpp"

namespace rayo::probe {

struct TrialOptions {
  uint64_t cpu_features = 0;
  std::string reference;  // path of the scalar plugin; "" = results are not compared
  std::string replay;     // a call line: this call is run again instead of the trial; "" = none
};

// Loads, queries, creates, enumerates, opens, runs small calls, destroys; compares the environment. The verdict goes to
// *report, and so does every step before it is taken.
void try_plugin(const std::string &file, const TrialOptions &options, TrialReport *report);

}  // namespace rayo::probe
