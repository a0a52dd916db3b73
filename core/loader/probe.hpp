// SPDX-License-Identifier: Apache-2.0
//
// The child probe: a plugin file is loaded, started and tried in a process of its own before it comes near this one.
// rayo-probe (tools/probe), found in the package's lib/rayo, does the work for many files at once and answers on a
// pipe, so that nothing depends on how this process treats SIGCHLD, its signal mask or its standard streams.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "registry/registry.hpp"

namespace rayo {

// How the host and rayo-probe speak: "rayo-probe --report-fd 3 ... -- LIMIT_MS FILE ...", answered by one JSON line per
// file: {"index":0,"state":"ready","reason":"","lasting":true}, in any order, then {"end":true}. With "--replay LINE"
// in front of the "--" each file is loaded and, instead of its trial, runs that call (dispatch/call_line.hpp) on data
// made from seeds.
constexpr int kProbeReportFd = 3;
constexpr uint32_t kProbeLimitMs = 2000;      // of a file whose note asks for no more
constexpr uint32_t kLongestProbeMs = 120000;  // what a note may ask for
constexpr uint32_t kProbesAtOnce = 16;
// A file that got less than a quarter of its time on a CPU is not hanging, the machine is busy: it gets its time again.
constexpr uint32_t kProbeExtensions = 4;

struct ProbeJob {
  std::string file;
  uint32_t limit_ms = kProbeLimitMs;
};

struct ProbeResult {
  PluginState state = PluginState::rejected;
  std::string reason;    // "" when ready; a continuation of "it"
  bool lasting = false;  // follows from the file and the machine: worth keeping
};

// Runs calls again in which processes have died. A result that is quarantined: the child died too, or hung, and so the
// plugin is to blame. Ready: it did not, which clears nobody. Rejected: the call could not be run (reason).
struct ReplayJob {
  std::string file;
  std::string line;
};
std::vector<ProbeResult> run_replays(const std::string &program, const std::vector<ReplayJob> &jobs,
                                     uint64_t cpu_features);

// Starts rayo-probe with these arguments (the program first), default signals, no standard streams and `fd`, which lies
// above kProbeReportFd, at that number. 0 or an errno. Thread-safe.
int spawn_probe_program(const std::vector<std::string> &arguments, int fd, pid_t *out_pid);

// Path of rayo-probe; "" with the reason in *out_problem when there is none that can be trusted.
std::string find_probe_program(std::string *out_problem);

// Probes all files side by side, in at most 16 processes at once. One result per job; never throws but for memory.
// Blocks until all are done or overdue.
std::vector<ProbeResult> run_probes(const std::string &program, const std::vector<ProbeJob> &jobs,
                                    uint64_t cpu_features);

}  // namespace rayo
