// SPDX-License-Identifier: Apache-2.0
//
// The vector contract (vec.h) on AVX2 and FMA: 8 floats, 4 doubles.
#ifndef RAYO_SIMD_AVX2_H
#define RAYO_SIMD_AVX2_H

#include <immintrin.h>
#include <simd/vec.h>

#include <simd/transpose_x86.h>

RAYO_ISA_BEGIN

template <>
struct Vec<float> {
  using type = float;
  static constexpr int size = 8;
  __m256 v;
};
template <>
struct Vec<double> {
  using type = double;
  static constexpr int size = 4;
  __m256d v;
};
template <>
struct Vec<int32_t> {
  using type = int32_t;
  static constexpr int size = 8;
  __m256i v;
};
template <>
struct Vec<int64_t> {
  using type = int64_t;
  static constexpr int size = 4;
  __m256i v;
};
template <>
struct Mask<float> {
  __m256 v;
};
template <>
struct Mask<double> {
  __m256d v;
};

RAYO_INLINE Vec<float> broadcast(float x) { return {_mm256_set1_ps(x)}; }
RAYO_INLINE Vec<double> broadcast(double x) { return {_mm256_set1_pd(x)}; }
RAYO_INLINE Vec<int32_t> broadcast(int32_t x) { return {_mm256_set1_epi32(x)}; }
RAYO_INLINE Vec<int64_t> broadcast(int64_t x) { return {_mm256_set1_epi64x(x)}; }

RAYO_INLINE Vec<float> load(const float *p) { return {_mm256_loadu_ps(p)}; }
RAYO_INLINE Vec<double> load(const double *p) { return {_mm256_loadu_pd(p)}; }
RAYO_INLINE void store(float *p, Vec<float> a) { _mm256_storeu_ps(p, a.v); }
RAYO_INLINE void store(double *p, Vec<double> a) { _mm256_storeu_pd(p, a.v); }

/// Lanes below n as all-ones integers.
RAYO_INLINE __m256i first_32(int n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
RAYO_INLINE __m256i first_64(int n) {
  return _mm256_cmpgt_epi64(_mm256_set1_epi64x(n), _mm256_setr_epi64x(0, 1, 2, 3));
}
RAYO_INLINE Vec<float> load_n(const float *p, int n, float fill) {
  const __m256i m = first_32(n);
  return {_mm256_blendv_ps(_mm256_set1_ps(fill), _mm256_maskload_ps(p, m), _mm256_castsi256_ps(m))};
}
RAYO_INLINE Vec<double> load_n(const double *p, int n, double fill) {
  const __m256i m = first_64(n);
  return {_mm256_blendv_pd(_mm256_set1_pd(fill), _mm256_maskload_pd(p, m), _mm256_castsi256_pd(m))};
}
// In parts: on AMD up to Zen 4 a masked store is microcode, tens of cycles. By memcpy: an element may lie at any
// address, which _mm_store_ss and its like do not allow.
RAYO_INLINE void store_n(float *p, Vec<float> a, int n) {
  __m128 x = _mm256_castps256_ps128(a.v);
  if (n >= 4) {
    _mm_storeu_ps(p, x);
    x = _mm256_extractf128_ps(a.v, 1);
    p += 4;
  }
  if (n == 8) _mm_storeu_ps(p, x);
  if ((n & 2) != 0) {
    const double two = _mm_cvtsd_f64(_mm_castps_pd(x));
    __builtin_memcpy(p, &two, sizeof two);
    x = _mm_movehl_ps(x, x);
    p += 2;
  }
  if ((n & 1) != 0) {
    const float one = _mm_cvtss_f32(x);
    __builtin_memcpy(p, &one, sizeof one);
  }
}
RAYO_INLINE void store_n(double *p, Vec<double> a, int n) {
  __m128d x = _mm256_castpd256_pd128(a.v);
  if (n >= 2) {
    _mm_storeu_pd(p, x);
    x = _mm256_extractf128_pd(a.v, 1);
    p += 2;
  }
  if (n == 4) _mm_storeu_pd(p, x);
  if ((n & 1) != 0) {
    const double one = _mm_cvtsd_f64(x);
    __builtin_memcpy(p, &one, sizeof one);
  }
}
RAYO_INLINE void stream(float *p, Vec<float> a) { _mm256_stream_ps(p, a.v); }
RAYO_INLINE void stream_end() { _mm_sfence(); }
RAYO_INLINE float first_lane(Vec<float> a) { return _mm256_cvtss_f32(a.v); }
RAYO_INLINE void stream(double *p, Vec<double> a) { _mm256_stream_pd(p, a.v); }
RAYO_INLINE double first_lane(Vec<double> a) { return _mm256_cvtsd_f64(a.v); }

RAYO_INLINE Vec<float> operator+(Vec<float> a, Vec<float> b) { return {_mm256_add_ps(a.v, b.v)}; }
RAYO_INLINE Vec<float> operator-(Vec<float> a, Vec<float> b) { return {_mm256_sub_ps(a.v, b.v)}; }
RAYO_INLINE Vec<float> operator*(Vec<float> a, Vec<float> b) { return {_mm256_mul_ps(a.v, b.v)}; }
RAYO_INLINE Vec<float> operator/(Vec<float> a, Vec<float> b) { return {_mm256_div_ps(a.v, b.v)}; }
RAYO_INLINE Vec<float> operator&(Vec<float> a, Vec<float> b) { return {_mm256_and_ps(a.v, b.v)}; }
RAYO_INLINE Vec<float> operator|(Vec<float> a, Vec<float> b) { return {_mm256_or_ps(a.v, b.v)}; }
RAYO_INLINE Vec<float> operator^(Vec<float> a, Vec<float> b) { return {_mm256_xor_ps(a.v, b.v)}; }
RAYO_INLINE Vec<float> andnot(Vec<float> a, Vec<float> b) { return {_mm256_andnot_ps(b.v, a.v)}; }
RAYO_INLINE Vec<float> fma(Vec<float> a, Vec<float> b, Vec<float> c) { return {_mm256_fmadd_ps(a.v, b.v, c.v)}; }
RAYO_INLINE Vec<float> sqrt(Vec<float> a) { return {_mm256_sqrt_ps(a.v)}; }
RAYO_INLINE Vec<float> abs(Vec<float> a) { return andnot(a, broadcast(-0.0f)); }
RAYO_INLINE Vec<float> neg(Vec<float> a) { return a ^ broadcast(-0.0f); }
RAYO_INLINE Vec<float> round_even(Vec<float> a) {
  return {_mm256_round_ps(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};
}
RAYO_INLINE Vec<float> floor(Vec<float> a) { return {_mm256_floor_ps(a.v)}; }
RAYO_INLINE Vec<float> ceil(Vec<float> a) { return {_mm256_ceil_ps(a.v)}; }
RAYO_INLINE Mask<float> lt(Vec<float> a, Vec<float> b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_LT_OQ)}; }
RAYO_INLINE Mask<float> le(Vec<float> a, Vec<float> b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_LE_OQ)}; }
RAYO_INLINE Mask<float> gt(Vec<float> a, Vec<float> b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_GT_OQ)}; }
RAYO_INLINE Mask<float> ge(Vec<float> a, Vec<float> b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_GE_OQ)}; }
RAYO_INLINE Mask<float> eq(Vec<float> a, Vec<float> b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_EQ_OQ)}; }
RAYO_INLINE Mask<float> unord(Vec<float> a, Vec<float> b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_UNORD_Q)}; }
RAYO_INLINE Mask<float> operator&(Mask<float> a, Mask<float> b) { return {_mm256_and_ps(a.v, b.v)}; }
RAYO_INLINE Mask<float> operator|(Mask<float> a, Mask<float> b) { return {_mm256_or_ps(a.v, b.v)}; }
RAYO_INLINE bool any(Mask<float> m) { return _mm256_movemask_ps(m.v) != 0; }
RAYO_INLINE bool all(Mask<float> m) { return _mm256_movemask_ps(m.v) == 0xff; }
RAYO_INLINE uint32_t mask_bits(Mask<float> m) { return static_cast<uint32_t>(_mm256_movemask_ps(m.v)); }
RAYO_INLINE Vec<float> select(Mask<float> m, Vec<float> a, Vec<float> b) { return {_mm256_blendv_ps(b.v, a.v, m.v)}; }
// MINPS and MAXPS answer with their second operand when either is NaN or both are zero. In both orders and joined by
// `or` a NaN stays one (its exponent is all ones, and some bit of its fraction is set) and -0 is below +0, as min
// wants; max joins by `and`, and sets all bits where an operand is NaN.
RAYO_INLINE Vec<float> at_most(Vec<float> x, Vec<float> b) { return {_mm256_min_ps(b.v, x.v)}; }
RAYO_INLINE Vec<float> at_least(Vec<float> x, Vec<float> b) { return {_mm256_max_ps(b.v, x.v)}; }
RAYO_INLINE Vec<float> max_nan(Vec<float> a, Vec<float> b) {
  const Vec<float> m = {_mm256_and_ps(_mm256_max_ps(a.v, b.v), _mm256_max_ps(b.v, a.v))};
  return m | Vec<float>{unord(a, b).v};
}
RAYO_INLINE Vec<float> min_nan(Vec<float> a, Vec<float> b) {
  return {_mm256_or_ps(_mm256_min_ps(a.v, b.v), _mm256_min_ps(b.v, a.v))};
}

RAYO_INLINE Vec<double> operator+(Vec<double> a, Vec<double> b) { return {_mm256_add_pd(a.v, b.v)}; }
RAYO_INLINE Vec<double> operator-(Vec<double> a, Vec<double> b) { return {_mm256_sub_pd(a.v, b.v)}; }
RAYO_INLINE Vec<double> operator*(Vec<double> a, Vec<double> b) { return {_mm256_mul_pd(a.v, b.v)}; }
RAYO_INLINE Vec<double> operator/(Vec<double> a, Vec<double> b) { return {_mm256_div_pd(a.v, b.v)}; }
RAYO_INLINE Vec<double> operator&(Vec<double> a, Vec<double> b) { return {_mm256_and_pd(a.v, b.v)}; }
RAYO_INLINE Vec<double> operator|(Vec<double> a, Vec<double> b) { return {_mm256_or_pd(a.v, b.v)}; }
RAYO_INLINE Vec<double> operator^(Vec<double> a, Vec<double> b) { return {_mm256_xor_pd(a.v, b.v)}; }
RAYO_INLINE Vec<double> andnot(Vec<double> a, Vec<double> b) { return {_mm256_andnot_pd(b.v, a.v)}; }
RAYO_INLINE Vec<double> fma(Vec<double> a, Vec<double> b, Vec<double> c) { return {_mm256_fmadd_pd(a.v, b.v, c.v)}; }
RAYO_INLINE Vec<double> sqrt(Vec<double> a) { return {_mm256_sqrt_pd(a.v)}; }
RAYO_INLINE Vec<double> abs(Vec<double> a) { return andnot(a, broadcast(-0.0)); }
RAYO_INLINE Vec<double> neg(Vec<double> a) { return a ^ broadcast(-0.0); }
RAYO_INLINE Vec<double> round_even(Vec<double> a) {
  return {_mm256_round_pd(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};
}
RAYO_INLINE Vec<double> floor(Vec<double> a) { return {_mm256_floor_pd(a.v)}; }
RAYO_INLINE Vec<double> ceil(Vec<double> a) { return {_mm256_ceil_pd(a.v)}; }
RAYO_INLINE Mask<double> lt(Vec<double> a, Vec<double> b) { return {_mm256_cmp_pd(a.v, b.v, _CMP_LT_OQ)}; }
RAYO_INLINE Mask<double> le(Vec<double> a, Vec<double> b) { return {_mm256_cmp_pd(a.v, b.v, _CMP_LE_OQ)}; }
RAYO_INLINE Mask<double> gt(Vec<double> a, Vec<double> b) { return {_mm256_cmp_pd(a.v, b.v, _CMP_GT_OQ)}; }
RAYO_INLINE Mask<double> ge(Vec<double> a, Vec<double> b) { return {_mm256_cmp_pd(a.v, b.v, _CMP_GE_OQ)}; }
RAYO_INLINE Mask<double> eq(Vec<double> a, Vec<double> b) { return {_mm256_cmp_pd(a.v, b.v, _CMP_EQ_OQ)}; }
RAYO_INLINE Mask<double> unord(Vec<double> a, Vec<double> b) { return {_mm256_cmp_pd(a.v, b.v, _CMP_UNORD_Q)}; }
RAYO_INLINE Mask<double> operator&(Mask<double> a, Mask<double> b) { return {_mm256_and_pd(a.v, b.v)}; }
RAYO_INLINE Mask<double> operator|(Mask<double> a, Mask<double> b) { return {_mm256_or_pd(a.v, b.v)}; }
RAYO_INLINE bool any(Mask<double> m) { return _mm256_movemask_pd(m.v) != 0; }
RAYO_INLINE bool all(Mask<double> m) { return _mm256_movemask_pd(m.v) == 0xf; }
RAYO_INLINE uint32_t mask_bits(Mask<double> m) { return static_cast<uint32_t>(_mm256_movemask_pd(m.v)); }
RAYO_INLINE Vec<double> select(Mask<double> m, Vec<double> a, Vec<double> b) {
  return {_mm256_blendv_pd(b.v, a.v, m.v)};
}
RAYO_INLINE Vec<double> at_most(Vec<double> x, Vec<double> b) { return {_mm256_min_pd(b.v, x.v)}; }
RAYO_INLINE Vec<double> at_least(Vec<double> x, Vec<double> b) { return {_mm256_max_pd(b.v, x.v)}; }
RAYO_INLINE Vec<double> max_nan(Vec<double> a, Vec<double> b) {
  const Vec<double> m = {_mm256_and_pd(_mm256_max_pd(a.v, b.v), _mm256_max_pd(b.v, a.v))};
  return m | Vec<double>{unord(a, b).v};
}
RAYO_INLINE Vec<double> min_nan(Vec<double> a, Vec<double> b) {
  return {_mm256_or_pd(_mm256_min_pd(a.v, b.v), _mm256_min_pd(b.v, a.v))};
}

RAYO_INLINE Vec<int32_t> bits(Vec<float> a) { return {_mm256_castps_si256(a.v)}; }
RAYO_INLINE Vec<int64_t> bits(Vec<double> a) { return {_mm256_castpd_si256(a.v)}; }
template <class T>
RAYO_INLINE Vec<T> from_bits(Vec<typename IntOf<T>::type> a) {
  if constexpr (sizeof(T) == 4) {
    return {_mm256_castsi256_ps(a.v)};
  } else {
    return {_mm256_castsi256_pd(a.v)};
  }
}
RAYO_INLINE Vec<int32_t> operator+(Vec<int32_t> a, Vec<int32_t> b) { return {_mm256_add_epi32(a.v, b.v)}; }
RAYO_INLINE Vec<int64_t> operator+(Vec<int64_t> a, Vec<int64_t> b) { return {_mm256_add_epi64(a.v, b.v)}; }
RAYO_INLINE Vec<int32_t> operator-(Vec<int32_t> a, Vec<int32_t> b) { return {_mm256_sub_epi32(a.v, b.v)}; }
RAYO_INLINE Vec<int64_t> operator-(Vec<int64_t> a, Vec<int64_t> b) { return {_mm256_sub_epi64(a.v, b.v)}; }
RAYO_INLINE Vec<int32_t> operator&(Vec<int32_t> a, Vec<int32_t> b) { return {_mm256_and_si256(a.v, b.v)}; }
RAYO_INLINE Vec<int64_t> operator&(Vec<int64_t> a, Vec<int64_t> b) { return {_mm256_and_si256(a.v, b.v)}; }
template <int K>
RAYO_INLINE Vec<int32_t> shl(Vec<int32_t> a) {
  return {_mm256_slli_epi32(a.v, K)};
}
template <int K>
RAYO_INLINE Vec<int64_t> shl(Vec<int64_t> a) {
  return {_mm256_slli_epi64(a.v, K)};
}
template <int K>
RAYO_INLINE Vec<int32_t> srl(Vec<int32_t> a) {
  return {_mm256_srli_epi32(a.v, K)};
}
template <int K>
RAYO_INLINE Vec<int64_t> srl(Vec<int64_t> a) {
  return {_mm256_srli_epi64(a.v, K)};
}
template <int K>
RAYO_INLINE Vec<int32_t> sra(Vec<int32_t> a) {
  return {_mm256_srai_epi32(a.v, K)};
}
RAYO_INLINE Vec<float> to_real(Vec<int32_t> a) { return {_mm256_cvtepi32_ps(a.v)}; }

template <int H>
RAYO_INLINE Vec<float> swap_lanes(Vec<float> a) {
  if constexpr (H == 4) return {_mm256_permute2f128_ps(a.v, a.v, 1)};
  if constexpr (H == 2) return {_mm256_permute_ps(a.v, 0x4e)};
  if constexpr (H == 1) return {_mm256_permute_ps(a.v, 0xb1)};
}
template <int H>
RAYO_INLINE Vec<double> swap_lanes(Vec<double> a) {
  if constexpr (H == 2) return {_mm256_permute2f128_pd(a.v, a.v, 1)};
  if constexpr (H == 1) return {_mm256_permute_pd(a.v, 0x5)};
}

template <int H>
RAYO_INLINE Vec<float> mix_lanes(Vec<float> a, Vec<float> b) {
  return {_mm256_blend_ps(a.v, b.v, H == 4 ? 0xf0 : (H == 2 ? 0xcc : 0xaa))};
}
template <int H>
RAYO_INLINE Vec<double> mix_lanes(Vec<double> a, Vec<double> b) {
  return {_mm256_blend_pd(a.v, b.v, H == 2 ? 0xc : 0xa)};
}

RAYO_INLINE Vec<int32_t> load_pairs(const int32_t *p) {
  return {_mm256_loadu_si256(reinterpret_cast<const __m256i *>(p))};
}
RAYO_INLINE void store_pairs(int32_t *p, Vec<int32_t> a) { _mm256_storeu_si256(reinterpret_cast<__m256i *>(p), a.v); }
RAYO_INLINE Vec<int32_t> add_pairs(Vec<int32_t> acc, Vec<int32_t> a, Vec<int32_t> b) {
  return {_mm256_add_epi32(acc.v, _mm256_madd_epi16(a.v, b.v))};
}

RAYO_INLINE Vec<double> widen_low(Vec<float> a) { return {_mm256_cvtps_pd(_mm256_castps256_ps128(a.v))}; }
RAYO_INLINE Vec<double> widen_high(Vec<float> a) { return {_mm256_cvtps_pd(_mm256_extractf128_ps(a.v, 1))}; }
RAYO_INLINE Vec<float> narrow(Vec<double> low, Vec<double> high) {
  return {_mm256_set_m128(_mm256_cvtpd_ps(high.v), _mm256_cvtpd_ps(low.v))};
}
template <class T>
RAYO_INLINE Vec<T> load_bytes(const uint8_t *p) {
  int64_t b = 0;
  __builtin_memcpy(&b, p, Vec<T>::size);
  const __m128i x = _mm_cvtsi64_si128(b);
  if constexpr (sizeof(T) == 4) {
    return {_mm256_castsi256_ps(_mm256_cvtepu8_epi32(x))};
  } else {
    return {_mm256_castsi256_pd(_mm256_cvtepu8_epi64(x))};
  }
}

template <class T>
inline constexpr int kLoadColumns = static_cast<int>(16 / sizeof(T));
RAYO_INLINE void load_columns(const float *s, int64_t ls, Vec<float> (&c)[4]) {
  __m256 columns[4];
  load_columns_256(s, ls, columns);
  for (int i = 0; i < 4; ++i) c[i].v = columns[i];
}
RAYO_INLINE void load_columns(const double *s, int64_t ls, Vec<double> (&c)[2]) {
  __m256d columns[2];
  load_columns_256(s, ls, columns);
  for (int i = 0; i < 2; ++i) c[i].v = columns[i];
}

RAYO_ISA_END

#endif  // RAYO_SIMD_AVX2_H
