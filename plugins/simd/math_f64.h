// SPDX-License-Identifier: Apache-2.0
//
// Transcendental functions on Vec<double>: the sequences of math.h with the degrees that 53 bits need. The same
// operations on every ISA, so the same bits; where there is no FMA instruction the C library's exact fma stands in.
// Coefficients by doc/fit.sollya; plugin-api/doc/numerics.md states the formulas.
#ifndef RAYO_SIMD_MATH_F64_H
#define RAYO_SIMD_MATH_F64_H

#include <simd/math_horner.h>

RAYO_ISA_BEGIN

using Vd = Vec<double>;

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
/// |x| < 2^20; a NaN x gives a NaN q.
RAYO_INLINE ExpParts<double> exp_parts(Vd x) {
  const Vd t = round_for_scale2(x, set1<Vd>(0x1.71547652b82fep0));
  const Vd r = reduce_exp(x, t - set1<Vd>(kScaleMagic<double>));
  return {fma(exp_tail(r), r, set1<Vd>(1.0)), r, t};
}

/// e^x. Below -746 it is 0, above 710 inf: both are where the clamped argument already rounds to that.
RAYO_INLINE Vd exp(Vd x) {
  const ExpParts<double> e = exp_parts(at_most(at_least(x, set1<Vd>(-746.0)), set1<Vd>(710.0)));
  return scale2_fma(e.q, e.r, e.t);
}

/// e^x for x <= 0 (or NaN).
RAYO_INLINE Vd exp_negative(Vd x) {
  const ExpParts<double> e = exp_parts(at_least(x, set1<Vd>(-746.0)));
  return scale2_fma(e.q, e.r, e.t);
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

/// tanh x: an odd polynomial below 0.6, 1 - 2 / (e^2|x| + 1) above; from 20 on it rounds to 1.
RAYO_INLINE Vd tanh(Vd x) {
  const Vd a = abs(x);
  const Vd z = a * a;
  const Vd q = horner(z, -0x1.1c75b5639b883p-16, 0x1.4ae326c882d52p-14, -0x1.e273540a07d1cp-13, 0x1.33c5b73a6f5dep-11,
                      -0x1.7d76d03d1b481p-10, 0x1.d6d07fa5f18bdp-9, -0x1.226e20898d624p-7, 0x1.664f47dd8a5f1p-6,
                      -0x1.ba1ba1b7200aep-5, 0x1.111111110d9f2p-3, -0x1.5555555555529p-2);
  const Vd below = fma(a * z, q, a);
  const Vd b = at_most(a, set1<Vd>(20.0));
  const ExpParts<double> e = exp_parts(b + b);
  const Vd one = set1<Vd>(1.0);
  const Vd above = one - set1<Vd>(2.0) / (scale2_fma_normal(e.q, e.r, e.t) + one);
  return with_sign_of(select(lt(a, set1<Vd>(0.6)), below, above), x);
}

/// erf x: x + x q(x^2) below 0.9375, 1 - e^-p(|x| - 1.5) above; from 6 on it rounds to 1.
RAYO_INLINE Vd erf(Vd x) {
  const Vd a = abs(x);
  const Vd z = a * a;
  const Vd q = horner(z, 0x1.084e407d7e574p-34, -0x1.39497cb34660bp-30, 0x1.f7dcedb64fc12p-27, -0x1.5f20ffd79d27p-23,
                      0x1.b9df32b32efc7p-20, -0x1.f4d1dfff387ap-17, 0x1.f9a3216894314p-14, -0x1.c02db3d42a943p-11,
                      0x1.565bcd0d80d37p-8, -0x1.b82ce3128297cp-6, 0x1.ce2f21a042a68p-4, -0x1.812746b0379e4p-2,
                      0x1.06eba8214db69p-3);
  const Vd below = fma(a, q, a);
  const Vd t = at_most(a, set1<Vd>(6.0)) - set1<Vd>(1.5);
  const Vd negative_p =
      horner(t, 0x1.4dc931a00712fp-54, -0x1.df47dd2ba340bp-49, 0x1.3cbe696595314p-44, -0x1.00c0cafeb40fep-40,
             0x1.1ec68b440ba87p-37, -0x1.d4f014edbf2d5p-35, 0x1.20f860f15176ap-32, -0x1.0a5407e329416p-30,
             0x1.487bb7f8ad584p-29, -0x1.27fe779389932p-30, -0x1.dec9a4a28aaa6p-26, 0x1.9d99d43b1e5d2p-23,
             -0x1.b79137fa43f7ap-21, 0x1.3e3578e7c9f85p-19, -0x1.63409aa56b1ep-19, -0x1.790bc2a310ea7p-16,
             0x1.c4e86aa753638p-13, -0x1.49926235dcda2p-10, 0x1.89a87b48ff9c8p-8, -0x1.a71a4bde02eb2p-6,
             -0x1.c90827462a19p-1, -0x1.c1206279e92bcp1, -0x1.b137096b18e96p1);
  const ExpParts<double> e = exp_parts(negative_p);
  const Vd above = set1<Vd>(1.0) - scale2_fma_normal(e.q, e.r, e.t);
  return with_sign_of(select(lt(a, set1<Vd>(0.9375)), below, above), x);
}

RAYO_ISA_END

#endif  // RAYO_SIMD_MATH_F64_H
