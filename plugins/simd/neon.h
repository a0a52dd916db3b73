// SPDX-License-Identifier: Apache-2.0
//
// The vector contract (vec.h) on AArch64 Advanced SIMD: 4 floats, 2 doubles. FMA is in the base instruction set; FPCR
// is left as found (no flush to zero).
#ifndef RAYO_SIMD_NEON_H
#define RAYO_SIMD_NEON_H

#include <arm_neon.h>
#include <simd/vec.h>
#include <stddef.h>

RAYO_ISA_BEGIN

template <>
struct Vec<float> {
  using type = float;
  static constexpr int size = 4;
  float32x4_t v;
};
template <>
struct Vec<double> {
  using type = double;
  static constexpr int size = 2;
  float64x2_t v;
};
template <>
struct Vec<int32_t> {
  using type = int32_t;
  static constexpr int size = 4;
  int32x4_t v;
};
template <>
struct Vec<int64_t> {
  using type = int64_t;
  static constexpr int size = 2;
  int64x2_t v;
};
template <>
struct Mask<float> {
  uint32x4_t v;
};
template <>
struct Mask<double> {
  uint64x2_t v;
};
template <class T>
inline constexpr int kTile = static_cast<int>(16 / sizeof(T));

RAYO_INLINE Vec<float> broadcast(float x) { return {vdupq_n_f32(x)}; }
RAYO_INLINE Vec<double> broadcast(double x) { return {vdupq_n_f64(x)}; }
RAYO_INLINE Vec<int32_t> broadcast(int32_t x) { return {vdupq_n_s32(x)}; }
RAYO_INLINE Vec<int64_t> broadcast(int64_t x) { return {vdupq_n_s64(x)}; }

RAYO_INLINE Vec<float> load(const float *p) { return {vld1q_f32(p)}; }
RAYO_INLINE Vec<double> load(const double *p) { return {vld1q_f64(p)}; }
RAYO_INLINE void store(float *p, Vec<float> a) { vst1q_f32(p, a.v); }
RAYO_INLINE void store(double *p, Vec<double> a) { vst1q_f64(p, a.v); }
// No masked memory access here: the ends go through a register image on the stack.
template <class T>
RAYO_INLINE Vec<T> load_n(const T *p, int n, T fill) {
  T image[Vec<T>::size];
  for (int i = 0; i < Vec<T>::size; ++i) image[i] = fill;
  __builtin_memcpy(image, p, static_cast<size_t>(n) * sizeof(T));
  return load(image);
}
template <class T>
RAYO_INLINE void store_n(T *p, Vec<T> a, int n) {
  T image[Vec<T>::size];
  store(image, a);
  __builtin_memcpy(p, image, static_cast<size_t>(n) * sizeof(T));
}

RAYO_INLINE void stream(float *p, Vec<float> a) { vst1q_f32(p, a.v); }
RAYO_INLINE void stream_end() {}
RAYO_INLINE float first_lane(Vec<float> a) { return vgetq_lane_f32(a.v, 0); }
RAYO_INLINE Vec<float> operator+(Vec<float> a, Vec<float> b) { return {vaddq_f32(a.v, b.v)}; }
RAYO_INLINE Vec<float> operator-(Vec<float> a, Vec<float> b) { return {vsubq_f32(a.v, b.v)}; }
RAYO_INLINE Vec<float> operator*(Vec<float> a, Vec<float> b) { return {vmulq_f32(a.v, b.v)}; }
RAYO_INLINE Vec<float> operator/(Vec<float> a, Vec<float> b) { return {vdivq_f32(a.v, b.v)}; }
RAYO_INLINE Vec<float> operator&(Vec<float> a, Vec<float> b) {
  return {vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(a.v), vreinterpretq_u32_f32(b.v)))};
}
RAYO_INLINE Vec<float> operator|(Vec<float> a, Vec<float> b) {
  return {vreinterpretq_f32_u32(vorrq_u32(vreinterpretq_u32_f32(a.v), vreinterpretq_u32_f32(b.v)))};
}
RAYO_INLINE Vec<float> operator^(Vec<float> a, Vec<float> b) {
  return {vreinterpretq_f32_u32(veorq_u32(vreinterpretq_u32_f32(a.v), vreinterpretq_u32_f32(b.v)))};
}
RAYO_INLINE Vec<float> andnot(Vec<float> a, Vec<float> b) {
  return {vreinterpretq_f32_u32(vbicq_u32(vreinterpretq_u32_f32(a.v), vreinterpretq_u32_f32(b.v)))};
}
RAYO_INLINE Vec<float> fma(Vec<float> a, Vec<float> b, Vec<float> c) { return {vfmaq_f32(c.v, a.v, b.v)}; }
RAYO_INLINE Vec<float> sqrt(Vec<float> a) { return {vsqrtq_f32(a.v)}; }
RAYO_INLINE Vec<float> abs(Vec<float> a) { return {vabsq_f32(a.v)}; }
RAYO_INLINE Vec<float> neg(Vec<float> a) { return {vnegq_f32(a.v)}; }
RAYO_INLINE Vec<float> round_even(Vec<float> a) { return {vrndnq_f32(a.v)}; }
RAYO_INLINE Vec<float> floor(Vec<float> a) { return {vrndmq_f32(a.v)}; }
RAYO_INLINE Vec<float> ceil(Vec<float> a) { return {vrndpq_f32(a.v)}; }
RAYO_INLINE Mask<float> lt(Vec<float> a, Vec<float> b) { return {vcltq_f32(a.v, b.v)}; }
RAYO_INLINE Mask<float> le(Vec<float> a, Vec<float> b) { return {vcleq_f32(a.v, b.v)}; }
RAYO_INLINE Mask<float> gt(Vec<float> a, Vec<float> b) { return {vcgtq_f32(a.v, b.v)}; }
RAYO_INLINE Mask<float> ge(Vec<float> a, Vec<float> b) { return {vcgeq_f32(a.v, b.v)}; }
RAYO_INLINE Mask<float> eq(Vec<float> a, Vec<float> b) { return {vceqq_f32(a.v, b.v)}; }
RAYO_INLINE Mask<float> operator&(Mask<float> a, Mask<float> b) { return {vandq_u32(a.v, b.v)}; }
RAYO_INLINE Mask<float> operator|(Mask<float> a, Mask<float> b) { return {vorrq_u32(a.v, b.v)}; }
RAYO_INLINE Mask<float> unord(Vec<float> a, Vec<float> b) {
  const uint32x4_t ordered = vandq_u32(vceqq_f32(a.v, a.v), vceqq_f32(b.v, b.v));
  return {veorq_u32(ordered, vceqq_u32(ordered, ordered))};
}
RAYO_INLINE bool any(Mask<float> m) { return vmaxvq_u32(m.v) != 0; }
RAYO_INLINE bool all(Mask<float> m) { return vminvq_u32(m.v) != 0; }
RAYO_INLINE uint32_t mask_bits(Mask<float> m) {
  constexpr uint32_t kBits[4] = {1, 2, 4, 8};
  return vaddvq_u32(vandq_u32(m.v, vld1q_u32(kBits)));
}
RAYO_INLINE Vec<float> select(Mask<float> m, Vec<float> a, Vec<float> b) { return {vbslq_f32(m.v, a.v, b.v)}; }
// FMAX and FMIN order -0 below +0 and answer NaN for NaN: the contract's own semantics.
RAYO_INLINE Vec<float> max_nan(Vec<float> a, Vec<float> b) { return {vmaxq_f32(a.v, b.v)}; }
RAYO_INLINE Vec<float> min_nan(Vec<float> a, Vec<float> b) { return {vminq_f32(a.v, b.v)}; }
RAYO_INLINE Vec<float> at_most(Vec<float> x, Vec<float> b) { return min_nan(x, b); }
RAYO_INLINE Vec<float> at_least(Vec<float> x, Vec<float> b) { return max_nan(x, b); }
RAYO_INLINE Vec<int32_t> bits(Vec<float> a) { return {vreinterpretq_s32_f32(a.v)}; }
RAYO_INLINE Vec<int32_t> operator+(Vec<int32_t> a, Vec<int32_t> b) { return {vaddq_s32(a.v, b.v)}; }
RAYO_INLINE Vec<int32_t> operator-(Vec<int32_t> a, Vec<int32_t> b) { return {vsubq_s32(a.v, b.v)}; }
RAYO_INLINE Vec<int32_t> operator&(Vec<int32_t> a, Vec<int32_t> b) { return {vandq_s32(a.v, b.v)}; }
template <int K>
RAYO_INLINE Vec<int32_t> shl(Vec<int32_t> a) {
  return {vshlq_n_s32(a.v, K)};
}
template <int K>
RAYO_INLINE Vec<int32_t> srl(Vec<int32_t> a) {
  return {vreinterpretq_s32_u32(vshrq_n_u32(vreinterpretq_u32_s32(a.v), K))};
}

RAYO_INLINE void stream(double *p, Vec<double> a) { vst1q_f64(p, a.v); }
RAYO_INLINE double first_lane(Vec<double> a) { return vgetq_lane_f64(a.v, 0); }
RAYO_INLINE Vec<double> operator+(Vec<double> a, Vec<double> b) { return {vaddq_f64(a.v, b.v)}; }
RAYO_INLINE Vec<double> operator-(Vec<double> a, Vec<double> b) { return {vsubq_f64(a.v, b.v)}; }
RAYO_INLINE Vec<double> operator*(Vec<double> a, Vec<double> b) { return {vmulq_f64(a.v, b.v)}; }
RAYO_INLINE Vec<double> operator/(Vec<double> a, Vec<double> b) { return {vdivq_f64(a.v, b.v)}; }
RAYO_INLINE Vec<double> operator&(Vec<double> a, Vec<double> b) {
  return {vreinterpretq_f64_u64(vandq_u64(vreinterpretq_u64_f64(a.v), vreinterpretq_u64_f64(b.v)))};
}
RAYO_INLINE Vec<double> operator|(Vec<double> a, Vec<double> b) {
  return {vreinterpretq_f64_u64(vorrq_u64(vreinterpretq_u64_f64(a.v), vreinterpretq_u64_f64(b.v)))};
}
RAYO_INLINE Vec<double> operator^(Vec<double> a, Vec<double> b) {
  return {vreinterpretq_f64_u64(veorq_u64(vreinterpretq_u64_f64(a.v), vreinterpretq_u64_f64(b.v)))};
}
RAYO_INLINE Vec<double> andnot(Vec<double> a, Vec<double> b) {
  return {vreinterpretq_f64_u64(vbicq_u64(vreinterpretq_u64_f64(a.v), vreinterpretq_u64_f64(b.v)))};
}
RAYO_INLINE Vec<double> fma(Vec<double> a, Vec<double> b, Vec<double> c) { return {vfmaq_f64(c.v, a.v, b.v)}; }
RAYO_INLINE Vec<double> sqrt(Vec<double> a) { return {vsqrtq_f64(a.v)}; }
RAYO_INLINE Vec<double> abs(Vec<double> a) { return {vabsq_f64(a.v)}; }
RAYO_INLINE Vec<double> neg(Vec<double> a) { return {vnegq_f64(a.v)}; }
RAYO_INLINE Vec<double> round_even(Vec<double> a) { return {vrndnq_f64(a.v)}; }
RAYO_INLINE Vec<double> floor(Vec<double> a) { return {vrndmq_f64(a.v)}; }
RAYO_INLINE Vec<double> ceil(Vec<double> a) { return {vrndpq_f64(a.v)}; }
RAYO_INLINE Mask<double> lt(Vec<double> a, Vec<double> b) { return {vcltq_f64(a.v, b.v)}; }
RAYO_INLINE Mask<double> le(Vec<double> a, Vec<double> b) { return {vcleq_f64(a.v, b.v)}; }
RAYO_INLINE Mask<double> gt(Vec<double> a, Vec<double> b) { return {vcgtq_f64(a.v, b.v)}; }
RAYO_INLINE Mask<double> ge(Vec<double> a, Vec<double> b) { return {vcgeq_f64(a.v, b.v)}; }
RAYO_INLINE Mask<double> eq(Vec<double> a, Vec<double> b) { return {vceqq_f64(a.v, b.v)}; }
RAYO_INLINE Mask<double> operator&(Mask<double> a, Mask<double> b) { return {vandq_u64(a.v, b.v)}; }
RAYO_INLINE Mask<double> operator|(Mask<double> a, Mask<double> b) { return {vorrq_u64(a.v, b.v)}; }
RAYO_INLINE Mask<double> unord(Vec<double> a, Vec<double> b) {
  const uint64x2_t ordered = vandq_u64(vceqq_f64(a.v, a.v), vceqq_f64(b.v, b.v));
  return {veorq_u64(ordered, vceqq_u64(ordered, ordered))};
}
RAYO_INLINE bool any(Mask<double> m) { return vmaxvq_u32(vreinterpretq_u32_u64(m.v)) != 0; }
RAYO_INLINE bool all(Mask<double> m) { return vminvq_u32(vreinterpretq_u32_u64(m.v)) != 0; }
RAYO_INLINE uint32_t mask_bits(Mask<double> m) {
  return static_cast<uint32_t>((vgetq_lane_u64(m.v, 0) & 1) | (vgetq_lane_u64(m.v, 1) & 2));
}
RAYO_INLINE Vec<double> select(Mask<double> m, Vec<double> a, Vec<double> b) { return {vbslq_f64(m.v, a.v, b.v)}; }
// FMAX and FMIN order -0 below +0 and answer NaN for NaN: the contract's own semantics.
RAYO_INLINE Vec<double> max_nan(Vec<double> a, Vec<double> b) { return {vmaxq_f64(a.v, b.v)}; }
RAYO_INLINE Vec<double> min_nan(Vec<double> a, Vec<double> b) { return {vminq_f64(a.v, b.v)}; }
RAYO_INLINE Vec<double> at_most(Vec<double> x, Vec<double> b) { return min_nan(x, b); }
RAYO_INLINE Vec<double> at_least(Vec<double> x, Vec<double> b) { return max_nan(x, b); }
RAYO_INLINE Vec<int64_t> bits(Vec<double> a) { return {vreinterpretq_s64_f64(a.v)}; }
RAYO_INLINE Vec<int64_t> operator+(Vec<int64_t> a, Vec<int64_t> b) { return {vaddq_s64(a.v, b.v)}; }
RAYO_INLINE Vec<int64_t> operator-(Vec<int64_t> a, Vec<int64_t> b) { return {vsubq_s64(a.v, b.v)}; }
RAYO_INLINE Vec<int64_t> operator&(Vec<int64_t> a, Vec<int64_t> b) { return {vandq_s64(a.v, b.v)}; }
template <int K>
RAYO_INLINE Vec<int64_t> shl(Vec<int64_t> a) {
  return {vshlq_n_s64(a.v, K)};
}
template <int K>
RAYO_INLINE Vec<int64_t> srl(Vec<int64_t> a) {
  return {vreinterpretq_s64_u64(vshrq_n_u64(vreinterpretq_u64_s64(a.v), K))};
}

template <int K>
RAYO_INLINE Vec<int32_t> sra(Vec<int32_t> a) {
  return {vshrq_n_s32(a.v, K)};
}
template <class T>
RAYO_INLINE Vec<T> from_bits(Vec<typename IntOf<T>::type> a) {
  if constexpr (sizeof(T) == 4) {
    return {vreinterpretq_f32_s32(a.v)};
  } else {
    return {vreinterpretq_f64_s64(a.v)};
  }
}
RAYO_INLINE Vec<float> to_real(Vec<int32_t> a) { return {vcvtq_f32_s32(a.v)}; }

template <int H>
RAYO_INLINE Vec<float> swap_lanes(Vec<float> a) {
  if constexpr (H == 2) return {vextq_f32(a.v, a.v, 2)};
  if constexpr (H == 1) return {vrev64q_f32(a.v)};
}
template <int H>
RAYO_INLINE Vec<double> swap_lanes(Vec<double> a) {
  return {vextq_f64(a.v, a.v, 1)};
}

template <int H>
RAYO_INLINE Vec<float> mix_lanes(Vec<float> a, Vec<float> b) {
  const uint32x4_t second = {0, H == 1 ? ~0u : 0u, H == 2 ? ~0u : 0u, ~0u};
  return {vbslq_f32(second, b.v, a.v)};
}
template <int H>
RAYO_INLINE Vec<double> mix_lanes(Vec<double> a, Vec<double> b) {
  const uint64x2_t second = {0, ~uint64_t{0}};
  return {vbslq_f64(second, b.v, a.v)};
}

template <class T>
inline constexpr int kLoadColumns = Vec<T>::size;
RAYO_INLINE void load_columns(const float *s, int64_t ls, Vec<float> (&k)[4]) {
  const float32x4_t a = vld1q_f32(s), b = vld1q_f32(s + ls), c = vld1q_f32(s + 2 * ls), e = vld1q_f32(s + 3 * ls);
  const float64x2_t p = vreinterpretq_f64_f32(vtrn1q_f32(a, b)), q = vreinterpretq_f64_f32(vtrn2q_f32(a, b));
  const float64x2_t u = vreinterpretq_f64_f32(vtrn1q_f32(c, e)), v = vreinterpretq_f64_f32(vtrn2q_f32(c, e));
  k[0].v = vreinterpretq_f32_f64(vtrn1q_f64(p, u));
  k[1].v = vreinterpretq_f32_f64(vtrn1q_f64(q, v));
  k[2].v = vreinterpretq_f32_f64(vtrn2q_f64(p, u));
  k[3].v = vreinterpretq_f32_f64(vtrn2q_f64(q, v));
}
RAYO_INLINE void load_columns(const double *s, int64_t ls, Vec<double> (&k)[2]) {
  const float64x2_t a = vld1q_f64(s), b = vld1q_f64(s + ls);
  k[0].v = vtrn1q_f64(a, b);
  k[1].v = vtrn2q_f64(a, b);
}
template <class T>
RAYO_INLINE void transpose_tile(const T *s, int64_t ls, T *d, int64_t ld) {
  Vec<T> c[kLoadColumns<T>];
  load_columns(s, ls, c);
  for (int i = 0; i < kLoadColumns<T>; ++i) store(d + i * ld, c[i]);
}

RAYO_INLINE Vec<int32_t> load_pairs(const int32_t *p) { return {vld1q_s32(p)}; }
RAYO_INLINE void store_pairs(int32_t *p, Vec<int32_t> a) { vst1q_s32(p, a.v); }
RAYO_INLINE Vec<int32_t> add_pairs(Vec<int32_t> acc, Vec<int32_t> a, Vec<int32_t> b) {
  const int16x8_t x = vreinterpretq_s16_s32(a.v), y = vreinterpretq_s16_s32(b.v);
  const int32x4_t low = vmull_s16(vget_low_s16(x), vget_low_s16(y));
  return {vaddq_s32(acc.v, vpaddq_s32(low, vmull_high_s16(x, y)))};
}

RAYO_INLINE Vec<double> widen_low(Vec<float> a) { return {vcvt_f64_f32(vget_low_f32(a.v))}; }
RAYO_INLINE Vec<double> widen_high(Vec<float> a) { return {vcvt_high_f64_f32(a.v)}; }
RAYO_INLINE Vec<float> narrow(Vec<double> low, Vec<double> high) {
  return {vcvt_high_f32_f64(vcvt_f32_f64(low.v), high.v)};
}
template <class T>
RAYO_INLINE Vec<T> load_bytes(const uint8_t *p) {
  typename IntOf<T>::type image[Vec<T>::size];
  for (int i = 0; i < Vec<T>::size; ++i) image[i] = p[i];
  T lanes[Vec<T>::size];
  __builtin_memcpy(lanes, image, sizeof(lanes));
  return load(lanes);
}

RAYO_ISA_END

#endif  // RAYO_SIMD_NEON_H
