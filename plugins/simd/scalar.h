// SPDX-License-Identifier: Apache-2.0
//
// The vector contract (vec.h) one element at a time: the judge of bits, and what runs where nothing else does.
// Compiled twice, as `scalar` for the baseline (fma() is a library call) and as `scalar_fma` with -mfma.
#ifndef RAYO_SIMD_SCALAR_H
#define RAYO_SIMD_SCALAR_H

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
template <class T>
inline constexpr int kTile = 1;

RAYO_INLINE Vec<float> broadcast(float x) { return {x}; }
RAYO_INLINE Vec<double> broadcast(double x) { return {x}; }
RAYO_INLINE Vec<int32_t> broadcast(int32_t x) { return {x}; }
RAYO_INLINE Vec<int64_t> broadcast(int64_t x) { return {x}; }

// Elements may lie at any address: memcpy compiles to one move.
template <class T>
RAYO_INLINE Vec<T> load(const T *p) {
  Vec<T> r;
  __builtin_memcpy(&r.v, p, sizeof(T));
  return r;
}
template <class T>
RAYO_INLINE void store(T *p, Vec<T> a) {
  __builtin_memcpy(p, &a.v, sizeof(T));
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
  return {a.v + b.v};
}
template <class T>
RAYO_INLINE Vec<T> operator-(Vec<T> a, Vec<T> b) {
  return {a.v - b.v};
}
template <class T>
RAYO_INLINE Vec<T> operator*(Vec<T> a, Vec<T> b) {
  return {a.v * b.v};
}
template <class T>
RAYO_INLINE Vec<T> operator/(Vec<T> a, Vec<T> b) {
  return {a.v / b.v};
}
// Integer lanes wrap, as they do in vector registers.
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
RAYO_INLINE Vec<float> fma(Vec<float> a, Vec<float> b, Vec<float> c) { return {__builtin_fmaf(a.v, b.v, c.v)}; }
RAYO_INLINE Vec<double> fma(Vec<double> a, Vec<double> b, Vec<double> c) { return {__builtin_fma(a.v, b.v, c.v)}; }
RAYO_INLINE Vec<float> sqrt(Vec<float> a) { return {__builtin_sqrtf(a.v)}; }
RAYO_INLINE Vec<double> sqrt(Vec<double> a) { return {__builtin_sqrt(a.v)}; }
RAYO_INLINE Vec<float> abs(Vec<float> a) { return {__builtin_fabsf(a.v)}; }
RAYO_INLINE Vec<double> abs(Vec<double> a) { return {__builtin_fabs(a.v)}; }
template <class T>
RAYO_INLINE Vec<T> neg(Vec<T> a) {
  return {-a.v};
}
RAYO_INLINE Vec<float> round_even(Vec<float> a) { return {__builtin_rintf(a.v)}; }
RAYO_INLINE Vec<double> round_even(Vec<double> a) { return {__builtin_rint(a.v)}; }
RAYO_INLINE Vec<float> floor(Vec<float> a) { return {__builtin_floorf(a.v)}; }
RAYO_INLINE Vec<double> floor(Vec<double> a) { return {__builtin_floor(a.v)}; }
RAYO_INLINE Vec<float> ceil(Vec<float> a) { return {__builtin_ceilf(a.v)}; }
RAYO_INLINE Vec<double> ceil(Vec<double> a) { return {__builtin_ceil(a.v)}; }

RAYO_INLINE Vec<int32_t> bits(Vec<float> a) { return {__builtin_bit_cast(int32_t, a.v)}; }
RAYO_INLINE Vec<int64_t> bits(Vec<double> a) { return {__builtin_bit_cast(int64_t, a.v)}; }
template <class T>
RAYO_INLINE Vec<T> from_bits(Vec<typename IntOf<T>::type> a) {
  return {__builtin_bit_cast(T, a.v)};
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
  return {static_cast<bool>(__builtin_isunordered(a.v, b.v))};
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
  return a.v == b.v ? (a & b) : Vec<T>{a.v + b.v};
}
template <class T>
RAYO_INLINE Vec<T> min_nan(Vec<T> a, Vec<T> b) {
  if (a.v < b.v) return a;
  if (a.v > b.v) return b;
  return a.v == b.v ? (a | b) : Vec<T>{a.v + b.v};
}
template <class T>
RAYO_INLINE Vec<T> at_most(Vec<T> x, Vec<T> b) {
  return x.v > b.v ? b : x;
}
template <class T>
RAYO_INLINE Vec<T> at_least(Vec<T> x, Vec<T> b) {
  return x.v < b.v ? b : x;
}

template <class T>
inline constexpr int kLoadColumns = 1;
template <class T>
RAYO_INLINE void load_columns(const T *s, int64_t, Vec<T> (&c)[1]) {
  c[0] = load(s);
}
template <class T>
RAYO_INLINE void transpose_tile(const T *s, int64_t, T *d, int64_t) {
  store(d, load(s));
}

RAYO_INLINE Vec<int32_t> load_pairs(const int32_t *p) { return load(p); }
RAYO_INLINE void store_pairs(int32_t *p, Vec<int32_t> a) { store(p, a); }
RAYO_INLINE Vec<int32_t> add_pairs(Vec<int32_t> acc, Vec<int32_t> a, Vec<int32_t> b) {
  const int32_t low = static_cast<int16_t>(a.v) * static_cast<int16_t>(b.v);
  const int32_t high = (a.v >> 16) * (b.v >> 16);
  return {
      static_cast<int32_t>(static_cast<uint32_t>(acc.v) + static_cast<uint32_t>(low) + static_cast<uint32_t>(high))};
}

RAYO_INLINE Vec<double> widen_low(Vec<float> a) { return {static_cast<double>(a.v)}; }
RAYO_INLINE Vec<double> widen_high(Vec<float> a) { return {static_cast<double>(a.v)}; }
RAYO_INLINE Vec<float> narrow(Vec<double> low, Vec<double>) { return {static_cast<float>(low.v)}; }
template <class T>
RAYO_INLINE Vec<T> load_bytes(const uint8_t *p) {
  return from_bits<T>({*p});
}

RAYO_ISA_END

#endif  // RAYO_SIMD_SCALAR_H
