// SPDX-License-Identifier: Apache-2.0
//
// Carries out the checks of suites/probes.hpp, each in a fresh process that has not loaded the plugin yet.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "runner/state.hpp"
#include "suites/case.hpp"

namespace rayo::conform {

// Loads `file` in this process. Passed or failed; the plugin may crash or hang the process. Throws CaseError for an
// unknown probe.
Verdict run_probe(const Case &c, const std::string &file);

namespace abi {

// Throws Defect with what it found.
using ProbeFn = void (*)(const std::string &file);
struct Probe {
  std::string_view name;
  ProbeFn run;
};

std::span<const Probe> file_probes();       // what the file and its tables say
std::span<const Probe> behaviour_probes();  // what kernels do when called directly
std::span<const Probe> misuse_probes();     // wrong calls through the runtime
std::span<const Probe> environment_probes();

}  // namespace abi
}  // namespace rayo::conform
