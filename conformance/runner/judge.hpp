// SPDX-License-Identifier: Apache-2.0
//
// Compares values: a result with the oracle under its bound, and two results with each other by bits.
#pragma once

#include <span>
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

Grade grade_of(std::uint32_t numerics);  // RAYO_NUMERICS_*

// Takes the elements of one output piece by piece, in order.
template <class R>
class Judge {
 public:
  // `problem` and `bound` must outlive the object.
  Judge(const Problem &problem, Dtype dtype, const Bound &bound, Judged judged);
  // actual[i] is the result for expected[i].
  void add(std::span<const Element<R>> expected, std::span<const double> actual);
  Verdict verdict() const;  // passed, failed or distrusted

 private:
  bool accept_quickly(const Element<R> &expected, double actual);
  void weigh(const Element<R> &expected, double actual);
  bool tells_nothing() const;

  const Problem &problem_;
  const Bound &bound_;
  Dtype dtype_;
  Judged judged_;
  bool quick_;
  double factor_;
  Verdict verdict_{State::passed, 0, 0, {}};
  double worst_share_ = -1;
  double quick_limit_ = 0;  // errors in ULP up to here are right and not the worst
  double first_count_ = 0;
  std::size_t seen_ = 0;
  std::size_t empty_ = 0;  // expected values that are 0 or NaN
  std::size_t wrong_ = 0;
};

// The whole of one output at once; `actual` has one value per element of `expected`.
template <class R>
Verdict judge_against_oracle(const Problem &problem, const Expected<R> &expected, const Bound &bound, Judged judged,
                             const std::vector<double> &actual);

// Each ratio below its limit.
Verdict judge_relation(const std::vector<Ratio> &ratios);

// Empty if equal bit for bit (any NaN equals any NaN), else the first difference as text.
std::string bit_difference(const std::vector<double> &a, const std::vector<double> &b, std::string_view a_name,
                           std::string_view b_name);

}  // namespace rayo::conform
