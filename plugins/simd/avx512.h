// SPDX-License-Identifier: Apache-2.0
//
// The vector contract (vec.h) on AVX-512 F, BW, DQ, VL: 16 floats, 8 doubles.
#ifndef RAYO_SIMD_AVX512_H
#define RAYO_SIMD_AVX512_H

#include <immintrin.h>
#include <simd/vec.h>

#include <simd/transpose_x86.h>

RAYO_ISA_BEGIN

template <>
struct Vec<float> {
  using type = float;
  static constexpr int size = 16;
  __m512 v;
};
template <>
struct Vec<double> {
  using type = double;
  static constexpr int size = 8;
  __m512d v;
};
template <>
struct Vec<int32_t> {
  using type = int32_t;
  static constexpr int size = 16;
  __m512i v;
};
template <>
struct Vec<int64_t> {
  using type = int64_t;
  static constexpr int size = 8;
  __m512i v;
};
template <>
struct Mask<float> {
  __mmask16 v;
};
template <>
struct Mask<double> {
  __mmask8 v;
};

RAYO_INLINE Vec<float> broadcast(float x) { return {_mm512_set1_ps(x)}; }
RAYO_INLINE Vec<double> broadcast(double x) { return {_mm512_set1_pd(x)}; }
RAYO_INLINE Vec<int32_t> broadcast(int32_t x) { return {_mm512_set1_epi32(x)}; }
RAYO_INLINE Vec<int64_t> broadcast(int64_t x) { return {_mm512_set1_epi64(x)}; }

RAYO_INLINE __mmask16 first_32(int n) { return static_cast<__mmask16>((1u << n) - 1u); }
RAYO_INLINE __mmask8 first_64(int n) { return static_cast<__mmask8>((1u << n) - 1u); }

RAYO_INLINE Vec<float> load(const float *p) { return {_mm512_loadu_ps(p)}; }
RAYO_INLINE void store(float *p, Vec<float> a) { _mm512_storeu_ps(p, a.v); }
RAYO_INLINE Vec<float> load_n(const float *p, int n, float fill) {
  return {_mm512_mask_loadu_ps(_mm512_set1_ps(fill), first_32(n), p)};
}
RAYO_INLINE void store_n(float *p, Vec<float> a, int n) { _mm512_mask_storeu_ps(p, first_32(n), a.v); }
RAYO_INLINE void stream(float *p, Vec<float> a) { _mm512_stream_ps(p, a.v); }
RAYO_INLINE void stream_end() { _mm_sfence(); }
RAYO_INLINE float first_lane(Vec<float> a) { return _mm512_cvtss_f32(a.v); }
RAYO_INLINE Vec<float> operator+(Vec<float> a, Vec<float> b) { return {_mm512_add_ps(a.v, b.v)}; }
RAYO_INLINE Vec<float> operator-(Vec<float> a, Vec<float> b) { return {_mm512_sub_ps(a.v, b.v)}; }
RAYO_INLINE Vec<float> operator*(Vec<float> a, Vec<float> b) { return {_mm512_mul_ps(a.v, b.v)}; }
RAYO_INLINE Vec<float> operator/(Vec<float> a, Vec<float> b) { return {_mm512_div_ps(a.v, b.v)}; }
RAYO_INLINE Vec<float> operator&(Vec<float> a, Vec<float> b) { return {_mm512_and_ps(a.v, b.v)}; }
RAYO_INLINE Vec<float> operator|(Vec<float> a, Vec<float> b) { return {_mm512_or_ps(a.v, b.v)}; }
RAYO_INLINE Vec<float> operator^(Vec<float> a, Vec<float> b) { return {_mm512_xor_ps(a.v, b.v)}; }
RAYO_INLINE Vec<float> andnot(Vec<float> a, Vec<float> b) { return {_mm512_andnot_ps(b.v, a.v)}; }
RAYO_INLINE Vec<float> fma(Vec<float> a, Vec<float> b, Vec<float> c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }
RAYO_INLINE Vec<float> abs(Vec<float> a) { return andnot(a, broadcast(-0.0f)); }
RAYO_INLINE Vec<float> neg(Vec<float> a) { return a ^ broadcast(-0.0f); }
RAYO_INLINE Vec<float> round_even(Vec<float> a) {
  return {_mm512_roundscale_ps(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};
}
RAYO_INLINE Vec<float> floor(Vec<float> a) {
  return {_mm512_roundscale_ps(a.v, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC)};
}
RAYO_INLINE Vec<float> ceil(Vec<float> a) {
  return {_mm512_roundscale_ps(a.v, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC)};
}
RAYO_INLINE Mask<float> lt(Vec<float> a, Vec<float> b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_LT_OQ)}; }
RAYO_INLINE Mask<float> le(Vec<float> a, Vec<float> b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_LE_OQ)}; }
RAYO_INLINE Mask<float> gt(Vec<float> a, Vec<float> b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_GT_OQ)}; }
RAYO_INLINE Mask<float> ge(Vec<float> a, Vec<float> b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_GE_OQ)}; }
RAYO_INLINE Mask<float> eq(Vec<float> a, Vec<float> b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_EQ_OQ)}; }
RAYO_INLINE Mask<float> unord(Vec<float> a, Vec<float> b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_UNORD_Q)}; }
RAYO_INLINE Mask<float> operator&(Mask<float> a, Mask<float> b) { return {static_cast<__mmask16>(a.v & b.v)}; }
RAYO_INLINE Mask<float> operator|(Mask<float> a, Mask<float> b) { return {static_cast<__mmask16>(a.v | b.v)}; }
RAYO_INLINE bool any(Mask<float> m) { return m.v != 0; }
RAYO_INLINE bool all(Mask<float> m) { return m.v == 0xffff; }
RAYO_INLINE uint32_t mask_bits(Mask<float> m) { return m.v; }
RAYO_INLINE Vec<float> select(Mask<float> m, Vec<float> a, Vec<float> b) {
  return {_mm512_mask_blend_ps(m.v, b.v, a.v)};
}
// MINPS and MAXPS answer with their second operand when either is NaN or both are zero.
RAYO_INLINE Vec<float> at_most(Vec<float> x, Vec<float> b) { return {_mm512_min_ps(b.v, x.v)}; }
RAYO_INLINE Vec<float> at_least(Vec<float> x, Vec<float> b) { return {_mm512_max_ps(b.v, x.v)}; }
// VRANGEPS with imm 4 / 5: min / max by value, sign of the result kept, -0 below +0, a number preferred to a NaN.
RAYO_INLINE Vec<float> max_nan(Vec<float> a, Vec<float> b) {
  const __m512 m = _mm512_range_ps(a.v, b.v, 5);
  return {_mm512_mask_add_ps(m, unord(a, b).v, a.v, b.v)};
}
RAYO_INLINE Vec<float> min_nan(Vec<float> a, Vec<float> b) {
  const __m512 m = _mm512_range_ps(a.v, b.v, 4);
  return {_mm512_mask_add_ps(m, unord(a, b).v, a.v, b.v)};
}
// VSCALEFPS rounds once, below the normal range too.
RAYO_INLINE Vec<float> scale2(Vec<float> p, Vec<float> t) {
  return {_mm512_scalef_ps(p.v, (t - broadcast(kScaleMagic<float>)).v)};
}
RAYO_INLINE Vec<float> scale2_fma(Vec<float> q, Vec<float> r, Vec<float> t) {
  return scale2(fma(q, r, broadcast(1.0f)), t);
}

RAYO_INLINE Vec<double> load(const double *p) { return {_mm512_loadu_pd(p)}; }
RAYO_INLINE void store(double *p, Vec<double> a) { _mm512_storeu_pd(p, a.v); }
RAYO_INLINE Vec<double> load_n(const double *p, int n, double fill) {
  return {_mm512_mask_loadu_pd(_mm512_set1_pd(fill), first_64(n), p)};
}
RAYO_INLINE void store_n(double *p, Vec<double> a, int n) { _mm512_mask_storeu_pd(p, first_64(n), a.v); }
RAYO_INLINE void stream(double *p, Vec<double> a) { _mm512_stream_pd(p, a.v); }
RAYO_INLINE double first_lane(Vec<double> a) { return _mm512_cvtsd_f64(a.v); }
RAYO_INLINE Vec<double> operator+(Vec<double> a, Vec<double> b) { return {_mm512_add_pd(a.v, b.v)}; }
RAYO_INLINE Vec<double> operator-(Vec<double> a, Vec<double> b) { return {_mm512_sub_pd(a.v, b.v)}; }
RAYO_INLINE Vec<double> operator*(Vec<double> a, Vec<double> b) { return {_mm512_mul_pd(a.v, b.v)}; }
RAYO_INLINE Vec<double> operator/(Vec<double> a, Vec<double> b) { return {_mm512_div_pd(a.v, b.v)}; }
RAYO_INLINE Vec<double> operator&(Vec<double> a, Vec<double> b) { return {_mm512_and_pd(a.v, b.v)}; }
RAYO_INLINE Vec<double> operator|(Vec<double> a, Vec<double> b) { return {_mm512_or_pd(a.v, b.v)}; }
RAYO_INLINE Vec<double> operator^(Vec<double> a, Vec<double> b) { return {_mm512_xor_pd(a.v, b.v)}; }
RAYO_INLINE Vec<double> andnot(Vec<double> a, Vec<double> b) { return {_mm512_andnot_pd(b.v, a.v)}; }
RAYO_INLINE Vec<double> fma(Vec<double> a, Vec<double> b, Vec<double> c) { return {_mm512_fmadd_pd(a.v, b.v, c.v)}; }
RAYO_INLINE Vec<double> abs(Vec<double> a) { return andnot(a, broadcast(-0.0)); }
RAYO_INLINE Vec<double> neg(Vec<double> a) { return a ^ broadcast(-0.0); }
RAYO_INLINE Vec<double> round_even(Vec<double> a) {
  return {_mm512_roundscale_pd(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};
}
RAYO_INLINE Vec<double> floor(Vec<double> a) {
  return {_mm512_roundscale_pd(a.v, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC)};
}
RAYO_INLINE Vec<double> ceil(Vec<double> a) {
  return {_mm512_roundscale_pd(a.v, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC)};
}
RAYO_INLINE Mask<double> lt(Vec<double> a, Vec<double> b) { return {_mm512_cmp_pd_mask(a.v, b.v, _CMP_LT_OQ)}; }
RAYO_INLINE Mask<double> le(Vec<double> a, Vec<double> b) { return {_mm512_cmp_pd_mask(a.v, b.v, _CMP_LE_OQ)}; }
RAYO_INLINE Mask<double> gt(Vec<double> a, Vec<double> b) { return {_mm512_cmp_pd_mask(a.v, b.v, _CMP_GT_OQ)}; }
RAYO_INLINE Mask<double> ge(Vec<double> a, Vec<double> b) { return {_mm512_cmp_pd_mask(a.v, b.v, _CMP_GE_OQ)}; }
RAYO_INLINE Mask<double> eq(Vec<double> a, Vec<double> b) { return {_mm512_cmp_pd_mask(a.v, b.v, _CMP_EQ_OQ)}; }
RAYO_INLINE Mask<double> unord(Vec<double> a, Vec<double> b) { return {_mm512_cmp_pd_mask(a.v, b.v, _CMP_UNORD_Q)}; }
RAYO_INLINE Mask<double> operator&(Mask<double> a, Mask<double> b) { return {static_cast<__mmask8>(a.v & b.v)}; }
RAYO_INLINE Mask<double> operator|(Mask<double> a, Mask<double> b) { return {static_cast<__mmask8>(a.v | b.v)}; }
RAYO_INLINE bool any(Mask<double> m) { return m.v != 0; }
RAYO_INLINE bool all(Mask<double> m) { return m.v == 0xff; }
RAYO_INLINE uint32_t mask_bits(Mask<double> m) { return m.v; }
RAYO_INLINE Vec<double> select(Mask<double> m, Vec<double> a, Vec<double> b) {
  return {_mm512_mask_blend_pd(m.v, b.v, a.v)};
}
RAYO_INLINE Vec<double> at_most(Vec<double> x, Vec<double> b) { return {_mm512_min_pd(b.v, x.v)}; }
RAYO_INLINE Vec<double> at_least(Vec<double> x, Vec<double> b) { return {_mm512_max_pd(b.v, x.v)}; }
RAYO_INLINE Vec<double> max_nan(Vec<double> a, Vec<double> b) {
  const __m512d m = _mm512_range_pd(a.v, b.v, 5);
  return {_mm512_mask_add_pd(m, unord(a, b).v, a.v, b.v)};
}
RAYO_INLINE Vec<double> min_nan(Vec<double> a, Vec<double> b) {
  const __m512d m = _mm512_range_pd(a.v, b.v, 4);
  return {_mm512_mask_add_pd(m, unord(a, b).v, a.v, b.v)};
}
RAYO_INLINE Vec<double> scale2(Vec<double> p, Vec<double> t) {
  return {_mm512_scalef_pd(p.v, (t - broadcast(kScaleMagic<double>)).v)};
}
RAYO_INLINE Vec<double> scale2_fma(Vec<double> q, Vec<double> r, Vec<double> t) {
  return scale2(fma(q, r, broadcast(1.0)), t);
}

RAYO_INLINE Vec<int32_t> bits(Vec<float> a) { return {_mm512_castps_si512(a.v)}; }
RAYO_INLINE Vec<int64_t> bits(Vec<double> a) { return {_mm512_castpd_si512(a.v)}; }
template <class T>
RAYO_INLINE Vec<T> from_bits(Vec<typename IntOf<T>::type> a) {
  if constexpr (sizeof(T) == 4) {
    return {_mm512_castsi512_ps(a.v)};
  } else {
    return {_mm512_castsi512_pd(a.v)};
  }
}
RAYO_INLINE Vec<int32_t> operator+(Vec<int32_t> a, Vec<int32_t> b) { return {_mm512_add_epi32(a.v, b.v)}; }
RAYO_INLINE Vec<int64_t> operator+(Vec<int64_t> a, Vec<int64_t> b) { return {_mm512_add_epi64(a.v, b.v)}; }
RAYO_INLINE Vec<int32_t> operator-(Vec<int32_t> a, Vec<int32_t> b) { return {_mm512_sub_epi32(a.v, b.v)}; }
RAYO_INLINE Vec<int64_t> operator-(Vec<int64_t> a, Vec<int64_t> b) { return {_mm512_sub_epi64(a.v, b.v)}; }
RAYO_INLINE Vec<int32_t> operator&(Vec<int32_t> a, Vec<int32_t> b) { return {_mm512_and_si512(a.v, b.v)}; }
RAYO_INLINE Vec<int64_t> operator&(Vec<int64_t> a, Vec<int64_t> b) { return {_mm512_and_si512(a.v, b.v)}; }
template <int K>
RAYO_INLINE Vec<int32_t> shl(Vec<int32_t> a) {
  return {_mm512_slli_epi32(a.v, K)};
}
template <int K>
RAYO_INLINE Vec<int64_t> shl(Vec<int64_t> a) {
  return {_mm512_slli_epi64(a.v, K)};
}
template <int K>
RAYO_INLINE Vec<int32_t> srl(Vec<int32_t> a) {
  return {_mm512_srli_epi32(a.v, K)};
}
template <int K>
RAYO_INLINE Vec<int64_t> srl(Vec<int64_t> a) {
  return {_mm512_srli_epi64(a.v, K)};
}
template <int K>
RAYO_INLINE Vec<int32_t> sra(Vec<int32_t> a) {
  return {_mm512_srai_epi32(a.v, K)};
}
RAYO_INLINE Vec<float> to_real(Vec<int32_t> a) { return {_mm512_cvtepi32_ps(a.v)}; }

// Square roots by multiplications, correctly rounded like VSQRT, which takes 1.4 (f32) and 2.1 (f64) times as long.
// From y = 1/sqrt(a) (1 + e), |e| <= 2^-14, Newton's steps make s near sqrt(a) and h near 1/(2 sqrt(a)), in error by at
// most 1.1 and 0.8 ULP in f64, 1.1 each in f32; s + h (a - s^2) with the difference exact rounds right unless sqrt(a)
// lies within about 2^-53 ULP (f64) of the middle of two numbers. For f32 every such s and h was tried for every
// mantissa, for f64 for every a whose root is that near (a 2^k - m^2 below 64 in size, m odd): all are right but for
// mantissas within 4 (f64) or 2 units of a power of two. Those, and numbers that are not in the middle of the range, go
// to the instruction.
RAYO_INLINE bool needs_sqrt_instruction(__m512 a) {
  const __m512i bits = _mm512_castps_si512(a);
  const __m512i lowest = _mm512_set1_epi32(0x0d800000);  // 2^-100
  const __mmask16 far =
      _mm512_cmpge_epu32_mask(_mm512_sub_epi32(bits, lowest), _mm512_set1_epi32(0x7f800000 - 0x0d800000));
  const __mmask16 near_power =
      _mm512_testn_epi32_mask(_mm512_add_epi32(bits, _mm512_set1_epi32(2)), _mm512_set1_epi32(0x7ffffc));
  return (far | near_power) != 0;
}
RAYO_INLINE bool needs_sqrt_instruction(__m512d a) {
  const __m512i bits = _mm512_castpd_si512(a);
  const __m512i lowest = _mm512_set1_epi64(0x2000000000000000);  // 2^-511
  const __mmask8 far = _mm512_cmpge_epu64_mask(_mm512_sub_epi64(bits, lowest),
                                               _mm512_set1_epi64(0x7ff0000000000000 - 0x2000000000000000));
  const __mmask8 near_power =
      _mm512_testn_epi64_mask(_mm512_add_epi64(bits, _mm512_set1_epi64(4)), _mm512_set1_epi64(0xffffffffffff8));
  return (far | near_power) != 0;
}
/// c - a b with one rounding.
RAYO_INLINE Vec<float> fnma(Vec<float> a, Vec<float> b, Vec<float> c) { return {_mm512_fnmadd_ps(a.v, b.v, c.v)}; }
RAYO_INLINE Vec<double> fnma(Vec<double> a, Vec<double> b, Vec<double> c) { return {_mm512_fnmadd_pd(a.v, b.v, c.v)}; }
struct RootParts {
  Vec<float> root, half_inverse;
};
RAYO_INLINE RootParts newton_sqrt(Vec<float> a) {
  const Vec<float> half = broadcast(0.5f), y = {_mm512_rsqrt14_ps(a.v)};
  Vec<float> s = a * y, h = y * half;
  const Vec<float> e = fnma(s, h, half);
  s = fma(s, e, s);
  h = fma(h, e, h);
  return {fma(fnma(s, s, a), h, s), h};
}
RAYO_INLINE Vec<float> sqrt(Vec<float> a) {
  if (needs_sqrt_instruction(a.v)) [[unlikely]]
    return {_mm512_sqrt_ps(a.v)};
  return newton_sqrt(a).root;
}
/// 1 / sqrt(a), both rounded. Two steps from 2h give the quotient within half an ULP and a little; the second then
/// rounds right unless the root's mantissa is all ones, which is among those that the instruction serves.
RAYO_INLINE Vec<float> rsqrt(Vec<float> a) {
  const Vec<float> one = broadcast(1.0f);
  if (needs_sqrt_instruction(a.v)) [[unlikely]]
    return one / Vec<float>{_mm512_sqrt_ps(a.v)};
  const RootParts parts = newton_sqrt(a);
  Vec<float> r = parts.half_inverse + parts.half_inverse;
  r = fma(r, fnma(parts.root, r, one), r);
  return fma(r, fnma(parts.root, r, one), r);
}
RAYO_INLINE Vec<double> sqrt(Vec<double> a) {
  if (needs_sqrt_instruction(a.v)) [[unlikely]]
    return {_mm512_sqrt_pd(a.v)};
  const Vec<double> half = broadcast(0.5), y = {_mm512_rsqrt14_pd(a.v)};
  Vec<double> s = a * y, h = y * half;
#pragma GCC unroll 2
  for (int step = 0; step < 2; ++step) {
    const Vec<double> e = fnma(s, h, half);
    s = fma(s, e, s);
    h = fma(h, e, h);
  }
  h = fma(h, fnma(s, h, half), h);
  return fma(fnma(s, s, a), h, s);
}

template <int H>
RAYO_INLINE Vec<float> swap_lanes(Vec<float> a) {
  if constexpr (H == 8) return {_mm512_shuffle_f32x4(a.v, a.v, 0x4e)};
  if constexpr (H == 4) return {_mm512_shuffle_f32x4(a.v, a.v, 0xb1)};
  if constexpr (H == 2) return {_mm512_permute_ps(a.v, 0x4e)};
  if constexpr (H == 1) return {_mm512_permute_ps(a.v, 0xb1)};
}
template <int H>
RAYO_INLINE Vec<double> swap_lanes(Vec<double> a) {
  if constexpr (H == 4) return {_mm512_shuffle_f64x2(a.v, a.v, 0x4e)};
  if constexpr (H == 2) return {_mm512_shuffle_f64x2(a.v, a.v, 0xb1)};
  if constexpr (H == 1) return {_mm512_permute_pd(a.v, 0x55)};
}

template <int H>
RAYO_INLINE Vec<float> mix_lanes(Vec<float> a, Vec<float> b) {
  return {_mm512_mask_blend_ps(H == 8 ? 0xff00 : (H == 4 ? 0xf0f0 : (H == 2 ? 0xcccc : 0xaaaa)), a.v, b.v)};
}
template <int H>
RAYO_INLINE Vec<double> mix_lanes(Vec<double> a, Vec<double> b) {
  return {_mm512_mask_blend_pd(H == 4 ? 0xf0 : (H == 2 ? 0xcc : 0xaa), a.v, b.v)};
}

RAYO_INLINE Vec<int32_t> load_pairs(const int32_t *p) { return {_mm512_loadu_si512(p)}; }
RAYO_INLINE void store_pairs(int32_t *p, Vec<int32_t> a) { _mm512_storeu_si512(p, a.v); }
RAYO_INLINE Vec<int32_t> add_pairs(Vec<int32_t> acc, Vec<int32_t> a, Vec<int32_t> b) {
  return {_mm512_add_epi32(acc.v, _mm512_madd_epi16(a.v, b.v))};
}

RAYO_INLINE Vec<double> widen_low(Vec<float> a) { return {_mm512_cvtps_pd(_mm512_castps512_ps256(a.v))}; }
RAYO_INLINE Vec<double> widen_high(Vec<float> a) { return {_mm512_cvtps_pd(_mm512_extractf32x8_ps(a.v, 1))}; }
RAYO_INLINE Vec<float> narrow(Vec<double> low, Vec<double> high) {
  return {_mm512_insertf32x8(_mm512_castps256_ps512(_mm512_cvtpd_ps(low.v)), _mm512_cvtpd_ps(high.v), 1)};
}
template <class T>
RAYO_INLINE Vec<T> load_bytes(const uint8_t *p) {
  if constexpr (sizeof(T) == 4) {
    return {_mm512_castsi512_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i *>(p))))};
  } else {
    return {_mm512_castsi512_pd(_mm512_cvtepu8_epi64(_mm_loadl_epi64(reinterpret_cast<const __m128i *>(p))))};
  }
}

// A row is a cache line, read whole: rows that lie a multiple of 4 KiB apart share a set, which holds fewer of them.
template <class T>
inline constexpr int kLoadColumns = static_cast<int>(64 / sizeof(T));
/// The 32 bytes at p and those at q as one register: a load and a load that blends, no shuffle.
RAYO_INLINE __m512 load_halves_512(const float *p, const float *q) {
  return _mm512_insertf32x8(_mm512_castps256_ps512(_mm256_loadu_ps(p)), _mm256_loadu_ps(q), 1);
}
/// Shuffle port bound: 48 shuffles per 256 floats.
RAYO_INLINE void load_columns(const float *s, int64_t ls, Vec<float> (&c)[16]) {
  // r[h][i]: columns 8h .. 8h + 7 of rows i and i + 4 (i < 4), of i + 4 and i + 8 (i >= 4).
  __m512 r[2][8], t[8], u[8];
#pragma GCC unroll 8
  for (int i = 0; i < 8; ++i) {
    const float *p = s + (i < 4 ? i : i + 4) * ls;
    r[0][i] = load_halves_512(p, p + 4 * ls);
    r[1][i] = load_halves_512(p + 8, p + 4 * ls + 8);
  }
#pragma GCC unroll 2
  for (int h = 0; h < 2; ++h) {
#pragma GCC unroll 4
    for (int i = 0; i < 8; i += 2) {
      t[i] = _mm512_unpacklo_ps(r[h][i], r[h][i + 1]);
      t[i + 1] = _mm512_unpackhi_ps(r[h][i], r[h][i + 1]);
    }
#pragma GCC unroll 2
    for (int i = 0; i < 8; i += 4) {
      u[i] = _mm512_shuffle_ps(t[i], t[i + 2], 0x44);
      u[i + 1] = _mm512_shuffle_ps(t[i], t[i + 2], 0xee);
      u[i + 2] = _mm512_shuffle_ps(t[i + 1], t[i + 3], 0x44);
      u[i + 3] = _mm512_shuffle_ps(t[i + 1], t[i + 3], 0xee);
    }
#pragma GCC unroll 4
    for (int k = 0; k < 4; ++k) {
      c[8 * h + k].v = _mm512_shuffle_f32x4(u[k], u[4 + k], 0x88);
      c[8 * h + 4 + k].v = _mm512_shuffle_f32x4(u[k], u[4 + k], 0xdd);
    }
  }
}
RAYO_INLINE void load_columns(const double *s, int64_t ls, Vec<double> (&c)[8]) {
  __m512d t[8];
#pragma GCC unroll 4
  for (int i = 0; i < 8; i += 2) {
    const __m512d a = _mm512_loadu_pd(s + i * ls), b = _mm512_loadu_pd(s + (i + 1) * ls);
    t[i] = _mm512_unpacklo_pd(a, b);
    t[i + 1] = _mm512_unpackhi_pd(a, b);
  }
#pragma GCC unroll 2
  for (int k = 0; k < 2; ++k) {
    const __m512d a = _mm512_shuffle_f64x2(t[k], t[2 + k], 0x44), b = _mm512_shuffle_f64x2(t[k], t[2 + k], 0xee);
    const __m512d d = _mm512_shuffle_f64x2(t[4 + k], t[6 + k], 0x44);
    const __m512d e = _mm512_shuffle_f64x2(t[4 + k], t[6 + k], 0xee);
    c[k].v = _mm512_shuffle_f64x2(a, d, 0x88);
    c[2 + k].v = _mm512_shuffle_f64x2(a, d, 0xdd);
    c[4 + k].v = _mm512_shuffle_f64x2(b, e, 0x88);
    c[6 + k].v = _mm512_shuffle_f64x2(b, e, 0xdd);
  }
}

RAYO_ISA_END

#endif  // RAYO_SIMD_AVX512_H
