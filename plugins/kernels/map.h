// SPDX-License-Identifier: Apache-2.0
//
// The loop of every elementwise kernel, and its tail: an op hands over a formula on vectors and never sees either. Body
// and tail evaluate the same formula, so an element's bits do not depend on its place.
#ifndef RAYO_KERNELS_MAP_H
#define RAYO_KERNELS_MAP_H

#include <kernels/elementwise_table.h>
#include <simd/vec.h>

RAYO_ISA_BEGIN

/// An operand of the inner loop on Vec<T>: consecutive elements of type E, or (kOne) one element for all. E is T, or
/// uint8_t, whose elements become lanes with the integer's bits: equal to 0 exactly where it is 0.
template <class T, bool kOne, class E = T>
struct MapOperand;
template <class T>
struct MapOperand<T, false, uint8_t> {
  const uint8_t *p;
  RAYO_INLINE explicit MapOperand(const uint8_t *q) : p(q) {}
  RAYO_INLINE Vec<T> at(int64_t i) const { return load_bytes<T>(p + i); }
  RAYO_INLINE Vec<T> at_n(int64_t i, int n) const { return load_bytes_n<T>(p + i, n); }
};
template <class T>
struct MapOperand<T, false, T> {
  const T *p;
  RAYO_INLINE explicit MapOperand(const T *q) : p(q) {}
  RAYO_INLINE Vec<T> at(int64_t i) const { return load(p + i); }
  /// Lanes past the end hold 1, which no formula finds special.
  RAYO_INLINE Vec<T> at_n(int64_t i, int n) const { return load_n(p + i, n, T(1)); }
};
template <class T>
struct MapOperand<T, true, T> {
  Vec<T> v;
  RAYO_INLINE explicit MapOperand(const T *q) : v(set1<Vec<T>>(first_lane(load_n(q, 1, T(1))))) {}
  RAYO_INLINE Vec<T> at(int64_t) const { return v; }
  RAYO_INLINE Vec<T> at_n(int64_t, int) const { return v; }
};

/// The compiler keeps the stores before it in front of those after it.
RAYO_INLINE void keep_store_order() {
#if !defined(__CUDACC__)
  asm volatile("" ::: "memory");
#endif
}

/// Vectors a step of formulas of one operand that are not an instruction or two: more than the reorder window reaches
/// by itself. Zen 5, 10,000 f32, time of two over 3, 4, 6, 8, AVX2: exp 1.02, 1.07, 1.13, 1.07, sigmoid 1.10, 1.08,
/// 1.16, 1.20, swish 1.06, 1.16, 1.17, 1.14, erf 1.01, 1.07, 1.12, 1.03, tanh 1.01, 1.03, 1.00, 0.98, log 0.98 to 0.99;
/// AVX-512: exp 1.04, 1.08, 1.11, 1.15, swish 1.06, 1.15, 1.18, 1.18, erf 1.02, 1.07, 1.05, 1.03.
inline constexpr int kMapVectors = 6;

/// y[i] = f(operands at i) for i in [0, n), consecutive. Two vectors a step where no more are asked for: more spill on
/// 16 registers, and formulas of an instruction gain nothing by them.
template <int kVectors = 2, class T, class F, class... Operands>
RAYO_INLINE void map_loop(T *y, int64_t n, F f, Operands... x) {
  constexpr int64_t kStep = Vec<T>::size;
  int64_t i = 0;
  if constexpr (kVectors > 2) {
    for (; i + kVectors * kStep <= n; i += kVectors * kStep) {
      Vec<T> v[kVectors];
#pragma GCC unroll 16
      for (int k = 0; k < kVectors; ++k) v[k] = f(x.at(i + k * kStep)...);
#pragma GCC unroll 16
      for (int k = 0; k < kVectors; ++k) {
        store(y + i + k * kStep, v[k]);
        keep_store_order();
      }
    }
  }
  for (; i + 2 * kStep <= n; i += 2 * kStep) {
    const Vec<T> u = f(x.at(i)...);
    const Vec<T> v = f(x.at(i + kStep)...);
    // Upwards: stores that go back to the line before cost twice the time where y is not aligned to a line (AVX2, 100
    // rows of 1000 f32 on a 2-core Xeon: 255 to 128 ns each).
    store(y + i, u);
    keep_store_order();
    store(y + i + kStep, v);
  }
  for (; i < n; i += kStep) {
    if (i + kStep <= n) {
      store(y + i, f(x.at(i)...));
    } else {
      const int left = static_cast<int>(n - i);
      store_n(y + i, f(x.at_n(i, left)...), left);
    }
  }
}

/// The same past the caches: whole lines are written that were not read before, a third of the traffic of an add.
template <class T, class F, class... Operands>
RAYO_INLINE void map_stream(T *y, int64_t n, F f, Operands... x) {
  constexpr int64_t kStep = Vec<T>::size;
  constexpr auto kBytes = static_cast<int64_t>(sizeof(T)) * kStep;
  const auto at = reinterpret_cast<intptr_t>(y);
  int64_t i = (kBytes - at % kBytes) % kBytes / static_cast<int64_t>(sizeof(T));
  if (at % static_cast<int64_t>(sizeof(T)) != 0 || i >= n) return map_loop(y, n, f, x...);
  if (i > 0) store_n(y, f(x.at_n(0, static_cast<int>(i))...), static_cast<int>(i));
  for (; i + kStep <= n; i += kStep) stream(y + i, f(x.at(i)...));
  stream_end();
  if (i < n) store_n(y + i, f(x.at_n(i, static_cast<int>(n - i))...), static_cast<int>(n - i));
}

template <class T>
RAYO_INLINE void gather(const T *s, int64_t stride, T *d, int64_t n) {
  for (int64_t i = 0; i < n; ++i) __builtin_memcpy(d + i, s + i * stride, sizeof(T));
}
template <class T>
RAYO_INLINE void scatter(const T *s, T *d, int64_t stride, int64_t n) {
  for (int64_t i = 0; i < n; ++i) __builtin_memcpy(d + i * stride, s + i, sizeof(T));
}

/// Elements of one step of the strided path: small enough for the stack and L1, long enough to hide its set-up.
inline constexpr int64_t kMapBlock = 512;

/// `n` consecutive elements of operand k: in place, or gathered into the buffer.
template <class E>
RAYO_INLINE const E *map_block(const MapRow &row, int k, int64_t i, int64_t n, E *buffer) {
  const E *s = static_cast<const E *>(row.in[k]) + i * row.in_stride[k];
  if (row.in_stride[k] == 1) return s;
  gather(s, row.in_stride[k], buffer, n);
  return buffer;
}

/// Any strides: operands are gathered into buffers, mapped there and scattered.
template <class T, int N, class E, class F>
[[gnu::noinline]] void map_strided(const MapRow &row, F f) {
  alignas(64) E first[kMapBlock];
  alignas(64) T buffer[N][kMapBlock];
  for (int64_t i = 0; i < row.n; i += kMapBlock) {
    const int64_t n = row.n - i < kMapBlock ? row.n - i : kMapBlock;
    T *d = static_cast<T *>(row.out) + i * row.out_stride;
    T *y = row.out_stride == 1 ? d : buffer[0];
    using Row = MapOperand<T, false>;
    const MapOperand<T, false, E> a(map_block<E>(row, 0, i, n, first));
    if constexpr (N == 1) map_loop(y, n, f, a);
    if constexpr (N >= 2) {
      const Row b(map_block<T>(row, 1, i, n, buffer[1]));
      if constexpr (N == 2) map_loop(y, n, f, a, b);
      if constexpr (N == 3) map_loop(y, n, f, a, b, Row(map_block<T>(row, 2, i, n, buffer[2])));
    }
    if (y != d) scatter(y, d, row.out_stride, n);
  }
}

/// One row: y[i * out_stride] = f(in[k][i * in_stride[k]]...). Operand 0 has type E, the others T. kCheap: bound by
/// memory.
template <class T, int N, class E = T, bool kCheap = false, class F>
RAYO_INLINE void map_row(const MapRow &row, F f) {
  const auto loop = [&](auto... x) RAYO_LAMBDA {
    T *to = static_cast<T *>(row.out);
    if constexpr (kCheap) {
      if (row.past_caches) return map_stream(to, row.n, f, x...);
    }
    map_loop<N == 1 && !kCheap ? kMapVectors : 2>(to, row.n, f, x...);
  };
  const auto in = [&](int k) RAYO_LAMBDA { return static_cast<const T *>(row.in[k]); };
  const auto unit = [&](int k) RAYO_LAMBDA { return row.in_stride[k] == 1; };
  const auto one = [&](int k) RAYO_LAMBDA { return row.in_stride[k] == 0; };
  using Row = MapOperand<T, false>;
  using One = MapOperand<T, true>;
  if (row.n <= 0) return;
  const MapOperand<T, false, E> a(static_cast<const E *>(row.in[0]));
  if (row.out_stride == 1) {
    if constexpr (N == 1) {
      if (unit(0)) return loop(a);
    } else if constexpr (N == 2) {
      if (unit(0) && unit(1)) return loop(a, Row(in(1)));
      if (unit(0) && one(1)) return loop(a, One(in(1)));
      if (unit(1) && one(0)) return loop(One(in(0)), Row(in(1)));
    } else {
      if (unit(0) && unit(1) && unit(2)) return loop(a, Row(in(1)), Row(in(2)));
      if (unit(0) && one(1) && one(2)) return loop(a, One(in(1)), One(in(2)));
    }
  }
  map_strided<T, N, E>(row, f);
}

RAYO_ISA_END

#endif  // RAYO_KERNELS_MAP_H
