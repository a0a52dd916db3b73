// SPDX-License-Identifier: Apache-2.0
//
// `rayo tune --check`: how much slower is what the profile chooses than the best of all? On calls that no measured
// point lies on, each timed anew on every candidate.
#pragma once

#include <csignal>
#include <functional>
#include <string>
#include <vector>

#include "grid.hpp"

namespace rayo::tools::tune {

struct RegretRow {
  std::string op, dtype, shape, chosen, best;
  double chosen_ns = 0;
  double best_ns = 0;
  double regret = 1;  // chosen / best
};

struct Regret {
  std::vector<RegretRow> rows;  // the worst first
  double median = 0;
  double p95 = 0;
  std::size_t by_profile = 0;  // calls that the profile chose for; the others went by the static order
};

constexpr double kMostMedianRegret = 1.05;
constexpr double kMostP95Regret = 1.25;

// `chooser` has the profile, `session`, which measures, has none. Draws `count` calls from the jobs by the seed.
Regret check_profile(const Session &chooser, const Session &session, const std::vector<Job> &jobs, std::size_t count,
                     uint64_t seed, double budget_s, const volatile std::sig_atomic_t *stop,
                     const std::function<void(double share, const std::string &what)> &progress);

}  // namespace rayo::tools::tune
