// SPDX-License-Identifier: Apache-2.0
//
// Medians and their uncertainty. Intervals are 95 % bootstrap percentiles over rounds, drawn with a fixed seed: the
// same readings give the same interval.
#pragma once

#include <vector>

namespace rayo::bench {

struct Interval {
  double low = 0;
  double high = 0;
};

// Of a non-empty list; the mean of the two in the middle for an even count.
double median(std::vector<double> values);

// Interquartile range over the median: the spread of single readings.
double relative_iqr(std::vector<double> values);

// Of the median of `values`.
Interval median_interval(const std::vector<double> &values);

// Of median(numerator) / median(denominator), where readings of one index come from one round.
Interval ratio_interval(const std::vector<double> &numerator, const std::vector<double> &denominator);

double geometric_mean(const std::vector<double> &values);

}  // namespace rayo::bench
