// SPDX-License-Identifier: Apache-2.0
//
// A contest: several contestants do the same work in interleaved rounds. In each round every contestant gives one
// reading, a batch of calls long enough for the clock, after one untimed call (unless one call fills it); the order
// rotates by round, so that nobody always follows the same neighbour.
#pragma once

#include <csignal>
#include <cstdint>
#include <string>
#include <vector>

#include "clock.hpp"

namespace rayo::bench {

struct Contestant {
  std::string name;
  int (*run)(void *work, void *const *outputs) = nullptr;  // 0 = failed
  void *work = nullptr;
  uint32_t settle_us = 0;  // its idle threads may spin that long after a call
};

struct ContestOptions {
  uint32_t threads = 1;
  double reading_ns = 1e6;  // length of a batch
  int least_rounds = 5;
  int most_rounds = 15;
  double budget_ns = 1e9;  // wall clock; the least rounds are run in any case
  bool fresh = false;      // outputs are allocated and freed in every call
  std::vector<void *> outputs;
  std::vector<std::size_t> output_bytes;
  const volatile std::sig_atomic_t *stop = nullptr;  // set: give up between readings
};

struct Readings {
  std::vector<double> ns;  // per call, one for each round; empty when a call failed
  uint64_t calls = 0;      // in a batch
};

// One entry per contestant, rounds equal for all. Empty lists when stopped before the least rounds were complete.
std::vector<Readings> run_contest(const std::vector<Contestant> &contestants, const ContestOptions &options);

}  // namespace rayo::bench
