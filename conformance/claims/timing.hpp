// SPDX-License-Identifier: Apache-2.0
//
// Times for claims: medians over rounds, and ratios of two calls that take turns within every round, so that a busy
// machine slows both alike.
#pragma once

#include <cstddef>
#include <functional>

namespace rayo::conform::claims {

struct Measured {
  double median_ns = 0;  // per call
  int rounds = 0;
};
// Calls fn(0), ..., fn(calls - 1) in each of 101 rounds, after one to warm up.
Measured measure(const std::function<void(std::size_t)> &fn, std::size_t calls);

struct TimeRatio {
  double low = 0;  // lower quartile of slow / fast
  double median = 0;
  double high = 0;
  double fast_ns = 0;  // median of one call
  int rounds = 0;
};
// time(slow) / time(fast), each called until a batch takes about a millisecond, 41 rounds.
TimeRatio ratio_of(const std::function<void()> &slow, const std::function<void()> &fast);

}  // namespace rayo::conform::claims
