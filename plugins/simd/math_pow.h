// SPDX-License-Identifier: Apache-2.0
//
// pow on Vec<float> and Vec<double>: e^(y ln|x|), then C's special cases. f32 goes through f64, whose 53 bits make the
// result all but correctly rounded; f64 carries ln x and y ln x as sums of two doubles.
#ifndef RAYO_SIMD_MATH_POW_H
#define RAYO_SIMD_MATH_POW_H

#include <simd/math_f64.h>

RAYO_ISA_BEGIN

/// An unevaluated sum; |lo| is at most an ULP of hi or so.
struct TwoVd {
  Vd hi;
  Vd lo;
};

/// ln x for finite x > 0, to about 2^-65 of its value: 2 atanh(f / (2 + f)), the first two terms in two doubles.
RAYO_INLINE TwoVd log_two(Vd x) {
  const Mask<double> small = lt(x, set1<Vd>(0x1p-1022));
  const LogParts s = split_log(select(small, x * set1<Vd>(0x1p54), x));
  const Vd k = s.k + select(small, set1<Vd>(-54.0), set1<Vd>(0.0));
  const Vd one = set1<Vd>(1.0), two = set1<Vd>(2.0);
  const Vd f = s.m - one;
  const Vd d = s.m + one;
  const Vd d_lo = s.m - (d - one);
  const Vd a = f / d;
  const Vd a_lo = fma(neg(a), d_lo, fma(neg(a), d, f)) / d;
  const Vd z = a * a;
  const Vd z_lo = fma(two * a, a_lo, fma(a, a, neg(z)));
  const Vd t = z * horner(z, 0x1.eacd52ec70b0cp-4, 0x1.de3ca9d11b597p-4, 0x1.11207325d4db5p-3, 0x1.3b1364b59a6ap-3,
                          0x1.745d182985acfp-3, 0x1.c71c71c596643p-3, 0x1.2492492492f51p-2, 0x1.9999999999996p-2);
  const Vd third = set1<Vd>(0x1.5555555555555p-1);
  const Vd u = third + t;
  const Vd u_lo = ((third - u) + t) + set1<Vd>(0x1.5555555555555p-55);
  const Vd v = z * u;
  const Vd v_lo = fma(z, u, neg(v)) + fma(z, u_lo, z_lo * u);
  const Vd w = a * v;
  const Vd w_lo = fma(a, v, neg(w)) + fma(a, v_lo, a_lo * v);
  const Vd b = two * a + w;
  const Vd b_lo = ((two * a - b) + w) + fma(two, a_lo, w_lo);
  const Vd n = k * set1<Vd>(0x1.62e42fefa38p-1);  // exact
  const Vd h = n + b;
  const Vd h_lo = ((n - h) + b) + fma(k, set1<Vd>(0x1.ef35793c7673p-45), b_lo);
  const Vd hi = h + h_lo;
  return {hi, (h - hi) + h_lo};
}

/// |x|^y for finite |x| > 0 and finite y.
RAYO_INLINE Vd pow_finite(Vd x, Vd y) {
  const TwoVd l = log_two(x);
  const Vd product = y * l.hi;
  const Vd exact_lo = fma(y, l.hi, neg(product)) + y * l.lo;
  const Vd ph = at_most(at_least(product, set1<Vd>(-746.0)), set1<Vd>(710.0));
  const Vd pl = select(eq(ph, product), exact_lo, set1<Vd>(0.0));
  const Vd t = round_for_scale2(ph, set1<Vd>(0x1.71547652b82fep0));
  const Vd k = t - set1<Vd>(kScaleMagic<double>);
  const Vd r1 = fma(k, set1<Vd>(-0x1.62e42fefa38p-1), ph);
  const Vd c1 = fma(k, set1<Vd>(-0x1.ef35793c7673p-45), pl);
  const Vd r = r1 + c1;
  const Vd c = (r1 - r) + c1;
  const Vd one = set1<Vd>(1.0);
  const Vd h = one + r;
  const Vd p = h + (((one - h) + r) + fma(r * r, exp_tail(r), c));
  return scale2(p, t);
}

RAYO_INLINE Vec<double> pow_magnitude(Vec<double> a, Vec<double> y) {
  const Vd zero = set1<Vd>(0.0), one = set1<Vd>(1.0), inf = set1<Vd>(__builtin_inf());
  const Mask<double> special = eq(a, zero) | eq(a, inf) | eq(abs(y), inf);
  const Mask<double> large = (gt(a, one) & gt(y, zero)) | (lt(a, one) & lt(y, zero));
  return select(special, select(large, inf, zero), pow_finite(a, y));
}
RAYO_INLINE Vec<float> pow_magnitude(Vec<float> a, Vec<float> y) {
  const auto f = [](Vd u, Vd v) RAYO_LAMBDA { return exp(v * log(u)); };
  return narrow(f(widen_low(a), widen_low(y)), f(widen_high(a), widen_high(y)));
}

/// x^y with C's special cases: 1 for y = 0 or x = 1, NaN or not; x = -1 and infinite y too.
template <class T>
RAYO_INLINE Vec<T> pow(Vec<T> x, Vec<T> y) {
  const Vec<T> zero = set1<Vec<T>>(T(0)), one = set1<Vec<T>>(T(1)), half = set1<Vec<T>>(T(0.5));
  const Vec<T> inf = set1<Vec<T>>(static_cast<T>(__builtin_inf()));
  const Vec<T> a = abs(x);
  Vec<T> m = select(eq(a, one), one, pow_magnitude(a, y));
  const Mask<T> integral = eq(floor(y), y);
  const Vec<T> h = y * half;
  const Mask<T> odd = integral & lt(floor(h), h);
  m = m | select(odd, x & set1<Vec<T>>(T(-0.0)), zero);
  const Vec<T> nan = set1<Vec<T>>(static_cast<T>(__builtin_nan("")));
  m = select(lt(x, zero) & gt(x, neg(inf)) & lt(floor(y), y), nan, m);
  m = select(unord(x, y), nan, m);
  return select(eq(y, zero) | eq(x, one), one, m);
}

RAYO_ISA_END

#endif  // RAYO_SIMD_MATH_POW_H
