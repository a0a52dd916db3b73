// SPDX-License-Identifier: Apache-2.0
//
// Judges a plugin in child processes. The child loads the plugin, runs cases in order and reports through a pipe; a
// crash or a hang costs the case it happened in, and a new child goes on behind it. The parent never creates a
// runtime, so forking is safe; the caller must not have created one either.
#pragma once

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
  int crashes_per_op = 5;  // after so many the rest of the op's cases are not evaluated
  std::function<void(std::size_t done, std::size_t total)> progress;  // may be empty
};

// Runs all cases; may be called from several threads at once (`progress` then is, too). Never throws for what the
// plugin does; std::system_error if the machine gives no process or pipe.
PluginReport judge_plugin(const std::string &file, std::span<const Case> cases, const SessionOptions &options);

struct Discovery {
  std::vector<FoundPlugin> plugins;
  std::string error;  // why there are none
};
// find_plugins() in a child.
Discovery discover_plugins();

}  // namespace rayo::conform
