// SPDX-License-Identifier: Apache-2.0
//
// Compares values: a result with the oracle under its bound, and two results with each other by bits.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "oracle/bounds.hpp"
#include "oracle/oracle.hpp"
#include "runner/state.hpp"

namespace rayo::conform {

struct Judged {
  Grade grade = Grade::ours;
  bool flushes = false;  // the kernel declares that subnormals may be zero
};

// `actual` has one value per element of `expected`. Passed, failed or distrusted.
template <class R>
Verdict judge_against_oracle(const Problem &problem, const Expected<R> &expected, const Bound &bound, Judged judged,
                             const std::vector<double> &actual);

// Each ratio below its limit.
Verdict judge_relation(const std::vector<Ratio> &ratios);

// Empty if equal bit for bit (any NaN equals any NaN), else the first difference as text.
std::string bit_difference(const std::vector<double> &a, const std::vector<double> &b, std::string_view a_name,
                           std::string_view b_name);

}  // namespace rayo::conform
