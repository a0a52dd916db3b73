// SPDX-License-Identifier: Apache-2.0
//
// Transcendental functions on Vec<double>: the sequences of math.h with the degrees that 53 bits need. The same
// operations on every ISA, so the same bits; where there is no FMA instruction the C library's exact fma stands in.
// Coefficients by doc/fit.sollya; plugin-api/doc/numerics.md states the formulas.
#ifndef RAYO_SIMD_MATH_F64_H
#define RAYO_SIMD_MATH_F64_H

#include <simd/vec.h>

RAYO_ISA_BEGIN

using Vd = Vec<double>;

/// Horner's rule with FMA, highest coefficient first.
template <class T>
RAYO_INLINE Vec<T> horner_tail(Vec<T>, Vec<T> acc) {
  return acc;
}
template <class T, class... C>
RAYO_INLINE Vec<T> horner_tail(Vec<T> x, Vec<T> acc, T c, C... rest) {
  return horner_tail(x, fma(acc, x, set1<Vec<T>>(c)), rest...);
}
template <class T, class... C>
RAYO_INLINE Vec<T> horner(Vec<T> x, T c, C... rest) {
  return horner_tail(x, set1<Vec<T>>(c), rest...);
}

/// e^x = p * 2^k; t = k + the type's rounding magic, as in scale2.
template <class T>
struct ExpParts {
  Vec<T> p;
  Vec<T> t;
};

/// (e^r - 1 - r) / r^2 for |r| <= ln 2 / 2.
RAYO_INLINE Vd exp_tail(Vd r) {
  return horner(r, 0x1.1ee71e34c3762p-29, 0x1.af6e760ee5409p-26, 0x1.27e537b8e5814p-22, 0x1.71ddee7979735p-19,
                0x1.a01a017b3ef77p-16, 0x1.a01a01b44206ep-13, 0x1.6c16c16c1ec9p-10, 0x1.111111110eap-7,
                0x1.5555555555543p-5, 0x1.555555555555cp-3, 0x1p-1);
}
/// x less k ln 2, in two parts: 42 bits, so that k times it is exact, and the rest.
RAYO_INLINE Vd reduce_exp(Vd x, Vd k) {
  return fma(k, set1<Vd>(-0x1.ef35793c7673p-45), fma(k, set1<Vd>(-0x1.62e42fefa38p-1), x));
}
/// p in [0.70, 1.42]. |x| < 2^20; a NaN x gives a NaN p.
RAYO_INLINE ExpParts<double> exp_parts(Vd x) {
  const Vd t = round_by_magic(x, set1<Vd>(0x1.71547652b82fep0));
  const Vd r = reduce_exp(x, t - set1<Vd>(kRoundMagic<double>));
  const Vd one = set1<Vd>(1.0);
  return {fma(fma(exp_tail(r), r, one), r, one), t};
}

/// e^x. Below -746 it is 0, above 710 inf: both are where the clamped argument already rounds to that.
RAYO_INLINE Vd exp(Vd x) {
  const ExpParts<double> e = exp_parts(at_most(at_least(x, set1<Vd>(-746.0)), set1<Vd>(710.0)));
  return scale2(e.p, e.t);
}

/// e^x for x <= 0 (or NaN).
RAYO_INLINE Vd exp_negative(Vd x) {
  const ExpParts<double> e = exp_parts(at_least(x, set1<Vd>(-746.0)));
  return scale2(e.p, e.t);
}

/// x = m * 2^k with m in [sqrt(1/2), sqrt(2)), for x in the normal range: the bits of sqrt(1/2) as an integer split the
/// exponent there.
struct LogParts {
  Vd m;
  Vd k;
};
RAYO_INLINE LogParts split_log(Vd x) {
  using Vi = Vec<int64_t>;
  // 1024 is added to k, so that a logical shift serves and the sum with 2^52's bits is a double.
  const Vi top = set1<Vi>(int64_t{1} << 62);
  const Vi j = srl<52>(bits(x) - set1<Vi>(0x3fe6a09e667f3bcd) + top);
  const Vd k = from_bits<double>(j + set1<Vi>(0x4330000000000000)) - set1<Vd>(0x1p52 + 1024.0);
  return {from_bits<double>(bits(x) - shl<52>(j) + top), k};
}

/// ln x for x in the normal range, plus k0 ln 2.
RAYO_INLINE Vd log_normal(Vd x, Vd k0) {
  const LogParts s = split_log(x);
  const Vd k = s.k + k0;
  const Vd f = s.m - set1<Vd>(1.0);
  const Vd q = horner(f, -0x1.8de14da51b73fp-6, 0x1.d2caa4e056bdap-5, -0x1.0109f3a02f629p-4, 0x1.bba4e0d309c62p-5,
                      -0x1.b45a3396c5f22p-5, 0x1.dc98755386f9fp-5, -0x1.00d00e6132758p-4, 0x1.116a031136144p-4,
                      -0x1.248941ca8710dp-4, 0x1.3b0d77afc7c71p-4, -0x1.5555774ae3ad4p-4, 0x1.745d58e7732fbp-4,
                      -0x1.99999a9bda1d3p-4, 0x1.c71c702d37965p-4, -0x1.fffffff3bdd3fp-4, 0x1.249249275fd51p-3,
                      -0x1.555555556bp-3, 0x1.9999999994d55p-3, -0x1.ffffffffffe7dp-3, 0x1.555555555556bp-2, -0x1p-1);
  const Vd w = fma(f * f, q, k * set1<Vd>(0x1.ef35793c7673p-45));
  return fma(k, set1<Vd>(0x1.62e42fefa38p-1), f + w);
}

/// ln x; -inf for zeros, NaN below zero.
RAYO_INLINE Vd log(Vd x) {
  const Vd zero = set1<Vd>(0.0);
  const Vd inf = set1<Vd>(__builtin_inf());
  const Vd least = set1<Vd>(0x1p-1022);
  if (__builtin_expect(all(ge(x, least) & lt(x, inf)), 1)) return log_normal(x, zero);
  const Mask<double> small = lt(x, least);
  Vd y = log_normal(select(small, x * set1<Vd>(0x1p54), x), select(small, set1<Vd>(-54.0), zero));
  y = select(eq(x, inf) | unord(x, x), x, y);
  y = select(eq(x, zero), neg(inf), y);
  return select(lt(x, zero), set1<Vd>(__builtin_nan("")), y);
}

RAYO_ISA_END

#endif  // RAYO_SIMD_MATH_F64_H
