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

template <class T>
void gemm_shallow(const GemmDirect<T> &g) {
  gemm_shallow_of<T>(g);
}

RAYO_ISA_END

#endif  // RAYO_KERNELS_GEMM_SHALLOW_H
