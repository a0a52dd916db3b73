// SPDX-License-Identifier: Apache-2.0
//
// The oracle's arithmetic: double judges types of up to 32 bits, Quad (113-bit significand) judges f64. One set of
// function names for both, so that each formula is written once. Rounding a wide result of + - * / sqrt to the judged
// type is correct rounding: both formats have more than twice the bits plus two.
#pragma once

#include <cmath>
#include <limits>

#if defined(RAYO_HAVE_QUADMATH)
#include <quadmath.h>
#endif

namespace rayo::conform::wide {

#if defined(RAYO_HAVE_QUADMATH)
using Quad = __float128;
#define RAYO_WIDE_1(name)                               \
  inline double name(double x) { return std::name(x); } \
  inline Quad name(Quad x) { return ::name##q(x); }
inline bool is_nan(Quad x) { return isnanq(x) != 0; }
inline bool is_inf(Quad x) { return isinfq(x) != 0; }
inline bool sign_bit(Quad x) { return signbitq(x) != 0; }
inline Quad ldexp(Quad x, int e) { return ldexpq(x, e); }
inline Quad frexp(Quad x, int *e) { return frexpq(x, e); }
#else  // long double is binary128 there (AArch64)
using Quad = long double;
static_assert(std::numeric_limits<long double>::digits >= 108,
              "the f64 oracle needs libquadmath, or a long double of 108 bits or more");
#define RAYO_WIDE_1(name)                               \
  inline double name(double x) { return std::name(x); } \
  inline Quad name(Quad x) { return std::name(x); }
inline bool is_nan(Quad x) { return std::isnan(x); }
inline bool is_inf(Quad x) { return std::isinf(x); }
inline bool sign_bit(Quad x) { return std::signbit(x); }
inline Quad ldexp(Quad x, int e) { return std::ldexp(x, e); }
inline Quad frexp(Quad x, int *e) { return std::frexp(x, e); }
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

// Irrational constants as sums of three doubles, smallest first: exact to more than 113 bits without quad literals.
template <class R>
R half_sqrt2() {
  return R(0x1.57d3e3adec175p-109) + R(-0x1.bdd3413b26456p-55) + R(0x1.6a09e667f3bcdp-1);
}
template <class R>
R sqrt2_over_pi() {
  return R(-0x1.c7402c7d60cfbp-111) + R(-0x1.cbc0d30ebfd15p-55) + R(0x1.9884533d43651p-1);
}

}  // namespace rayo::conform::wide
