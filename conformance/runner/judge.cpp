// SPDX-License-Identifier: Apache-2.0
#include "runner/judge.hpp"

#include <fmt/format.h>

#include <bit>
#include <cmath>

namespace rayo::conform {
namespace {

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
  std::uint16_t narrow = 0;  // f16, bf16: outputs of casts alone, whose values a double holds exactly
  store_element(dtype, &narrow, static_cast<double>(value));
  return load_element(dtype, &narrow);
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
Distance distance(const Problem &p, const Expected<R> &expected, const Bound &bound, Judged judged, const Element<R> &e,
                  double actual) {
  if (!dtype_is_float(expected.dtype)) {
    const double off = std::fabs(actual - static_cast<double>(e.value));
    const double allowed = judged.grade == Grade::relaxed ? bound.relaxed : 0;
    return {off <= allowed, off, allowed};
  }
  const Format format = format_of(expected.dtype);
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
    const double target = rounded(expected.dtype, e.value);
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

// Would a kernel that writes zeros everywhere pass as well?
template <class R>
bool tells_nothing(const Problem &p, const Expected<R> &expected) {
  if (expected.elements.size() < 64 || !dtype_is_float(expected.dtype)) return false;
  const std::string &distribution = p.call->distributions.front();
  for (const std::string_view wild :
       {"nan", "neginf", "onenan", "sprinkled", "bits", "specials", "sweep", "subnormal"}) {
    for (const std::string &name : p.call->distributions) {
      if (name == wild) return false;
    }
  }
  if (p.op->name == "gemm" && attr_real(*p.call, *p.op, "alpha") == 0) return false;
  // Equal values vary by 0, and a line of one element has nothing to tell: right answers, few as they are.
  if (p.op->name == "variance" && (distribution == "constant" || !p.call->strides.empty())) return false;
  if (p.op->shape_rule != "broadcast" && expected.elements.front().count == 1) return false;
  std::size_t empty = 0;
  for (const Element<R> &e : expected.elements) empty += e.value == 0 || wide::is_nan(e.value) ? 1 : 0;
  return empty * 10 > expected.elements.size() * 9;
}

}  // namespace

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

namespace {

template <class R>
std::string value_text(const Expected<R> &expected, const Element<R> &e) {
  return fmt::format("{:.9g} ({:a})", static_cast<double>(e.value), rounded(expected.dtype, e.value));
}

}  // namespace

template <class R>
Verdict judge_against_oracle(const Problem &problem, const Expected<R> &expected, const Bound &bound, Judged judged,
                             const std::vector<double> &actual) {
  Verdict verdict{State::passed, 0, 0, {}};
  double worst_share = -1;
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < expected.elements.size(); ++i) {
    const Element<R> &e = expected.elements[i];
    const Distance d = distance(problem, expected, bound, judged, e, actual[i]);
    if (!d.right) {
      if (wrong++ == 0) {
        verdict.message = fmt::format("oracle: element {} is {:.9g} ({:a}), expected {}: {:.3g} ULP off, bound {:.3g}",
                                      i, actual[i], actual[i], value_text(expected, e), d.error_ulp, d.bound_ulp);
      }
    }
    const double share = d.bound_ulp > 0 ? d.error_ulp / d.bound_ulp : d.error_ulp * kWorst;
    if (share > worst_share) {
      worst_share = share;
      verdict.error_ulp = d.error_ulp;
      verdict.bound = d.bound_ulp;
    }
  }
  if (wrong > 0) {
    verdict.state = State::failed;
    verdict.message += fmt::format("; {} of {} elements wrong", wrong, expected.elements.size());
  } else if (tells_nothing(problem, expected)) {
    verdict.state = State::distrusted;
    verdict.message = "more than 9 in 10 expected values are zero or NaN: the case tells nothing";
  }
  return verdict;
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

template Verdict judge_against_oracle(const Problem &, const Expected<double> &, const Bound &, Judged,
                                      const std::vector<double> &);
template Verdict judge_against_oracle(const Problem &, const Expected<wide::Quad> &, const Bound &, Judged,
                                      const std::vector<double> &);

}  // namespace rayo::conform
