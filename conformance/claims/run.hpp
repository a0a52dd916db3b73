// SPDX-License-Identifier: Apache-2.0
//
// Decides claims, each in a child process, two at a time where neither measures time.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "claims/claim.hpp"
#include "runner/subject.hpp"

namespace rayo::conform::claims {

struct Finding {
  const Claim *claim = nullptr;
  Outcome outcome = Outcome::not_evaluated;
  std::string evidence;
  std::string command;  // decides it again
  double seconds = 0;
};

// Loads each file alone in a child to learn its name, hash and devices; `rejected` are files found and not ready.
std::vector<Backend> survey(std::span<const std::string> files, std::span<const FoundPlugin> rejected);

struct RunOptions {
  std::function<void(std::size_t done, std::size_t total)> progress;  // may be empty; called from several threads
  int step_seconds = kStepSeconds;
};

// Findings in the order of `chosen`. Forks; the process must not have created a runtime.
std::vector<Finding> decide(std::span<const Claim *const> chosen, const Setting &setting, const RunOptions &options);

}  // namespace rayo::conform::claims
