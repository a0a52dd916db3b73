// SPDX-License-Identifier: Apache-2.0
//
// One call on every candidate. Readings are batches far above what the clock resolves, in rounds in which every
// candidate takes its turn; operands rotate among several sets of memory; a time is the median over the rounds.
#pragma once

#include <rayo/rayo.h>

#include <csignal>
#include <memory>
#include <string>
#include <vector>

#include "bench/work/operands.hpp"
#include "tools/session.hpp"

namespace rayo::tools::tune {

constexpr const char *kHostMemory = "host";

// A device with a number of threads.
struct Way {
  std::string device;
  std::string plugin;
  uint32_t threads = 1;
  bool on_host() const { return device == plugin; }  // a CPU plugin, which works on host memory
  friend bool operator==(const Way &, const Way &) = default;
};

struct WayTime {
  Way way;
  std::string kernel;
  uint32_t used_threads = 1;  // fewer than the way's where the kernel has no use for more
  double ns = -1;             // below 0: not measured
  double noise = 0;           // standard error of the median, relative
  std::string checked;        // "bits", "bound", "none"
  std::string wrong;          // why its result is wrong; "" = it is not
  std::string declined;       // why it cannot run the call; "" = it can
};

struct Measurement {
  uint32_t shape_class = 0;
  int32_t level = 0;
  uint64_t volume = 1;
  std::string layout;
  std::string types;
  std::vector<WayTime> times;  // one per way that was asked for
};

struct Effort {
  int least_rounds = 5;
  int most_rounds = 15;
  double reading_ns = 2e5;  // of one batch
  double budget_ns = 1e9;   // for the call; the least rounds are run in any case
};

class Measurer {
 public:
  // Both outlive it. `stop` ends a measurement early: Stopped is thrown.
  Measurer(const Session &session, const volatile std::sig_atomic_t *stop) : session_(session), stop_(stop) {}
  struct Stopped {};

  // Every ready device, with 1, 2, 4, ... threads up to the runtime's budget and that budget itself.
  std::vector<Way> all_ways() const;

  // Throws CommandError where the call itself is not legal, or there is no memory for it. The operands live in
  // `residency`: host memory, or that device's.
  Measurement measure(const rayo_op_info &op, const bench::WorkItem &item, const std::vector<Way> &ways,
                      const Effort &effort, const std::string &residency = kHostMemory) const;

 private:
  const Session &session_;
  const volatile std::sig_atomic_t *stop_;
};

// The time of one call from its readings.
struct Median {
  double ns = 0;
  double noise = 0;
};
Median median_of(std::vector<double> readings);

}  // namespace rayo::tools::tune
