// SPDX-License-Identifier: Apache-2.0
#include "oracle/bounds.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace rayo::conform {
namespace {

constexpr auto kBounds = std::to_array<Bound>({
#define BOUND(op, kind, ours, strict, relaxed, per_argument) \
  {#op, BoundKind::kind, ours, strict, relaxed, per_argument},
#include <ops/bounds.def>
#undef BOUND
});

// gamma_n G, or the random-walk bound, plus half a subnormal step per rounding that may underflow.
double accumulate_bound(const Problem &problem, const Format &format, double n, double magnitude) {
  const double u = format.unit();
  const bool mean = problem.op->name == "reduce_mean";
  const double roundings = mean ? n + 1 : n;
  double relative = roundings * u / (1 - roundings * u);
  if (problem.zero_mean) relative = std::min(relative, (4 + 2 * std::sqrt(n)) * u);
  return relative * magnitude + (roundings + 1) * format.min_subnormal();
}

// What a relaxed f32 product may lose on its inputs: each rounded to TF32's 11 bits,
// core/doc/adr/0006-relaxed-products.md.
double input_rounding(const Problem &problem, Grade grade, const Format &format) {
  const bool product = problem.op->name == "matmul" || problem.op->name == "gemm";
  return grade == Grade::relaxed && product && format.digits == 24 ? 0x1p-10 + 0x1p-22 : 0;
}

double gamma(double roundings, double u) { return roundings * u / (1 - roundings * u); }

// sqrt(S + dS) - sqrt(S), written so that it does not cancel, and the rounding of the root.
template <class R>
R root_bound(const Format &format, const Element<R> &e) {
  const double u = format.unit();
  const R sum = e.value * e.value;
  const R off = R(gamma(e.count, u)) * sum + R((e.count + 1) * format.min_subnormal());
  const R high = off / (wide::sqrt(sum + off) + e.value);
  const R low = off >= sum ? e.value : off / (wide::sqrt(sum - off) + e.value);
  return std::max(high, low) + R(u) * e.value;
}

// The mean is off by at most gamma_(n+1) mean |x| =: d, which adds n d^2 to the sum of squares; each distance rounds
// once, its square with the lane once, the quotient once.
template <class R>
R variance_bound(const Format &format, const Element<R> &e) {
  const double u = format.unit();
  const double shift = gamma(e.count + 1, u) * e.condition;
  const double extra = e.count * shift * shift;
  const double sum = gamma(e.count + 3, u) * (e.magnitude + extra) + extra + (e.count + 1) * format.min_subnormal();
  return R(sum * (1 + 4 * u) / e.gain) + R(u) * e.value + R(format.min_subnormal());
}

template <class R>
R norm_bound(const Bound &bound, const Format &format, const Element<R> &e) {
  const double u = format.unit();
  const double root = std::sqrt(e.count);
  const double absolute = bound.kind == BoundKind::rms_norm
                              ? e.gain * e.argument * u * (8 + 2 * root)
                              : e.gain * u * ((4 + 2 * root) * (e.condition + e.argument) + 8) + u * e.shift;
  return R(absolute + 2 * (1 + e.gain) * format.min_subnormal());
}

bool whole_result(const Problem &problem, double value, double magnitude, const Format &format) {
  return problem.integers && problem.op->name != "reduce_mean" && magnitude < 1 / format.unit() &&
         value == std::floor(value);
}

}  // namespace

double Format::unit() const { return std::ldexp(1.0, -digits); }
double Format::min_subnormal() const { return std::ldexp(1.0, min_exponent - digits + 1); }

Format format_of(Dtype dtype) {
  switch (dtype) {
    case Dtype::f64:
      return {53, -1022, 1023};
    case Dtype::f16:
      return {11, -14, 15};
    case Dtype::bf16:
      return {8, -126, 127};
    default:
      return {24, -126, 127};
  }
}

const Bound *find_bound(std::string_view op) {
  const auto *at = std::find_if(kBounds.begin(), kBounds.end(), [op](const Bound &b) { return b.op == op; });
  return at == kBounds.end() ? nullptr : &*at;
}

double grade_factor(const Bound &bound, Grade grade) {
  return grade == Grade::ours ? bound.ours : grade == Grade::strict ? bound.strict : bound.relaxed;
}

template <class R>
R ulp_at(const Format &format, R value) {
  if (value == 0 || wide::is_nan(value)) return R(format.min_subnormal());
  if (wide::is_inf(value)) return wide::ldexp(R(1), format.max_exponent - format.digits + 1);
  int exponent = 0;
  (void)wide::frexp(value, &exponent);
  exponent = std::clamp(exponent - 1, format.min_exponent, format.max_exponent);
  return wide::ldexp(R(1), exponent - format.digits + 1);
}

template <class R>
R tolerance(const Bound &bound, Grade grade, const Problem &problem, const Format &format, const Element<R> &e) {
  const double factor = grade_factor(bound, grade);
  const R ulp = ulp_at(format, e.value);
  const double x = std::fabs(e.argument);
  const double per_argument = grade == Grade::relaxed && std::isfinite(x) ? bound.per_argument * x : 0;
  switch (bound.kind) {
    case BoundKind::exact:
    case BoundKind::ulp:
      return R(factor + per_argument) * ulp;
    case BoundKind::sigmoid: {
      const R relative = R(factor + per_argument) * ulp;
      // Below ln(2^emin) the exponential is subnormal.
      const bool tiny = e.argument < format.min_exponent * 0.6931471805599453;
      return tiny ? std::max(relative, R(std::ldexp(1.0, format.min_exponent))) : relative;
    }
    case BoundKind::gelu: {
      const R absolute = std::isfinite(x) ? R(factor * format.unit() * x) : R(0);
      return std::max(R(factor) * ulp, absolute);
    }
    case BoundKind::softmax: {
      // Where x_i = -Inf or the difference overflows, y is 0 and the relative term with it.
      if (e.value == 0) return R(2 * format.min_subnormal());
      const double extra = grade == Grade::relaxed ? 2 * x : 0;
      const R relative = wide::fabs(e.value) * R(format.unit() * (16 + x + extra + 2 * std::sqrt(e.count)));
      // Two roundings (e_i, then the quotient) may fall among the subnormals, half a step each, and an e_i there may be
      // one step off.
      return relative + R(2 * format.min_subnormal());
    }
    case BoundKind::log_softmax:
      return R(factor * format.unit() *
               (12 + 2 * std::sqrt(e.count) + 2 * x + 2 * std::fabs(static_cast<double>(e.value))));
    case BoundKind::layer_norm:
    case BoundKind::rms_norm:
      return R(factor) * norm_bound(bound, format, e);
    case BoundKind::variance:
      return R(factor) * variance_bound(format, e);
    case BoundKind::root:
      if (e.count == 0 || (problem.integers && e.magnitude < 1 / format.unit())) return 0;
      return R(factor) * root_bound(format, e);
    case BoundKind::accumulate:
      if (e.count == 0) return 0;
      if (whole_result(problem, static_cast<double>(e.value), e.magnitude, format)) return 0;
      return R(factor * accumulate_bound(problem, format, e.count, e.magnitude) +
               input_rounding(problem, grade, format) * e.magnitude);
  }
  return 0;
}

template double ulp_at(const Format &, double);
template wide::Quad ulp_at(const Format &, wide::Quad);
template double tolerance(const Bound &, Grade, const Problem &, const Format &, const Element<double> &);
template wide::Quad tolerance(const Bound &, Grade, const Problem &, const Format &, const Element<wide::Quad> &);

}  // namespace rayo::conform
