// SPDX-License-Identifier: Apache-2.0
//
// Transcendental functions on Vec<float> and Vec<double>, written once in the vector contract: the same FMA sequence on
// every ISA, so the same bits. plugin-api/doc/numerics.md states them as formulas. Only true division: reciprocal
// estimates differ between ISAs. This file holds what is built from exp and erf for both types.
#ifndef RAYO_SIMD_MATH_H
#define RAYO_SIMD_MATH_H

#include <simd/math_f32.h>
#include <simd/math_f64.h>
#include <simd/math_pow.h>
#include <simd/math_trig.h>

RAYO_ISA_BEGIN

/// n / (1 + e^v) where n is 1 or e^v: the logistic function of v without overflow on either side, times `by`.
template <class T>
RAYO_INLINE Vec<T> logistic_times(Vec<T> v, Vec<T> by) {
  const Vec<T> e = exp_negative(abs(v) | set1<Vec<T>>(T(-0.0)));
  return select(ge(v, set1<Vec<T>>(T(0))), by, by * e) / (set1<Vec<T>>(T(1)) + e);
}

/// e^x by 1 + (r + r^2 tail): one operation more than exp, but it never falls, where exp's q r + 1 falls by an ULP here
/// and there as q rounds.
template <class T>
RAYO_INLINE Vec<T> exp_rising(Vec<T> x) {
  const Vec<T> lowest = set1<Vec<T>>(sizeof(T) == 4 ? T(-104) : T(-746));
  const Vec<T> b = at_most(at_least(x, lowest), set1<Vec<T>>(sizeof(T) == 4 ? T(89) : T(710)));
  const ExpParts<T> e = exp_parts(b);
  return scale2_fma(fma(e.r * e.r, exp_tail(e.r), e.r), set1<Vec<T>>(T(1)), e.t);
}

/// 1 / (1 + e^-x): every step rises or falls with x, so the whole does.
template <class T>
RAYO_INLINE Vec<T> sigmoid(Vec<T> x) {
  const Vec<T> one = set1<Vec<T>>(T(1));
  return one / (one + exp_rising(neg(x)));
}

/// x / (1 + e^-x). Where e^x is 0 the argument is kept finite, so that the result is -0 and not NaN.
template <class T>
RAYO_INLINE Vec<T> swish(Vec<T> x) {
  const Vec<T> b = at_least(x, set1<Vec<T>>(sizeof(T) == 4 ? T(-104) : T(-746)));
  return logistic_times(b, b);
}

/// x/2 (1 + erf(x / sqrt 2)). Below -16 the factor is 0; the clamp keeps -inf * 0 away.
template <class T>
RAYO_INLINE Vec<T> gelu_none(Vec<T> x) {
  const Vec<T> b = at_least(x, set1<Vec<T>>(T(-16)));
  const Vec<T> h = set1<Vec<T>>(T(0.5)) * b;
  return fma(h, erf(b * set1<Vec<T>>(static_cast<T>(0x1.6a09e667f3bcdp-1))), h);
}

/// x/2 (1 + tanh u) = x / (1 + e^-2u), 2u = x (2 sqrt(2/pi) + 2 sqrt(2/pi) 0.044715 x^2). At the clamp e^2u is below
/// the type's range (f64) or far below what counts (f32).
template <class T>
RAYO_INLINE Vec<T> gelu_tanh(Vec<T> x) {
  const Vec<T> b = at_least(x, set1<Vec<T>>(sizeof(T) == 4 ? T(-16) : T(-22)));
  const Vec<T> c = set1<Vec<T>>(static_cast<T>(0x1.2444f2a4d8b4bp-4));
  return logistic_times(b * fma(b * b, c, set1<Vec<T>>(static_cast<T>(0x1.9884533d43651p0))), b);
}

/// e^x - 1 for x <= 0 (or NaN): 2^k (e^r - 1) + (2^k - 1), whose parts have one sign or do not cancel by much. From -40
/// on it rounds to -1.
template <class T>
RAYO_INLINE Vec<T> expm1_negative(Vec<T> x) {
  const Vec<T> b = at_least(x, set1<Vec<T>>(T(-40)));
  const ExpParts<T> e = exp_parts(b);
  const Vec<T> s = power_of_two(e.t);
  return fma(s, fma(e.r * e.r, exp_tail(e.r), e.r), s - set1<Vec<T>>(T(1)));
}

/// x where x >= 0, else alpha (e^x - 1).
template <class T>
RAYO_INLINE Vec<T> elu(Vec<T> x, Vec<T> alpha) {
  return select(ge(x, set1<Vec<T>>(T(0))), x, alpha * expm1_negative(x));
}

RAYO_ISA_END

#endif  // RAYO_SIMD_MATH_H
