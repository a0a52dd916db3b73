// SPDX-License-Identifier: Apache-2.0
//
// What /proc says about another process: its time on CPUs, whether it waits for one, its children.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <vector>

namespace rayo::probe {

struct ProcessTime {
  uint64_t cpu_ms = 0;     // of all its threads so far
  bool wants_cpu = false;  // running, waiting for a CPU, or for a disk
};

ProcessTime process_time(pid_t pid);
std::vector<pid_t> children_of(pid_t pid);

}  // namespace rayo::probe
