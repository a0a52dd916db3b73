// SPDX-License-Identifier: Apache-2.0
//
// One plugin file from path to running instance, in two halves with the proof (prove.hpp) between: trust, static look,
// CPU and ABI gates, certificate; then dlopen, query, checks, create. A failure is a verdict with its reason, never the
// end of the others.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "loader/check_answer.hpp"
#include "loader/prove.hpp"
#include "registry/registry.hpp"

namespace rayo {

struct LoadedPlugin {
  std::unique_ptr<PluginRecord> record;  // ready, or rejected with its reason
  PluginAnswer answer;                   // of a ready one
};

struct LoadRules {
  uint64_t cpu_features = 0;                      // RAYO_CPU_* that plugins may use
  bool require_conformance = false;               // load nothing that no certificate covers
  std::function<void(const char *what)> on_step;  // before each piece of a plugin's code that is run; may be empty
  const Isolation *isolation = nullptr;           // null = every plugin is loaded here
};

// Everything that is judged without running a byte of the file: trust, static look, ABI and CPU gates, certificate.
// `path` is a real path. The reason of a refusal is in the record.
PluginCandidate examine_plugin(const std::string &path, const LoadRules &rules);

// Loads and starts what was examined and proved; a refused candidate stays refused. `same_name`: a ready plugin of that
// name, or nullptr. Libraries stay loaded for the life of the process.
LoadedPlugin start_plugin(PluginCandidate candidate, const rayo_host &host, const LoadRules &rules, const Log &log,
                          const PluginRecord *same_name);

}  // namespace rayo
