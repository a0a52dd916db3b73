// SPDX-License-Identifier: Apache-2.0
#include "claims/timing.hpp"

#include <algorithm>
#include <chrono>
#include <vector>

namespace rayo::conform::claims {
namespace {

using Clock = std::chrono::steady_clock;

double nanoseconds(Clock::duration d) { return std::chrono::duration<double, std::nano>(d).count(); }

double batch(const std::function<void()> &fn, int calls) {
  const auto begin = Clock::now();
  for (int i = 0; i < calls; ++i) fn();
  return nanoseconds(Clock::now() - begin) / calls;
}

// Calls that take about a millisecond together.
int batch_size(const std::function<void()> &fn) {
  constexpr double kBatch = 1e6;
  int calls = 1;
  while (calls < 1 << 20 && batch(fn, calls) * calls < kBatch) calls *= 2;
  return calls;
}

double quantile(const std::vector<double> &sorted, double q) {
  return sorted[static_cast<std::size_t>(q * static_cast<double>(sorted.size() - 1))];
}

}  // namespace

Measured measure(const std::function<void(std::size_t)> &fn, std::size_t calls) {
  constexpr int kRounds = 101;
  std::vector<double> times;
  for (int round = -1; round < kRounds; ++round) {
    const auto begin = Clock::now();
    for (std::size_t i = 0; i < calls; ++i) fn(i);
    if (round >= 0) times.push_back(nanoseconds(Clock::now() - begin) / static_cast<double>(calls));
  }
  std::sort(times.begin(), times.end());
  return {quantile(times, 0.5), kRounds};
}

TimeRatio ratio_of(const std::function<void()> &slow, const std::function<void()> &fast) {
  constexpr int kRounds = 41;
  const int slow_calls = batch_size(slow);
  const int fast_calls = batch_size(fast);
  std::vector<double> ratios;
  std::vector<double> times;
  for (int round = 0; round < kRounds; ++round) {
    const double s = batch(slow, slow_calls);
    const double f = batch(fast, fast_calls);
    ratios.push_back(s / f);
    times.push_back(f);
  }
  std::sort(ratios.begin(), ratios.end());
  std::sort(times.begin(), times.end());
  return {quantile(ratios, 0.25), quantile(ratios, 0.5), quantile(ratios, 0.75), quantile(times, 0.5), kRounds};
}

}  // namespace rayo::conform::claims
