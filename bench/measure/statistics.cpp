// SPDX-License-Identifier: Apache-2.0
//
// Order statistics and the bootstrap.
#include "statistics.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <random>

namespace rayo::bench {
namespace {

constexpr int kResamples = 1000;

double sorted_median(const std::vector<double> &sorted) {
  const std::size_t middle = sorted.size() / 2;
  return sorted.size() % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

// Linear between order statistics; `part` from 0 to 1.
double quantile(const std::vector<double> &sorted, double part) {
  const double position = part * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(position);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (position - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

// `statistic` of index lists drawn with replacement from `count` rounds.
Interval bootstrap(std::size_t count, const std::function<double(const std::vector<std::size_t> &)> &statistic) {
  std::mt19937_64 random(count);
  std::vector<std::size_t> rounds(count);
  std::vector<double> results;
  results.reserve(kResamples);
  for (int i = 0; i < kResamples; ++i) {
    for (std::size_t &round : rounds) round = static_cast<std::size_t>(random() % count);
    results.push_back(statistic(rounds));
  }
  std::sort(results.begin(), results.end());
  return {quantile(results, 0.025), quantile(results, 0.975)};
}

double median_of(const std::vector<double> &values, const std::vector<std::size_t> &rounds,
                 std::vector<double> &scratch) {
  scratch.clear();
  for (const std::size_t round : rounds) scratch.push_back(values[round]);
  std::sort(scratch.begin(), scratch.end());
  return sorted_median(scratch);
}

}  // namespace

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return sorted_median(values);
}

double relative_iqr(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return (quantile(values, 0.75) - quantile(values, 0.25)) / sorted_median(values);
}

Interval median_interval(const std::vector<double> &values) {
  std::vector<double> scratch;
  return bootstrap(values.size(),
                   [&](const std::vector<std::size_t> &rounds) { return median_of(values, rounds, scratch); });
}

Interval ratio_interval(const std::vector<double> &numerator, const std::vector<double> &denominator) {
  std::vector<double> scratch;
  return bootstrap(std::min(numerator.size(), denominator.size()), [&](const std::vector<std::size_t> &rounds) {
    return median_of(numerator, rounds, scratch) / median_of(denominator, rounds, scratch);
  });
}

double geometric_mean(const std::vector<double> &values) {
  double logs = 0;
  for (const double value : values) logs += std::log(value);
  return values.empty() ? 0 : std::exp(logs / static_cast<double>(values.size()));
}

}  // namespace rayo::bench
