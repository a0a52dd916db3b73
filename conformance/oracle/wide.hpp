// SPDX-License-Identifier: Apache-2.0
//
// The oracle's arithmetic: double judges types of up to 32 bits, Quad (113-bit significand) judges f64. One set of
// function names for both, so that each formula is written once. Rounding a wide result of + - * / sqrt to the judged
// type is correct rounding: both formats have more than twice the bits plus two.
#pragma once

#include <cmath>
#include <limits>

#if defined(__SIZEOF_FLOAT128__)
#include <quadmath.h>
#endif

namespace rayo::conform::wide {

#if defined(__SIZEOF_FLOAT128__)
using Quad = __float128;
#define RAYO_WIDE_1(name)                               \
  inline double name(double x) { return std::name(x); } \
  inline Quad name(Quad x) { return ::name##q(x); }
inline bool is_nan(Quad x) { return isnanq(x) != 0; }
inline bool is_inf(Quad x) { return isinfq(x) != 0; }
inline bool sign_bit(Quad x) { return signbitq(x) != 0; }
inline Quad ldexp(Quad x, int e) { return ldexpq(x, e); }
inline Quad frexp(Quad x, int *e) { return frexpq(x, e); }
inline constexpr Quad kHalfSqrt2Quad = 0.707106781186547524400844362104849039284835937688474Q;
inline constexpr Quad kSqrt2OverPiQuad = 0.797884560802865355879892119868763736951717262329869Q;
#else  // long double is binary128 there (AArch64)
using Quad = long double;
static_assert(std::numeric_limits<long double>::digits >= 108, "the f64 oracle needs a type of 108 bits or more");
#define RAYO_WIDE_1(name)                               \
  inline double name(double x) { return std::name(x); } \
  inline Quad name(Quad x) { return std::name(x); }
inline bool is_nan(Quad x) { return std::isnan(x); }
inline bool is_inf(Quad x) { return std::isinf(x); }
inline bool sign_bit(Quad x) { return std::signbit(x); }
inline Quad ldexp(Quad x, int e) { return std::ldexp(x, e); }
inline Quad frexp(Quad x, int *e) { return std::frexp(x, e); }
inline constexpr Quad kHalfSqrt2Quad = 0.707106781186547524400844362104849039284835937688474L;
inline constexpr Quad kSqrt2OverPiQuad = 0.797884560802865355879892119868763736951717262329869L;
#endif

inline bool is_nan(double x) { return std::isnan(x); }
inline bool is_inf(double x) { return std::isinf(x); }
inline bool sign_bit(double x) { return std::signbit(x); }
inline double ldexp(double x, int e) { return std::ldexp(x, e); }
inline double frexp(double x, int *e) { return std::frexp(x, e); }

RAYO_WIDE_1(fabs)
RAYO_WIDE_1(sqrt)
RAYO_WIDE_1(exp)
RAYO_WIDE_1(log)
RAYO_WIDE_1(sin)
RAYO_WIDE_1(cos)
RAYO_WIDE_1(tanh)
RAYO_WIDE_1(erf)
RAYO_WIDE_1(erfc)
RAYO_WIDE_1(expm1)
RAYO_WIDE_1(floor)
RAYO_WIDE_1(ceil)
RAYO_WIDE_1(rint)
#undef RAYO_WIDE_1

template <class R>
R half_sqrt2() {
  return static_cast<R>(kHalfSqrt2Quad);
}
template <class R>
R sqrt2_over_pi() {
  return static_cast<R>(kSqrt2OverPiQuad);
}

}  // namespace rayo::conform::wide
