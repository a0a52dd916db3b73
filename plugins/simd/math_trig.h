// SPDX-License-Identifier: Apache-2.0
//
// sin and cos on Vec<float> and Vec<double>, for every finite argument. Up to a limit x - k pi/2 is taken with pi/2 in
// three parts; beyond it, lane by lane, with the bits of 2/pi that matter (Payne and Hanek's reduction in integers).
#ifndef RAYO_SIMD_MATH_TRIG_H
#define RAYO_SIMD_MATH_TRIG_H

#include <simd/math_horner.h>

RAYO_ISA_BEGIN

/// 2/pi, pi/2 in three parts, and the largest |x| for which k times them is good enough.
template <class T>
struct HalfPi;
template <>
struct HalfPi<float> {
  static constexpr float kInverse = 0x1.45f306p-1f, kHi = 0x1.921fb6p0f, kMid = -0x1.777a5cp-25f;
  static constexpr float kLo = -0x1.ee59dap-50f, kLimit = 0x1p16f;
};
template <>
struct HalfPi<double> {
  static constexpr double kInverse = 0x1.45f306dc9c883p-1, kHi = 0x1.921fb54442d18p0, kMid = 0x1.1a62633145c07p-54;
  static constexpr double kLo = -0x1.f1976b7ed8fbcp-110, kLimit = 0x1p30;
};

/// x = k pi/2 + r + c with |r| <= pi/4 and a little, |c| below an ULP of r; t holds k mod 4 in its low bits.
template <class T>
struct TrigParts {
  Vec<T> r;
  Vec<T> c;
  Vec<T> t;
};
template <class T>
RAYO_INLINE TrigParts<T> reduce_trig(Vec<T> x) {
  const Vec<T> t = round_by_magic(x, set1<Vec<T>>(HalfPi<T>::kInverse));
  const Vec<T> k = t - set1<Vec<T>>(kRoundMagic<T>);
  const Vec<T> mid = set1<Vec<T>>(HalfPi<T>::kMid);
  const Vec<T> r1 = fma(k, set1<Vec<T>>(-HalfPi<T>::kHi), x);  // exact: no bit lies below pi/2's last
  const Vec<T> ph = k * mid;
  const Vec<T> pl = fma(k, mid, neg(ph));
  const Vec<T> r2 = r1 - ph;
  const Vec<T> part = r2 - r1;
  const Vec<T> e = (r1 - (r2 - part)) - (ph + part);
  const Vec<T> c = fma(k, set1<Vec<T>>(-HalfPi<T>::kLo), e - pl);
  const Vec<T> r = r2 + c;
  return {r, (r2 - r) + c, t};
}

/// The first 1280 bits of 2/pi, behind 64 zeros.
RAYO_TABLE uint64_t kTwoOverPi[21] = {
    0,
    0xa2f9836e4e441529,
    0xfc2757d1f534ddc0,
    0xdb6295993c439041,
    0xfe5163abdebbc561,
    0xb7246e3a424dd2e0,
    0x06492eea09d1921c,
    0xfe1deb1cb129a73e,
    0xe88235f52ebb4484,
    0xe99c7026b45f7e41,
    0x3991d639835339f4,
    0x9c845f8bbdf9283b,
    0x1ff897ffde05980f,
    0xef2f118b5a0a6d1f,
    0x6d367ecf27cb09b7,
    0x4f463f669e5fea2d,
    0x7527bac7ebe5f17b,
    0x3d0739f78a5292ea,
    0x6bfb5fb11f8d5d08,
    0x56033046fc7b6bab,
    0xf0cfbc209af4361d,
};

/// The same of one number of any size >= 2^16; quadrant = k mod 4. Infinities and NaN give a NaN r.
struct HugeParts {
  double r;
  double c;
  int quadrant;
};
RAYO_INLINE HugeParts reduce_huge(double x) {
  __extension__ typedef unsigned __int128 Wide;
  const auto b = __builtin_bit_cast(uint64_t, x);
  const int exponent = static_cast<int>(b >> 52 & 0x7ff) - 1075;
  if (exponent == 0x7ff - 1075) return {x - x, 0.0, 0};
  const uint64_t m = (b & 0xfffffffffffff) | uint64_t{1} << 52;
  // |x| = m 2^exponent. Bits of 2/pi above weight 2^(1 - exponent) give multiples of 4: the window begins there.
  const int at = exponent + 62;
  const int s = at & 63;
  const uint64_t *word = kTwoOverPi + (at >> 6);
  uint64_t w[3];
  for (int i = 0; i < 3; ++i) w[i] = s == 0 ? word[i] : word[i] << s | word[i + 1] >> (64 - s);
  // m times the window, modulo 4: two bits of quadrant, 190 of fraction.
  const Wide low = Wide{m} * w[2];
  const Wide middle = Wide{m} * w[1] + static_cast<uint64_t>(low >> 64);
  const uint64_t p0 = m * w[0] + static_cast<uint64_t>(middle >> 64);
  const auto p1 = static_cast<uint64_t>(middle), p2 = static_cast<uint64_t>(low);
  uint64_t f[3] = {p0 << 2 | p1 >> 62, p1 << 2 | p2 >> 62, p2 << 2};
  int quadrant = static_cast<int>(p0 >> 62);
  const bool up = f[0] >> 63 != 0;  // nearer to the next multiple: the fraction becomes negative
  if (up) {
    f[2] = ~f[2] + 1;
    f[1] = ~f[1] + (f[2] == 0 ? 1 : 0);
    f[0] = ~f[0] + (f[2] == 0 && f[1] == 0 ? 1 : 0);
    ++quadrant;
  }
  int zeros = 0;
  if (f[0] == 0) {
    f[0] = f[1];
    f[1] = f[2];
    f[2] = 0;
    zeros = 64;
  }
  const int z = f[0] == 0 ? 0 : __builtin_clzll(f[0]);
  const uint64_t h = z == 0 ? f[0] : f[0] << z | f[1] >> (64 - z);
  const uint64_t l = z == 0 ? f[1] : f[1] << z | f[2] >> (64 - z);
  // The fraction's first 53 bits and the next 53, times pi/2 in two parts.
  const double head = static_cast<double>(h >> 11) * 0x1p-53;
  const double rest = static_cast<double>((h & 0x7ff) << 42 | l >> 22) * 0x1p-106;
  const double r = head * 0x1.921fb54442d18p0;
  const double c = __builtin_fma(head, 0x1.921fb54442d18p0, -r) +
                   __builtin_fma(head, 0x1.1a62633145c07p-54, rest * 0x1.921fb54442d18p0);
  const double scale = __builtin_bit_cast(double, static_cast<uint64_t>(1023 - zeros - z) << 52);
  const bool negative = b >> 63 != 0;
  const double signed_scale = up != negative ? -scale : scale;
  return {r * signed_scale, c * signed_scale, (negative ? -quadrant : quadrant) & 3};
}

/// Replaces the parts of lanes beyond the limit.
template <class T>
RAYO_NOINLINE void reduce_huge_lanes(const T *x, T *r, T *c, T *t) {
  for (int i = 0; i < Vec<T>::size; ++i) {
    const T a = x[i] < 0 ? -x[i] : x[i];
    if (a <= HalfPi<T>::kLimit) continue;
    const HugeParts p = reduce_huge(static_cast<double>(x[i]));
    r[i] = static_cast<T>(p.r);
    c[i] = static_cast<T>((p.r - static_cast<double>(r[i])) + p.c);
    t[i] = kRoundMagic<T> + static_cast<T>(p.quadrant);
  }
}

/// (sin r - r) / r^3 and (cos r - 1 + r^2 / 2) / r^4 of z = r^2, |r| <= 0.79.
RAYO_INLINE Vec<float> sin_tail(Vec<float> z) {
  return horner(z, 0x1.77c182p-19f, -0x1.a04824p-13f, 0x1.111164p-7f, -0x1.555556p-3f);
}
RAYO_INLINE Vec<float> cos_tail(Vec<float> z) { return horner(z, 0x1.99e334p-16f, -0x1.6c0c1ep-10f, 0x1.55554ap-5f); }
RAYO_INLINE Vec<double> sin_tail(Vec<double> z) {
  return horner(z, -0x1.a562bbe168c4cp-41, 0x1.6114b01f5956bp-33, -0x1.ae643d50495f2p-26, 0x1.71de3a401fe54p-19,
                -0x1.a01a01a006dbp-13, 0x1.111111111108bp-7, -0x1.5555555555555p-3);
}
RAYO_INLINE Vec<double> cos_tail(Vec<double> z) {
  return horner(z, 0x1.a2737ccd673c6p-45, -0x1.937ebd1fb9343p-37, 0x1.1eed7854fafddp-29, -0x1.27e4fb615ab56p-22,
                0x1.a01a01a002636p-16, -0x1.6c16c16c16b4bp-10, 0x1.5555555555555p-5);
}

/// sin(x + shift pi/2); shift is 0 or 1.
template <class T>
RAYO_INLINE Vec<T> sin_shifted(Vec<T> x, T shift) {
  using Vi = Vec<typename IntOf<T>::type>;
  constexpr int kSign = static_cast<int>(8 * sizeof(T)) - 1;
  TrigParts<T> p = reduce_trig(x);
  if (__builtin_expect(!all(le(abs(x), set1<Vec<T>>(HalfPi<T>::kLimit))), 0)) {
    T lanes[4][Vec<T>::size];
    store(lanes[0], x);
    store(lanes[1], p.r);
    store(lanes[2], p.c);
    store(lanes[3], p.t);
    reduce_huge_lanes<T>(lanes[0], lanes[1], lanes[2], lanes[3]);
    p = {load(lanes[1]), load(lanes[2]), load(lanes[3])};
  }
  const Vi k = bits(p.t + set1<Vec<T>>(shift));
  const Vec<T> one = set1<Vec<T>>(T(1));
  const Vec<T> z = p.r * p.r;
  const Vec<T> half = set1<Vec<T>>(T(0.5)) * z;
  const Vec<T> w = one - half;
  const Vec<T> sine = p.r + fma(p.r * z, sin_tail(z), p.c * w);  // sin(r + c) = sin r + c cos r, cos r near w
  const Vec<T> cosine = w + (((one - w) - half) + fma(z * z, cos_tail(z), neg(p.r * p.c)));
  const Mask<T> even = eq(from_bits<T>((k & set1<Vi>(1)) + bits(one)), one);
  return select(even, sine, cosine) ^ from_bits<T>(shl<kSign - 1>(k & set1<Vi>(2)));
}

/// sin x; NaN for infinities. A zero keeps its sign.
template <class T>
RAYO_INLINE Vec<T> sin(Vec<T> x) {
  return select(eq(x, set1<Vec<T>>(T(0))), x, sin_shifted(x, T(0)));
}

/// cos x; NaN for infinities.
template <class T>
RAYO_INLINE Vec<T> cos(Vec<T> x) {
  return sin_shifted(x, T(1));
}

RAYO_ISA_END

#endif  // RAYO_SIMD_MATH_TRIG_H
