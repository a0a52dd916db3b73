// SPDX-License-Identifier: Apache-2.0
//
// One child process per file, so many at once: each has a time limit, its output is taken in, and the way it ends
// becomes a verdict. This process has one thread and runs nothing of a plugin's.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "probe/trial.hpp"

namespace rayo::probe {

struct Job {
  std::string file;
  uint32_t limit_ms = 0;
};

// Writes one JSON line per job to `report_fd` as it ends, then {"end":true} (loader/probe.hpp).
void supervise(const std::vector<Job> &jobs, const TrialOptions &options, int report_fd);

}  // namespace rayo::probe
