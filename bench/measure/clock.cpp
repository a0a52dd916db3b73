// SPDX-License-Identifier: Apache-2.0
//
// POSIX clocks.
#include "clock.hpp"

#include <ctime>
#include <vector>

#include "statistics.hpp"

namespace rayo::bench {

const char *clock_name(Clock clock) { return clock == Clock::wall ? "wall" : "thread_cpu"; }

double now_ns(Clock clock) {
  timespec time{};
  clock_gettime(clock == Clock::wall ? CLOCK_MONOTONIC : CLOCK_THREAD_CPUTIME_ID, &time);
  return 1e9 * static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec);
}

double clock_resolution_ns(Clock clock) {
  std::vector<double> steps;
  for (int i = 0; i < 101; ++i) {
    const double begin = now_ns(clock);
    steps.push_back(now_ns(clock) - begin);
  }
  return median(steps);
}

}  // namespace rayo::bench
