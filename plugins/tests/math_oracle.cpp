// SPDX-License-Identifier: Apache-2.0
#include "math_oracle.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <map>
#ifdef RAYO_HAVE_MPFR
#include <mpfr.h>
#endif

namespace rayo_test {
namespace {

// The textbook's formula of a name, in Real; y is pow's exponent.
template <class Real>
Real (*formula(const std::string &name))(Real, Real) {
  using F = Real (*)(Real, Real);
  static const std::map<std::string, F> formulas = {
      {"neg", [](Real x, Real) { return -x; }},
      {"abs", [](Real x, Real) { return std::fabs(x); }},
      {"relu", [](Real x, Real) { return x > 0 ? x : Real(0); }},
      {"leaky_relu", [](Real x, Real) { return x >= 0 ? x : Real(0.01f) * x; }},  // alpha is rounded to the type
      {"round", [](Real x, Real) { return std::rint(x); }},
      {"floor", [](Real x, Real) { return std::floor(x); }},
      {"ceil", [](Real x, Real) { return std::ceil(x); }},
      {"sqrt", [](Real x, Real) { return std::sqrt(x); }},
      {"rsqrt", [](Real x, Real) { return 1 / std::sqrt(x); }},
      {"exp", [](Real x, Real) { return std::exp(x); }},
      {"log", [](Real x, Real) { return std::log(x); }},
      {"sin", [](Real x, Real) { return std::sin(x); }},
      {"cos", [](Real x, Real) { return std::cos(x); }},
      {"tanh", [](Real x, Real) { return std::tanh(x); }},
      {"erf", [](Real x, Real) { return std::erf(x); }},
      {"pow", [](Real x, Real y) { return std::pow(x, y); }},
      {"elu", [](Real x, Real) { return x >= 0 ? x : std::expm1(x); }},
      {"sigmoid", [](Real x, Real) { return 1 / (1 + std::exp(-x)); }},
      {"swish", [](Real x, Real) { return x / (1 + std::exp(-x)); }},
      {"gelu_none", [](Real x, Real) { return x / 2 * std::erfc(-x / std::sqrt(Real(2))); }},
      {"gelu_tanh",
       [](Real x, Real) {
         const Real u = std::sqrt(2 / std::acos(Real(-1))) * (x + Real(0.044715L) * x * x * x);
         return x / (1 + std::exp(-2 * u));
       }},
  };
  return formulas.at(name);
}

/// Turns a true value's distance into a verdict. `allowed` is the op's absolute allowance at this input.
Verdict weigh(const MathOp &op, double ulp, double error, double allowed) {
  Verdict v;
  if (ulp > op.ulp && error <= allowed) return v;
  v.ulp = ulp;
  v.beyond = !(ulp <= op.ulp);
  return v;
}
Verdict wrong_if(bool wrong) {
  Verdict v;
  v.wrong = wrong;
  return v;
}

template <class T>
double allowance(const MathOp &op, T x) {
  const bool f32 = sizeof(T) == 4;
  const double size = std::fabs(static_cast<double>(x));
  double allowed = op.per_x ? size * (f32 ? 0x1p-22 : 0x1p-51) : 0;
  if (op.tiny && x < (f32 ? T(-87.3) : T(-708.3))) allowed = std::max(allowed, f32 ? 0x1p-126 : 0x1p-1022);
  return allowed;
}

/// Infinite and NaN truths. `overflows`: the true value rounds to infinity or is it; `negative` its sign.
template <class T>
bool judge_special(T got, bool nan, bool overflows, bool negative, Verdict *v) {
  if (nan || std::isnan(got)) {
    *v = wrong_if(nan != static_cast<bool>(std::isnan(got)));
    return true;
  }
  if (overflows || std::isinf(got)) {
    // The last finite number counts as one ULP off.
    const bool large = std::fabs(got) >= std::numeric_limits<T>::max();
    *v = wrong_if(!large || std::signbit(got) != negative);
    return true;
  }
  return false;
}

}  // namespace

const std::vector<MathOp> &math_ops() {
  static const std::vector<MathOp> ops = {
      {"neg", "neg", {}, 1, 0, false, false, false},
      {"abs", "abs", {}, 1, 0, false, false, false},
      {"relu", "relu", {}, 1, 0, false, false, true},
      {"leaky_relu", "leaky_relu", {float_attr("alpha", 0.01)}, 1, 0.5, false, false, true},
      {"round", "round", {}, 1, 0, false, false, true},
      {"floor", "floor", {}, 1, 0, false, false, true},
      {"ceil", "ceil", {}, 1, 0, false, false, true},
      {"sqrt", "sqrt", {}, 1, 0.5, false, false, true},
      {"rsqrt", "rsqrt", {}, 1, 2, false, false, false},
      {"exp", "exp", {}, 1, 1, false, false, true},
      {"log", "log", {}, 1, 1, false, false, true},
      {"sin", "sin", {}, 1, 2, false, false, false},
      {"cos", "cos", {}, 1, 2, false, false, false},
      {"tanh", "tanh", {}, 1, 2, false, false, true},
      {"erf", "erf", {}, 1, 2, false, false, true},
      {"pow", "pow", {}, 2, 2, false, false, false},
      {"sigmoid", "sigmoid", {}, 1, 2.5, true, false, true},
      {"swish", "swish", {}, 1, 3.5, true, false, false},
      {"elu", "elu", {float_attr("alpha", 1.0)}, 1, 2, false, false, true},
      {"gelu_none", "gelu", {string_attr("approximate", "none")}, 1, 4, false, true, false},
      {"gelu_tanh", "gelu", {string_attr("approximate", "tanh")}, 1, 4, false, true, false},
  };
  return ops;
}

namespace {

// `t` is the true value at x, in Real; 2^(exponent of t - 23), no less than the smallest subnormal, is one ULP.
template <class Real>
Verdict judge_f32(const MathOp &op, float x, Real t, float got) {
  if (std::isnan(t) && std::isinf(x) && (op.tiny || op.per_x)) t = 0;  // x / (1 + inf): the limit
  constexpr Real kLimit = static_cast<Real>(0x1.ffffffp127);           // rounds to infinity
  Verdict v;
  if (judge_special(got, static_cast<bool>(std::isnan(t)), std::fabs(t) >= kLimit, std::signbit(t), &v)) return v;
  if (t == 0) return wrong_if(got != 0);
  const auto error = static_cast<double>(std::fabs(t - static_cast<Real>(got)));
  const auto bits = std::bit_cast<uint64_t>(static_cast<double>(t));
  const auto exponent = std::max<int64_t>(static_cast<int64_t>(bits >> 52 & 0x7ff), 1023 - 126);
  return weigh(op, error / std::bit_cast<double>(static_cast<uint64_t>(exponent - 23) << 52), error, allowance(op, x));
}

}  // namespace

Verdict judge(const MathOp &op, float x, float second, float got) {
  return judge_f32<long double>(op, x, formula<long double>(op.name)(x, second), got);
}

std::vector<Verdict> judge_all(const MathOp &op, const std::vector<float> &x, const std::vector<float> &got) {
  double (*const truth_of)(double, double) = formula<double>(op.name);
  std::vector<Verdict> verdicts;
  verdicts.reserve(x.size());
  for (size_t i = 0; i < x.size(); ++i) {
    verdicts.push_back(judge_f32<double>(op, x[i], truth_of(static_cast<double>(x[i]), 0), got[i]));
  }
  return verdicts;
}

#ifdef RAYO_HAVE_MPFR
namespace {

constexpr mpfr_rnd_t kNear = MPFR_RNDN;

struct Number {
  mpfr_t v;
  Number() { mpfr_init2(v, 200); }
  ~Number() { mpfr_clear(v); }
  Number(const Number &) = delete;
  Number &operator=(const Number &) = delete;
};

/// t = 1 / (1 + e^-x) times `by`.
void logistic(mpfr_t t, const mpfr_t x, const mpfr_t by) {
  mpfr_neg(t, x, kNear);
  mpfr_exp(t, t, kNear);
  mpfr_add_ui(t, t, 1, kNear);
  mpfr_div(t, by, t, kNear);
}

void truth(const std::string &name, const mpfr_t x, const mpfr_t y, mpfr_t t) {
  static Number a, one;
  mpfr_set_ui(one.v, 1, kNear);
  if (name == "neg") mpfr_neg(t, x, kNear);
  if (name == "abs") mpfr_abs(t, x, kNear);
  if (name == "relu") mpfr_sgn(x) > 0 ? mpfr_set(t, x, kNear) : (mpfr_set_zero(t, 1), 0);
  if (name == "round") mpfr_roundeven(t, x);
  if (name == "floor") mpfr_floor(t, x);
  if (name == "ceil") mpfr_ceil(t, x);
  if (name == "sqrt") mpfr_sqrt(t, x, kNear);
  if (name == "rsqrt") {  // not mpfr_rec_sqrt, which makes +inf of -0
    mpfr_sqrt(t, x, kNear);
    mpfr_ui_div(t, 1, t, kNear);
  }
  if (name == "exp") mpfr_exp(t, x, kNear);
  if (name == "log") mpfr_log(t, x, kNear);
  if (name == "sin") mpfr_sin(t, x, kNear);
  if (name == "cos") mpfr_cos(t, x, kNear);
  if (name == "tanh") mpfr_tanh(t, x, kNear);
  if (name == "erf") mpfr_erf(t, x, kNear);
  if (name == "pow") mpfr_pow(t, x, y, kNear);
  if (name == "leaky_relu") mpfr_sgn(x) >= 0 ? mpfr_set(t, x, kNear) : mpfr_mul_d(t, x, 0.01, kNear);
  if (name == "elu") mpfr_sgn(x) >= 0 ? mpfr_set(t, x, kNear) : mpfr_expm1(t, x, kNear);
  if (name == "sigmoid") logistic(t, x, one.v);
  if (name == "swish") logistic(t, x, x);
  if (name == "gelu_none") {
    mpfr_sqrt_ui(a.v, 2, kNear);
    mpfr_div(a.v, x, a.v, kNear);
    mpfr_neg(a.v, a.v, kNear);
    mpfr_erfc(t, a.v, kNear);
    mpfr_mul(t, t, x, kNear);
    mpfr_div_ui(t, t, 2, kNear);
  }
  if (name == "gelu_tanh") {  // 2u = sqrt(8 / pi) (x + 0.044715 x^3)
    mpfr_sqr(a.v, x, kNear);
    mpfr_mul_ui(a.v, a.v, 44715, kNear);
    mpfr_div_ui(a.v, a.v, 1000000, kNear);
    mpfr_add_ui(a.v, a.v, 1, kNear);
    mpfr_mul(a.v, a.v, x, kNear);
    mpfr_const_pi(t, kNear);
    mpfr_ui_div(t, 8, t, kNear);
    mpfr_sqrt(t, t, kNear);
    mpfr_mul(a.v, a.v, t, kNear);
    logistic(t, a.v, x);
  }
}

}  // namespace

bool math_oracle_has_f64() { return true; }

Verdict judge(const MathOp &op, double x, double second, double got) {
  static Number a, b, t, error;
  mpfr_set_d(a.v, x, kNear);
  mpfr_set_d(b.v, second, kNear);
  truth(op.name, a.v, b.v, t.v);
  if (mpfr_nan_p(t.v) != 0 && std::isinf(x) && (op.tiny || op.per_x)) mpfr_set_zero(t.v, 1);
  Verdict v;
  const bool nan = mpfr_nan_p(t.v) != 0;
  const bool overflows = !nan && std::isinf(mpfr_get_d(t.v, kNear));
  if (judge_special(got, nan, overflows, mpfr_signbit(t.v) != 0, &v)) return v;
  if (mpfr_zero_p(t.v) != 0) return wrong_if(got != 0);
  const long exponent = std::max<long>(mpfr_get_exp(t.v) - 1, -1022);
  mpfr_sub_d(error.v, t.v, got, kNear);
  mpfr_abs(error.v, error.v, kNear);
  const double distance = mpfr_get_d(error.v, MPFR_RNDU);
  mpfr_mul_2si(error.v, error.v, 52 - exponent, kNear);
  return weigh(op, mpfr_get_d(error.v, kNear), distance, allowance(op, x));
}
#else
bool math_oracle_has_f64() { return false; }
Verdict judge(const MathOp &, double, double, double) { return wrong_if(true); }
#endif

}  // namespace rayo_test
