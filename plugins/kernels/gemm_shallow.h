// SPDX-License-Identifier: Apache-2.0
//
// The matrix product over a few steps of k, where writing y is the work: y is written along its rows, a few at a time,
// with A's elements of those rows in registers and B from the nearest cache.
#ifndef RAYO_KERNELS_GEMM_SHALLOW_H
#define RAYO_KERNELS_GEMM_SHALLOW_H

#include <kernels/gemm_narrow.h>

RAYO_ISA_BEGIN

/// Most steps of k; 0 where one element is a vector. Beyond, loads of B would be the work.
template <class T>
inline constexpr int kGemmShallow = Vec<T>::size == 1 ? 0 : 4;
/// Of B's columns at a time: they stay in the first-level cache.
inline constexpr int64_t kGemmShallowBytes = int64_t{16} << 10;
/// Rows of y at a time. A 2-core Xeon with AVX-512, GFLOP/s of 1, 2, 4 rows: 256x256x4 81, 89, 88; 1000x33x4 29, 41,
/// 48; 1000x1000x4 46, 42, 36, as rows that begin anywhere are stored across lines.
inline constexpr int kGemmShallowRows = 2;
/// Bytes of y fetched ahead: without, 100x5000x3 takes twice as long.
inline constexpr int64_t kGemmShallowAhead = 512;

/// Rows [row, row + R), columns [col, n).
template <class T, int K, int R>
RAYO_INLINE void gemm_shallow_rows(const GemmDirect<T> &g, int64_t row, int64_t col, int64_t n) {
  constexpr int kW = Vec<T>::size;
  const GemmEpilogue<T> e = g.epilogue;
  const bool finish = e.c != nullptr || e.alpha != T(1);
  const int64_t ldb = g.ldb, ldy = g.y_rs;
  const T *b = g.b;
  T *y = g.y + row * ldy;
  Vec<T> a[R][K];
  RAYO_UNROLL for (int r = 0; r < R; ++r) RAYO_UNROLL for (int p = 0; p < K; ++p) {
    a[r][p] = set1<Vec<T>>(gemm_get(g.a + (row + r) * g.a_rs + p * g.a_cs));
  }
  for (int64_t j = col; j < n; j += kW) {
    const int lanes = n - j < kW ? static_cast<int>(n - j) : kW;
    RAYO_UNROLL for (int r = 0; r < R; ++r) {
      __builtin_prefetch(y + r * ldy + j + kGemmShallowAhead / static_cast<int64_t>(sizeof(T)), 1, 3);
    }
    Vec<T> acc[R];
    RAYO_UNROLL for (int r = 0; r < R; ++r) acc[r] = set1<Vec<T>>(T(0));
    if (lanes == kW) {
      RAYO_UNROLL for (int p = 0; p < K; ++p) {
        const Vec<T> x = load(b + p * ldb + j);
        RAYO_UNROLL for (int r = 0; r < R; ++r) acc[r] = fma(a[r][p], x, acc[r]);
      }
    } else {
      RAYO_UNROLL for (int p = 0; p < K; ++p) {
        const Vec<T> x = load_n(b + p * ldb + j, lanes, T(0));
        RAYO_UNROLL for (int r = 0; r < R; ++r) acc[r] = fma(a[r][p], x, acc[r]);
      }
    }
    if (finish) {
      RAYO_UNROLL for (int r = 0; r < R; ++r) {
        const T *c = e.c == nullptr ? nullptr : e.c + (row + r) * e.c_rs + j * e.c_cs;
        acc[r] = gemm_finish_lanes<T>(acc[r], e, c, e.c_cs, lanes);
      }
    }
    if (lanes == kW) {
      RAYO_UNROLL for (int r = 0; r < R; ++r) store(y + r * ldy + j, acc[r]);
    } else {
      RAYO_UNROLL for (int r = 0; r < R; ++r) store_n(y + r * ldy + j, acc[r], lanes);
    }
  }
}

template <class T, int K>
void gemm_shallow_steps(const GemmDirect<T> &g) {
  constexpr int kR = kGemmShallowRows;
  constexpr int64_t kColumns = kGemmShallowBytes / (K * static_cast<int64_t>(sizeof(T))) / Vec<T>::size * Vec<T>::size;
  for (int64_t col = 0; col < g.n; col += kColumns) {
    const int64_t end = col + kColumns < g.n ? col + kColumns : g.n;
    int64_t row = 0;
    for (; row + kR <= g.m; row += kR) gemm_shallow_rows<T, K, kR>(g, row, col, end);
    for (; row < g.m; ++row) gemm_shallow_rows<T, K, 1>(g, row, col, end);
  }
}

template <class T, int K = 1>
RAYO_INLINE void gemm_shallow_of(const GemmDirect<T> &g) {
  if constexpr (K < kGemmShallow<T>) {
    if (g.k > K) return gemm_shallow_of<T, K + 1>(g);
  }
  gemm_shallow_steps<T, K>(g);
}

/// Steps of k that go at once through a single row of y, where k is longer; 0 where that was not measured to win. B is
/// then read along so many of its rows, which the CPU's prefetcher follows; tiles go down columns.
template <class T>
inline constexpr int kGemmWalk = Vec<T>::size * sizeof(T) >= 32 ? 8 : 0;

/// K steps: y[0 .. n) = fma(a[p], b[p][0 .. n), y) in ascending order of p, from +0 where kFirst.
template <class T, int K, bool kFirst>
RAYO_INLINE void gemm_walk_steps(const GemmDirect<T> &g, const T *a, const T *b, T *y, int64_t n) {
  constexpr int kW = Vec<T>::size;
  Vec<T> x[K];
  RAYO_UNROLL for (int p = 0; p < K; ++p) x[p] = set1<Vec<T>>(gemm_get(a + p * g.a_cs));
  int64_t j = 0;
  for (; j + 2 * kW <= n; j += 2 * kW) {
    Vec<T> u = kFirst ? set1<Vec<T>>(T(0)) : load(y + j);
    Vec<T> v = kFirst ? set1<Vec<T>>(T(0)) : load(y + j + kW);
    RAYO_UNROLL for (int p = 0; p < K; ++p) {
      u = fma(x[p], load(b + p * g.ldb + j), u);
      v = fma(x[p], load(b + p * g.ldb + j + kW), v);
    }
    store(y + j, u);
    store(y + j + kW, v);
  }
  for (; j < n; j += kW) {
    const int lanes = n - j < kW ? static_cast<int>(n - j) : kW;
    Vec<T> u = kFirst ? set1<Vec<T>>(T(0)) : load_n(y + j, lanes, T(0));
    RAYO_UNROLL for (int p = 0; p < K; ++p) u = fma(x[p], load_n(b + p * g.ldb + j, lanes, T(0)), u);
    store_n(y + j, u, lanes);
  }
}

/// One row of y: a strip of it stays in the first-level cache for all of k.
template <class T>
void gemm_walk(const GemmDirect<T> &g) {
  constexpr int kW = Vec<T>::size, kK = kGemmWalk<T>;
  constexpr int64_t kColumns = kGemmShallowBytes / static_cast<int64_t>(sizeof(T));
  const GemmEpilogue<T> e = g.epilogue;
  for (int64_t col = 0; col < g.n; col += kColumns) {
    const int64_t n = g.n - col < kColumns ? g.n - col : kColumns;
    const T *b = g.b + col;
    T *y = g.y + col;
    int64_t p = kK;
    gemm_walk_steps<T, kK, true>(g, g.a, b, y, n);
    for (; p + kK <= g.k; p += kK) gemm_walk_steps<T, kK, false>(g, g.a + p * g.a_cs, b + p * g.ldb, y, n);
    for (; p < g.k; ++p) gemm_walk_steps<T, 1, false>(g, g.a + p * g.a_cs, b + p * g.ldb, y, n);
    if (e.c == nullptr && e.alpha == T(1)) continue;
    for (int64_t j = 0; j < n; j += kW) {
      const int lanes = n - j < kW ? static_cast<int>(n - j) : kW;
      const T *c = e.c == nullptr ? nullptr : e.c + (col + j) * e.c_cs;
      store_n(y + j, gemm_finish_lanes<T>(load_n(y + j, lanes, T(0)), e, c, e.c_cs, lanes), lanes);
    }
  }
}

template <class T>
void gemm_shallow(const GemmDirect<T> &g) {
  if constexpr (kGemmWalk<T> != 0) {
    if (g.k > kGemmShallow<T>) return gemm_walk<T>(g);
  }
  gemm_shallow_of<T>(g);
}

RAYO_ISA_END

#endif  // RAYO_KERNELS_GEMM_SHALLOW_H
