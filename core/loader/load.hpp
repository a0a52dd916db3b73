// SPDX-License-Identifier: Apache-2.0
//
// One plugin file from path to running instance: trust, static look, CPU and ABI gates, certificate, dlopen, query,
// checks, create. A failure is a verdict with its reason, never the end of the others.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "loader/check_answer.hpp"
#include "registry/registry.hpp"

namespace rayo {

struct LoadedPlugin {
  std::unique_ptr<PluginRecord> record;  // ready, or rejected with its reason
  PluginAnswer answer;                   // of a ready one
};

struct LoadRules {
  uint64_t cpu_features = 0;         // RAYO_CPU_* that plugins may use
  bool require_conformance = false;  // load nothing that no certificate covers
};

// `path` is a real path. `taken` says who already has a name: it returns the file, or nullptr. Libraries stay loaded
// for the life of the process.
LoadedPlugin load_plugin(const std::string &path, const rayo_host &host, const LoadRules &rules, const Log &log,
                         const std::function<const std::string *(std::string_view name)> &taken);

}  // namespace rayo
