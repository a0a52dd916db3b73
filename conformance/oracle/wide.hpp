// SPDX-License-Identifier: Apache-2.0
//
// The oracle's arithmetic: double judges types of up to 32 bits, Quad (113-bit significand) judges f64. One set of
// function names for both, so that each formula is written once. Rounding a wide result of + - * / sqrt to the judged
// type is correct rounding: both formats have more than twice the bits plus two. (fma needs add_to_odd.)
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

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

#if defined(RAYO_HAVE_QUADMATH)
inline Quad pow(Quad x, Quad y) { return powq(x, y); }
#else
inline Quad pow(Quad x, Quad y) { return std::pow(x, y); }
#endif
inline double pow(double x, double y) { return std::pow(x, y); }

// a + b rounded to odd: rounding the answer again, to any format with two bits less, is correct rounding of a + b.
template <class R>
R add_to_odd(R a, R b) {
  const R s = a + b;
  const R back = s - a;
  const R error = (a - (s - back)) + (b - back);
  if (error == 0 || is_nan(error) || is_inf(s)) return s;
  using Bits = std::conditional_t<sizeof(R) == 8, std::uint64_t, unsigned __int128>;
  Bits bits;
  std::memcpy(&bits, &s, sizeof bits);
  if ((bits & 1u) != 0) return s;
  bits += (error > 0) == (s > 0) ? Bits(1) : ~Bits(0);  // the odd neighbour on the side of the exact sum
  R odd;
  std::memcpy(&odd, &bits, sizeof odd);
  return odd;
}

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
