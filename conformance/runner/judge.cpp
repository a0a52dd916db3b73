// SPDX-License-Identifier: Apache-2.0
#include "runner/judge.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

namespace rayo::conform {
namespace {

// Distributions of which zeros and NaNs may be the right answer almost everywhere.
constexpr std::array<std::string_view, 9> kWildDistributions = {"nan",      "neginf", "onenan", "sprinkled", "bits",
                                                                "specials", "sweep",  "stride", "subnormal"};

// Reports stay valid JSON: an error without limit is written as this.
constexpr double kWorst = 1e300;

struct Distance {
  bool right = false;
  double error_ulp = 0;
  double bound_ulp = 0;
};

bool same_bits(double a, double b) {
  return (std::isnan(a) && std::isnan(b)) || std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

template <class R>
double rounded(Dtype dtype, R value) {
  if (dtype == Dtype::f32) return static_cast<double>(static_cast<float>(value));
  if (dtype == Dtype::f64) return static_cast<double>(value);
  // f16, bf16: outputs of casts alone, whose values a double holds exactly; integers, up to 64 bits.
  std::uint64_t element = 0;
  store_element(dtype, &element, static_cast<double>(value));
  return load_element(dtype, &element);
}

// Magnitudes from here on round to infinity.
template <class R>
R overflow_threshold(const Format &f) {
  return wide::ldexp(R(1) - wide::ldexp(R(1), -f.digits - 1), f.max_exponent + 1);
}

// May a sum of this magnitude overflow on the way, in some order that the bound allows?
template <class R>
bool may_overflow(const Format &format, const Element<R> &e) {
  return e.count > 0 && !(R(e.magnitude) * R(1 + 2 * e.count * format.unit()) < overflow_threshold<R>(format));
}

template <class R>
Distance distance(const Problem &p, Dtype dtype, const Bound &bound, Judged judged, const Element<R> &e,
                  double actual) {
  if (!dtype_is_float(dtype)) {
    const double off = std::fabs(actual - static_cast<double>(e.value));
    const double allowed = judged.grade == Grade::relaxed ? bound.relaxed : 0;
    return {off <= allowed, off, allowed};
  }
  const Format format = format_of(dtype);
  if (wide::is_nan(e.value)) return {std::isnan(actual), std::isnan(actual) ? 0 : kWorst, 0};
  if (wide::is_inf(e.value)) {
    const bool right = actual == static_cast<double>(e.value);
    return {right, right ? 0 : kWorst, 0};
  }
  R allowed = tolerance(bound, judged.grade, p, format, e);
  const bool accumulates =
      bound.kind == BoundKind::accumulate || bound.kind == BoundKind::root || bound.kind == BoundKind::variance;
  if (allowed > 0 && accumulates && may_overflow(format, e)) {
    // Any of the finite value, an infinity or the NaN of Inf - Inf is a legal way to overflow.
    if (!std::isfinite(actual)) return {true, 0, 0};
  }
  if (judged.flushes) allowed += static_cast<R>(std::ldexp(1.0, format.min_exponent));
  // Near 0 a bound made of other quantities is beyond counting in ULP; keep the share of it readable.
  const R ulp = std::max(ulp_at(format, e.value), allowed * R(0x1p-900));
  const double bound_ulp = std::min(kWorst, static_cast<double>(allowed / ulp));
  if (std::isnan(actual)) return {false, kWorst, bound_ulp};
  if (allowed == 0) {
    const double target = rounded(dtype, e.value);
    if (same_bits(actual, target)) return {true, 0, 0};
    const double off = std::isfinite(actual) ? static_cast<double>(wide::fabs(R(actual) - e.value) / ulp) : kWorst;
    return {false, std::min(off, kWorst), 0};
  }
  if (std::isinf(actual)) {
    const bool same_sign = (actual > 0) == (e.value > 0);
    const bool right = same_sign && wide::fabs(e.value) + allowed >= overflow_threshold<R>(format);
    return {right, right ? 0 : kWorst, bound_ulp};
  }
  const R off = wide::fabs(R(actual) - e.value);
  return {off <= allowed, std::min(kWorst, static_cast<double>(off / ulp)), bound_ulp};
}

}  // namespace

Grade grade_of(std::uint32_t numerics) {
  return numerics == RAYO_NUMERICS_REPRODUCIBLE ? Grade::ours
         : numerics == RAYO_NUMERICS_STRICT     ? Grade::strict
                                                : Grade::relaxed;
}

Verdict judge_relation(const std::vector<Ratio> &ratios) {
  Verdict verdict{State::passed, 0, 0, {}};
  double worst_share = -1;
  for (const Ratio &ratio : ratios) {
    const double value = std::isfinite(ratio.value) ? ratio.value : kWorst;
    if (!(value < ratio.limit)) {
      verdict.state = State::failed;
      verdict.message = fmt::format("relation: {} is {:.4g}, must be below {:.4g}", ratio.name, value, ratio.limit);
    }
    if (value / ratio.limit <= worst_share) continue;
    worst_share = value / ratio.limit;
    verdict.error_ulp = value;
    verdict.bound = ratio.limit;
  }
  return verdict;
}

template <class R>
Judge<R>::Judge(const Problem &problem, Dtype dtype, const Bound &bound, Judged judged)
    : problem_(problem),
      bound_(bound),
      dtype_(dtype),
      judged_(judged),
      quick_(std::is_same_v<R, double> && dtype == Dtype::f32 && !judged.flushes &&
             (bound.kind == BoundKind::exact || bound.kind == BoundKind::ulp || bound.kind == BoundKind::sigmoid ||
              bound.kind == BoundKind::gelu)),
      factor_(grade_factor(bound, judged.grade)) {}

// True if `actual` is right beyond doubt and no worse than what was seen: the many, for a fraction of distance()'s
// price. Every bound admitted by quick_ allows at least factor_ ULP. f32 in double alone.
template <class R>
bool Judge<R>::accept_quickly(const Element<R> &e, double actual) {
  const auto value = static_cast<double>(e.value);
  if (!(std::fabs(value) < 0x1.fffffep127) || !std::isfinite(actual)) {
    if (!(std::isnan(value) && std::isnan(actual))) return false;
    return worst_share_ >= 0;
  }
  if (factor_ == 0) return worst_share_ >= 0 && same_bits(actual, rounded(dtype_, e.value));
  // The exponent of |value| by its bits, at least that of the smallest normal f32.
  const std::uint64_t exponent = std::max((std::bit_cast<std::uint64_t>(value) >> 52) & 0x7ffu, UINT64_C(1023 - 126));
  const auto per_ulp = std::bit_cast<double>((2 * UINT64_C(1023) + 23 - exponent) << 52);
  return std::fabs(actual - value) * per_ulp <= quick_limit_;
}

template <class R>
void Judge<R>::weigh(const Element<R> &e, double actual) {
  const Distance d = distance(problem_, dtype_, bound_, judged_, e, actual);
  if (!d.right && wrong_++ == 0) {
    verdict_.message =
        fmt::format("oracle: element {} is {:.9g} ({:a}), expected {:.9g} ({:a}): {:.3g} ULP off, bound {:.3g}", seen_,
                    actual, actual, static_cast<double>(e.value), rounded(dtype_, e.value), d.error_ulp, d.bound_ulp);
  }
  const double share = d.bound_ulp > 0 ? d.error_ulp / d.bound_ulp : d.error_ulp * kWorst;
  if (share <= worst_share_) return;
  worst_share_ = share;
  verdict_.error_ulp = d.error_ulp;
  verdict_.bound = d.bound_ulp;
  quick_limit_ = factor_ * std::min(share, 1.0);
}

template <class R>
void Judge<R>::add(std::span<const Element<R>> expected, std::span<const double> actual) {
  if (seen_ == 0 && !expected.empty()) first_count_ = expected.front().count;
  for (std::size_t i = 0; i < expected.size(); ++i, ++seen_) {
    const Element<R> &e = expected[i];
    empty_ += e.value == 0 || wide::is_nan(e.value) ? 1 : 0;
    if (quick_ && accept_quickly(e, actual[i])) continue;
    weigh(e, actual[i]);
  }
}

// Would a kernel that writes zeros everywhere pass as well?
template <class R>
bool Judge<R>::tells_nothing() const {
  if (seen_ < 64 || !dtype_is_float(dtype_)) return false;
  const Case &c = *problem_.call;
  for (const std::string_view wild : kWildDistributions) {
    if (std::find(c.distributions.begin(), c.distributions.end(), wild) != c.distributions.end()) return false;
  }
  if (problem_.op->name == "gemm" && attr_real(c, *problem_.op, "alpha") == 0) return false;
  // Equal values vary by 0, and a line of one element has nothing to tell: right answers, few as they are.
  if (problem_.op->name == "variance" && (c.distributions.front() == "constant" || !c.strides.empty())) return false;
  if (problem_.op->shape_rule != "broadcast" && first_count_ == 1) return false;
  return empty_ * 10 > seen_ * 9;
}

template <class R>
Verdict Judge<R>::verdict() const {
  Verdict verdict = verdict_;
  if (wrong_ > 0) {
    verdict.state = State::failed;
    verdict.message += fmt::format("; {} of {} elements wrong", wrong_, seen_);
  } else if (tells_nothing()) {
    verdict.state = State::distrusted;
    verdict.message = "more than 9 in 10 expected values are zero or NaN: the case tells nothing";
  }
  return verdict;
}

template <class R>
Verdict judge_against_oracle(const Problem &problem, const Expected<R> &expected, const Bound &bound, Judged judged,
                             const std::vector<double> &actual) {
  Judge<R> judge(problem, expected.dtype, bound, judged);
  judge.add(expected.elements, actual);
  return judge.verdict();
}

std::string bit_difference(const std::vector<double> &a, const std::vector<double> &b, std::string_view a_name,
                           std::string_view b_name) {
  std::size_t wrong = 0;
  std::size_t first = 0;
  for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) {
    if (same_bits(a[i], b[i])) continue;
    if (wrong++ == 0) first = i;
  }
  if (a.size() != b.size()) return fmt::format("{} has {} elements, {} has {}", a_name, a.size(), b_name, b.size());
  if (wrong == 0) return {};
  return fmt::format("bits: element {} is {:a} by {} and {:a} by {}; {} of {} differ", first, a[first], a_name,
                     b[first], b_name, wrong, a.size());
}

template class Judge<double>;
template class Judge<wide::Quad>;
template Verdict judge_against_oracle(const Problem &, const Expected<double> &, const Bound &, Judged,
                                      const std::vector<double> &);
template Verdict judge_against_oracle(const Problem &, const Expected<wide::Quad> &, const Bound &, Judged,
                                      const std::vector<double> &);

}  // namespace rayo::conform
