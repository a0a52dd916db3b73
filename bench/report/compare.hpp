// SPDX-License-Identifier: Apache-2.0
//
// This run against a baseline: what moved by more than both runs' noise.
#pragma once

#include <string>
#include <vector>

#include "row.hpp"

namespace rayo::bench {

constexpr double kAlert = 1.05;        // at least 5 % slower
constexpr double kImprovement = 1.10;  // at least 10 % faster

struct Move {
  std::string key;
  double before_ns = 0, after_ns = 0;
};

struct Comparison {
  std::vector<Move> slower, faster;  // the furthest first
  std::size_t same = 0;              // moved less, or within the noise
  std::size_t only_here = 0, only_there = 0;
};

// A row is slower when its median is 5 % above the baseline's and the 95 % intervals of the medians do not meet; faster
// when it is 10 % below and they do not meet.
Comparison compare(const std::vector<Row> &now, const std::vector<Row> &baseline);

std::string comparison_text(const Comparison &comparison);
nlohmann::json to_json(const Comparison &comparison);

}  // namespace rayo::bench
