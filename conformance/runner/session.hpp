// SPDX-License-Identifier: Apache-2.0
//
// Judges a plugin in child processes. The child loads the plugin, runs cases in order and reports through a pipe; a
// crash or a hang costs the case it happened in, and a new child goes on behind it. The parent never creates a
// runtime, so forking is safe; the caller must not have created one either.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "runner/state.hpp"
#include "runner/subject.hpp"
#include "suites/case.hpp"

namespace rayo::conform {

struct SessionOptions {
  std::string reference;   // file of the scalar plugin; empty = none
  int case_seconds = 20;   // a case that takes longer hangs
  int load_seconds = 30;   // time from fork to a loaded plugin
  int crashes_per_op = 5;  // after so many (in one lane) the rest of the op's cases are not evaluated
  unsigned lanes = 1;      // child processes side by side; each has its share of the cases, for every plugin
  bool shuffle = false;    // run in an order drawn from shuffle_seed; verdicts and bits do not depend on it
  std::uint64_t shuffle_seed = 1;
  std::function<void(std::size_t done, std::size_t total)> progress;  // may be empty; may come from several threads
};

// Runs all cases on each file; one report per file, its cases in their order. A result whose bits another plugin of the
// same run passed with is not judged a second time. Never throws for what a plugin does; std::system_error if the
// machine gives no process or pipe.
std::vector<PluginReport> judge_plugins(std::span<const std::string> files, std::span<const Case> cases,
                                        const SessionOptions &options);
PluginReport judge_plugin(const std::string &file, std::span<const Case> cases, const SessionOptions &options);

struct Discovery {
  std::vector<FoundPlugin> plugins;
  std::string error;  // why there are none
};
// find_plugins() in a child.
Discovery discover_plugins();

}  // namespace rayo::conform
