// SPDX-License-Identifier: Apache-2.0
//
// The vector contract (vec.h) for CUDA: one element per thread, every operation by the intrinsic that rounds to nearest
// and is never contracted. Only what formulas use: kernels in plugins/cuda own their loops, loads and tails. A host
// compiler reads it too (tests run the kernels there): then each primitive is the C expression it stands for.
#ifndef RAYO_SIMD_CUDA_H
#define RAYO_SIMD_CUDA_H

#include <simd/vec.h>

RAYO_ISA_BEGIN

template <class T>
struct Vec {
  using type = T;
  static constexpr int size = 1;
  T v;
};
template <class T>
struct Mask {
  bool v;
};

namespace rn {
#if defined(__CUDA_ARCH__)
RAYO_INLINE float add(float a, float b) { return __fadd_rn(a, b); }
RAYO_INLINE float sub(float a, float b) { return __fsub_rn(a, b); }
RAYO_INLINE float mul(float a, float b) { return __fmul_rn(a, b); }
RAYO_INLINE float div(float a, float b) { return __fdiv_rn(a, b); }
RAYO_INLINE float fma(float a, float b, float c) { return __fmaf_rn(a, b, c); }
RAYO_INLINE float sqrt(float a) { return __fsqrt_rn(a); }
RAYO_INLINE float round_even(float a) { return rintf(a); }
RAYO_INLINE float floor(float a) { return floorf(a); }
RAYO_INLINE float ceil(float a) { return ceilf(a); }
RAYO_INLINE double add(double a, double b) { return __dadd_rn(a, b); }
RAYO_INLINE double sub(double a, double b) { return __dsub_rn(a, b); }
RAYO_INLINE double mul(double a, double b) { return __dmul_rn(a, b); }
RAYO_INLINE double div(double a, double b) { return __ddiv_rn(a, b); }
RAYO_INLINE double fma(double a, double b, double c) { return __fma_rn(a, b, c); }
RAYO_INLINE double sqrt(double a) { return __dsqrt_rn(a); }
RAYO_INLINE double round_even(double a) { return rint(a); }
RAYO_INLINE double floor(double a) { return ::floor(a); }
RAYO_INLINE double ceil(double a) { return ::ceil(a); }
RAYO_INLINE int32_t bits(float a) { return __float_as_int(a); }
RAYO_INLINE int64_t bits(double a) { return __double_as_longlong(a); }
RAYO_INLINE float real(int32_t a) { return __int_as_float(a); }
RAYO_INLINE double real(int64_t a) { return __longlong_as_double(a); }
RAYO_INLINE float narrow(double a) { return __double2float_rn(a); }
#else
template <class T>
RAYO_INLINE T add(T a, T b) {
  return a + b;
}
template <class T>
RAYO_INLINE T sub(T a, T b) {
  return a - b;
}
template <class T>
RAYO_INLINE T mul(T a, T b) {
  return a * b;
}
template <class T>
RAYO_INLINE T div(T a, T b) {
  return a / b;
}
RAYO_INLINE float fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
RAYO_INLINE double fma(double a, double b, double c) { return __builtin_fma(a, b, c); }
RAYO_INLINE float sqrt(float a) { return __builtin_sqrtf(a); }
RAYO_INLINE double sqrt(double a) { return __builtin_sqrt(a); }
RAYO_INLINE float round_even(float a) { return __builtin_rintf(a); }
RAYO_INLINE double round_even(double a) { return __builtin_rint(a); }
RAYO_INLINE float floor(float a) { return __builtin_floorf(a); }
RAYO_INLINE double floor(double a) { return __builtin_floor(a); }
RAYO_INLINE float ceil(float a) { return __builtin_ceilf(a); }
RAYO_INLINE double ceil(double a) { return __builtin_ceil(a); }
RAYO_INLINE int32_t bits(float a) { return __builtin_bit_cast(int32_t, a); }
RAYO_INLINE int64_t bits(double a) { return __builtin_bit_cast(int64_t, a); }
RAYO_INLINE float real(int32_t a) { return __builtin_bit_cast(float, a); }
RAYO_INLINE double real(int64_t a) { return __builtin_bit_cast(double, a); }
RAYO_INLINE float narrow(double a) { return static_cast<float>(a); }
#endif
}  // namespace rn

RAYO_INLINE Vec<float> broadcast(float x) { return {x}; }
RAYO_INLINE Vec<double> broadcast(double x) { return {x}; }
RAYO_INLINE Vec<int32_t> broadcast(int32_t x) { return {x}; }
RAYO_INLINE Vec<int64_t> broadcast(int64_t x) { return {x}; }

template <class T>
RAYO_INLINE Vec<T> load(const T *p) {
  return {*p};
}
template <class T>
RAYO_INLINE void store(T *p, Vec<T> a) {
  *p = a.v;
}
template <class T>
RAYO_INLINE Vec<T> load_n(const T *p, int n, T fill) {
  return n > 0 ? load(p) : Vec<T>{fill};
}
template <class T>
RAYO_INLINE void store_n(T *p, Vec<T> a, int n) {
  if (n > 0) store(p, a);
}
template <class T>
RAYO_INLINE void stream(T *p, Vec<T> a) {
  store(p, a);
}
RAYO_INLINE void stream_end() {}
template <class T>
RAYO_INLINE T first_lane(Vec<T> a) {
  return a.v;
}

template <class T>
RAYO_INLINE Vec<T> operator+(Vec<T> a, Vec<T> b) {
  return {rn::add(a.v, b.v)};
}
template <class T>
RAYO_INLINE Vec<T> operator-(Vec<T> a, Vec<T> b) {
  return {rn::sub(a.v, b.v)};
}
template <class T>
RAYO_INLINE Vec<T> operator*(Vec<T> a, Vec<T> b) {
  return {rn::mul(a.v, b.v)};
}
template <class T>
RAYO_INLINE Vec<T> operator/(Vec<T> a, Vec<T> b) {
  return {rn::div(a.v, b.v)};
}
RAYO_INLINE Vec<int32_t> operator+(Vec<int32_t> a, Vec<int32_t> b) {
  return {static_cast<int32_t>(static_cast<uint32_t>(a.v) + static_cast<uint32_t>(b.v))};
}
RAYO_INLINE Vec<int32_t> operator-(Vec<int32_t> a, Vec<int32_t> b) {
  return {static_cast<int32_t>(static_cast<uint32_t>(a.v) - static_cast<uint32_t>(b.v))};
}
RAYO_INLINE Vec<int64_t> operator+(Vec<int64_t> a, Vec<int64_t> b) {
  return {static_cast<int64_t>(static_cast<uint64_t>(a.v) + static_cast<uint64_t>(b.v))};
}
RAYO_INLINE Vec<int64_t> operator-(Vec<int64_t> a, Vec<int64_t> b) {
  return {static_cast<int64_t>(static_cast<uint64_t>(a.v) - static_cast<uint64_t>(b.v))};
}
template <class T>
RAYO_INLINE Vec<T> fma(Vec<T> a, Vec<T> b, Vec<T> c) {
  return {rn::fma(a.v, b.v, c.v)};
}
template <class T>
RAYO_INLINE Vec<T> sqrt(Vec<T> a) {
  return {rn::sqrt(a.v)};
}
template <class T>
RAYO_INLINE Vec<T> round_even(Vec<T> a) {
  return {rn::round_even(a.v)};
}
template <class T>
RAYO_INLINE Vec<T> floor(Vec<T> a) {
  return {rn::floor(a.v)};
}
template <class T>
RAYO_INLINE Vec<T> ceil(Vec<T> a) {
  return {rn::ceil(a.v)};
}

RAYO_INLINE Vec<int32_t> bits(Vec<float> a) { return {rn::bits(a.v)}; }
RAYO_INLINE Vec<int64_t> bits(Vec<double> a) { return {rn::bits(a.v)}; }
template <class T>
RAYO_INLINE Vec<T> from_bits(Vec<typename IntOf<T>::type> a) {
  return {rn::real(a.v)};
}
RAYO_INLINE Vec<int32_t> operator&(Vec<int32_t> a, Vec<int32_t> b) { return {a.v & b.v}; }
RAYO_INLINE Vec<int64_t> operator&(Vec<int64_t> a, Vec<int64_t> b) { return {a.v & b.v}; }
template <class T>
RAYO_INLINE Vec<T> operator&(Vec<T> a, Vec<T> b) {
  return from_bits<T>({bits(a).v & bits(b).v});
}
template <class T>
RAYO_INLINE Vec<T> operator|(Vec<T> a, Vec<T> b) {
  return from_bits<T>({bits(a).v | bits(b).v});
}
template <class T>
RAYO_INLINE Vec<T> operator^(Vec<T> a, Vec<T> b) {
  return from_bits<T>({bits(a).v ^ bits(b).v});
}
template <class T>
RAYO_INLINE Vec<T> andnot(Vec<T> a, Vec<T> b) {
  return from_bits<T>({bits(a).v & ~bits(b).v});
}
/// The sign bit as a value, cleared and flipped: no arithmetic, so a NaN too.
template <class T>
RAYO_INLINE Vec<T> abs(Vec<T> a) {
  return andnot(a, Vec<T>{T(-0.0)});
}
template <class T>
RAYO_INLINE Vec<T> neg(Vec<T> a) {
  return a ^ Vec<T>{T(-0.0)};
}
template <int K>
RAYO_INLINE Vec<int32_t> shl(Vec<int32_t> a) {
  return {static_cast<int32_t>(static_cast<uint32_t>(a.v) << K)};
}
template <int K>
RAYO_INLINE Vec<int64_t> shl(Vec<int64_t> a) {
  return {static_cast<int64_t>(static_cast<uint64_t>(a.v) << K)};
}
template <int K>
RAYO_INLINE Vec<int32_t> srl(Vec<int32_t> a) {
  return {static_cast<int32_t>(static_cast<uint32_t>(a.v) >> K)};
}
template <int K>
RAYO_INLINE Vec<int64_t> srl(Vec<int64_t> a) {
  return {static_cast<int64_t>(static_cast<uint64_t>(a.v) >> K)};
}
template <int K>
RAYO_INLINE Vec<int32_t> sra(Vec<int32_t> a) {
  return {a.v >> K};
}
RAYO_INLINE Vec<float> to_real(Vec<int32_t> a) { return {static_cast<float>(a.v)}; }
RAYO_INLINE Vec<double> widen_low(Vec<float> a) { return {static_cast<double>(a.v)}; }
RAYO_INLINE Vec<double> widen_high(Vec<float> a) { return {static_cast<double>(a.v)}; }
RAYO_INLINE Vec<float> narrow(Vec<double> low, Vec<double>) { return {rn::narrow(low.v)}; }
template <class T>
RAYO_INLINE Vec<T> load_bytes(const uint8_t *p) {
  return from_bits<T>({*p});
}

template <class T>
RAYO_INLINE Mask<T> lt(Vec<T> a, Vec<T> b) {
  return {a.v < b.v};
}
template <class T>
RAYO_INLINE Mask<T> le(Vec<T> a, Vec<T> b) {
  return {a.v <= b.v};
}
template <class T>
RAYO_INLINE Mask<T> gt(Vec<T> a, Vec<T> b) {
  return {a.v > b.v};
}
template <class T>
RAYO_INLINE Mask<T> ge(Vec<T> a, Vec<T> b) {
  return {a.v >= b.v};
}
template <class T>
RAYO_INLINE Mask<T> eq(Vec<T> a, Vec<T> b) {
  return {a.v == b.v};
}
template <class T>
RAYO_INLINE Mask<T> unord(Vec<T> a, Vec<T> b) {
  return {a.v != a.v || b.v != b.v};
}
template <class T>
RAYO_INLINE Mask<T> operator&(Mask<T> a, Mask<T> b) {
  return {a.v && b.v};
}
template <class T>
RAYO_INLINE Mask<T> operator|(Mask<T> a, Mask<T> b) {
  return {a.v || b.v};
}
template <class T>
RAYO_INLINE bool any(Mask<T> m) {
  return m.v;
}
template <class T>
RAYO_INLINE bool all(Mask<T> m) {
  return m.v;
}
template <class T>
RAYO_INLINE uint32_t mask_bits(Mask<T> m) {
  return m.v ? 1 : 0;
}
template <class T>
RAYO_INLINE Vec<T> select(Mask<T> m, Vec<T> a, Vec<T> b) {
  return m.v ? a : b;
}

template <class T>
RAYO_INLINE Vec<T> max_nan(Vec<T> a, Vec<T> b) {
  if (a.v > b.v) return a;
  if (a.v < b.v) return b;
  return a.v == b.v ? (a & b) : a + b;
}
template <class T>
RAYO_INLINE Vec<T> min_nan(Vec<T> a, Vec<T> b) {
  if (a.v < b.v) return a;
  if (a.v > b.v) return b;
  return a.v == b.v ? (a | b) : a + b;
}
template <class T>
RAYO_INLINE Vec<T> at_most(Vec<T> x, Vec<T> b) {
  return x.v > b.v ? b : x;
}
template <class T>
RAYO_INLINE Vec<T> at_least(Vec<T> x, Vec<T> b) {
  return x.v < b.v ? b : x;
}

RAYO_ISA_END

#endif  // RAYO_SIMD_CUDA_H
