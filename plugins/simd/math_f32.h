// SPDX-License-Identifier: Apache-2.0
//
// exp, log, tanh and erf on Vec<float>. plugin-api/doc/numerics.md states them as formulas; doc/fit.sollya makes the
// coefficients. No branch but log's for special values.
#ifndef RAYO_SIMD_MATH_F32_H
#define RAYO_SIMD_MATH_F32_H

#include <simd/math_horner.h>
#include <simd/vec.h>

RAYO_ISA_BEGIN

using Vf = Vec<float>;

/// (e^r - 1 - r) / r^2 for |r| <= ln 2 / 2.
RAYO_INLINE Vf exp_tail(Vf r) {
  return horner(r, 0x1.694ac4p-10f, 0x1.12398ep-7f, 0x1.555a28p-5f, 0x1.555492p-3f, 0x1.fffffap-2f);
}
/// x less k ln 2, in two parts: 17 bits, so that k times it is exact, and the rest.
RAYO_INLINE Vf reduce_exp(Vf x, Vf k) { return fma(k, set1<Vf>(-0x1.7f7d1cp-20f), fma(k, set1<Vf>(-0x1.62e4p-1f), x)); }
/// |x| < 2^15; a NaN x gives a NaN q.
RAYO_INLINE ExpParts<float> exp_parts(Vf x) {
  const Vf t = round_for_scale2(x, set1<Vf>(0x1.715476p0f));
  const Vf r = reduce_exp(x, t - set1<Vf>(kScaleMagic<float>));
  return {fma(exp_tail(r), r, set1<Vf>(1.0f)), r, t};
}

/// e^x. Below -104 it is 0, above 89 inf: both are where the clamped argument already rounds to that.
RAYO_INLINE Vf exp(Vf x) {
  const ExpParts<float> e = exp_parts(at_most(at_least(x, set1<Vf>(-104.0f)), set1<Vf>(89.0f)));
  return scale2_fma(e.q, e.r, e.t);
}

/// e^x for x <= 0 (or NaN).
RAYO_INLINE Vf exp_negative(Vf x) {
  const ExpParts<float> e = exp_parts(at_least(x, set1<Vf>(-104.0f)));
  return scale2_fma(e.q, e.r, e.t);
}

/// ln x for x in the normal range, plus k0 ln 2.
RAYO_INLINE Vf log_normal(Vf x, Vf k0) {
  // x = m * 2^k with m in [sqrt(1/2), sqrt(2)): the bits of sqrt(1/2) as an integer split the exponent there.
  const Vec<int32_t> k = sra<23>(bits(x) - set1<Vec<int32_t>>(0x3f3504f3));
  const Vf m = from_bits<float>(bits(x) - shl<23>(k));
  const Vf kf = to_real(k) + k0;
  const Vf f = m - set1<Vf>(1.0f);
  const Vf q = horner(f, -0x1.2a6f78p-4f, 0x1.015974p-3f, -0x1.0e96ccp-3f, 0x1.239ce2p-3f, -0x1.5466fep-3f,
                      0x1.99944ep-3f, -0x1.000234p-2f, 0x1.55557p-2f, -0.5f);
  const Vf w = fma(f * f, q, kf * set1<Vf>(0x1.7f7d1cp-20f));
  return fma(kf, set1<Vf>(0x1.62e4p-1f), f + w);
}

/// ln x; -inf for zeros, NaN below zero.
RAYO_INLINE Vf log(Vf x) {
  const Vf zero = set1<Vf>(0.0f);
  const Vf inf = set1<Vf>(__builtin_inff());
  const Mask<float> normal = ge(x, set1<Vf>(0x1p-126f)) & lt(x, inf);
  if (__builtin_expect(all(normal), 1)) return log_normal(x, zero);
  const Mask<float> small = lt(x, set1<Vf>(0x1p-126f));
  Vf y = log_normal(select(small, x * set1<Vf>(0x1p25f), x), select(small, set1<Vf>(-25.0f), zero));
  y = select(eq(x, inf) | unord(x, x), x, y);
  y = select(eq(x, zero), neg(inf), y);
  return select(lt(x, zero), set1<Vf>(__builtin_nanf("")), y);
}

/// tanh x: an odd polynomial below 0.6, 1 - 2 / (e^2|x| + 1) above; from 9.5 on it rounds to 1.
RAYO_INLINE Vf tanh(Vf x) {
  const Vf a = abs(x);
  const Vf z = a * a;
  const Vf q = horner(z, -0x1.758facp-8f, 0x1.5211c4p-6f, -0x1.b838ap-5f, 0x1.110704p-3f, -0x1.555532p-2f);
  const Vf below = fma(a * z, q, a);
  const Vf b = at_most(a, set1<Vf>(9.5f));
  const ExpParts<float> e = exp_parts(b + b);
  const Vf one = set1<Vf>(1.0f);
  const Vf above = one - set1<Vf>(2.0f) / (scale2_fma_normal(e.q, e.r, e.t) + one);
  return with_sign_of(select(lt(a, set1<Vf>(0.6f)), below, above), x);
}

/// erf x: x + x q(x^2) below 0.9375, 1 - e^-p(|x|) above; from 4 on it rounds to 1. -p comes from negated
/// coefficients: the same bits, one operation less.
RAYO_INLINE Vf erf(Vf x) {
  const Vf a = abs(x);
  const Vf z = a * a;
  const Vf q = horner(z, 0x1.5a7084p-14f, -0x1.a98p-11f, 0x1.54b154p-8f, -0x1.b80c08p-6f, 0x1.ce2de6p-4f,
                      -0x1.812742p-2f, 0x1.06eba8p-3f);
  const Vf below = fma(a, q, a);
  const Vf b = at_most(a, set1<Vf>(4.0f));
  const Vf negative_p = horner(b, 0x1.ae39b6p-20f, -0x1.7c8044p-15f, 0x1.35ba0cp-11f, -0x1.36046ep-8f, 0x1.af7dep-6f,
                               -0x1.c24222p-4f, -0x1.4394b8p-1f, -0x1.21505ap0f, 0x1.34cb98p-12f);
  const ExpParts<float> e = exp_parts(negative_p);
  const Vf above = set1<Vf>(1.0f) - scale2_fma_normal(e.q, e.r, e.t);
  return with_sign_of(select(lt(a, set1<Vf>(0.9375f)), below, above), x);
}

RAYO_ISA_END

#endif  // RAYO_SIMD_MATH_F32_H
