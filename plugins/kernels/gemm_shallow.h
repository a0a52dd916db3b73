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

/// Steps of k that go at once through few rows of y, where k is longer; 0: none. B is then read along so many of its
/// rows, which the CPU's prefetcher follows; tiles go down columns.
template <class T>
inline constexpr int kGemmWalk = Vec<T>::size * sizeof(T) >= 32 ? 8 : 0;
/// Most rows of y at a time.
inline constexpr int kGemmWalkGroup = 4;
/// Of y's strip, which is passed once per step: of one row in the first-level cache, of several in the second.
inline constexpr int64_t kGemmWalkRowBytes = int64_t{16} << 10;
inline constexpr int64_t kGemmWalkBytes = int64_t{128} << 10;
/// Of B that several groups of rows read in turn.
inline constexpr int64_t kGemmWalkPartBytes = int64_t{16} << 10;

/// Of B, from which what comes next is asked for: it comes from memory. Zen 5, AVX2, f32, time without:
/// 4x4096x4096 1.7, 8x4096x4096 1.3, 4x1024x1024 0.97.
inline constexpr int64_t kGemmWalkAhead = int64_t{8} << 20;

/// What a step reads and writes: K rows of b and R of y, n columns; a[p * a_step + r], a_step = R but of one row;
/// ahead: K rows of B that come next.
template <class T>
struct GemmWalk {
  const T *a;
  int64_t a_step;
  const T *b;
  const T *ahead;
  int64_t ldb;
  T *y;
  int64_t ldy;
  int64_t n;
};

/// y[r][j] = fma(a[p][r], b[p][j], y[r][j]) in ascending order of p, from +0 where kFirst.
template <class T, int K, int R, bool kFirst, bool kAhead>
RAYO_INLINE void gemm_walk_step(const GemmWalk<T> &g) {
  constexpr int kW = Vec<T>::size, kV = 2;
  const T *a = g.a, *b = g.b;
  T *y = g.y;
  const int64_t n = g.n, ldb = g.ldb, ldy = g.ldy;
  const int64_t to_ahead = g.ahead - b;
  // Of one row they stay in registers.
  Vec<T> held[R == 1 ? K : 1];
  if constexpr (R == 1) RAYO_UNROLL for (int p = 0; p < K; ++p) held[p] = set1<Vec<T>>(gemm_get(a + p * g.a_step));
  const auto element = [&](int p, int r)
                           RAYO_LAMBDA { return R == 1 ? held[p] : set1<Vec<T>>(gemm_get(a + p * R + r)); };
  int64_t j = 0;
  for (; j + kV * kW <= n; j += kV * kW) {
    Vec<T> u[R][kV];
    RAYO_UNROLL for (int r = 0; r < R; ++r) RAYO_UNROLL for (int v = 0; v < kV; ++v) {
      u[r][v] = kFirst ? set1<Vec<T>>(T(0)) : load(y + r * ldy + j + v * kW);
    }
    RAYO_UNROLL for (int p = 0; p < K; ++p) {
      const T *from = b + p * ldb + j;
      const Vec<T> x[kV] = {load(from), load(from + kW)};
      if constexpr (kAhead) {
        RAYO_UNROLL for (int v = 0; v < kV; v += kGemmLineVectors<T>) __builtin_prefetch(from + to_ahead + v * kW);
      }
      RAYO_UNROLL for (int r = 0; r < R; ++r) {
        const Vec<T> e = element(p, r);
        RAYO_UNROLL for (int v = 0; v < kV; ++v) u[r][v] = fma(e, x[v], u[r][v]);
      }
    }
    RAYO_UNROLL for (int r = 0; r < R; ++r) RAYO_UNROLL for (int v = 0; v < kV; ++v) {
      store(y + r * ldy + j + v * kW, u[r][v]);
    }
  }
  for (; j < n; j += kW) {
    const int lanes = n - j < kW ? static_cast<int>(n - j) : kW;
    Vec<T> u[R];
    RAYO_UNROLL for (int r = 0; r < R; ++r) {
      u[r] = kFirst ? set1<Vec<T>>(T(0)) : load_n(y + r * ldy + j, lanes, T(0));
    }
    RAYO_UNROLL for (int p = 0; p < K; ++p) {
      const Vec<T> x = load_n(b + p * ldb + j, lanes, T(0));
      RAYO_UNROLL for (int r = 0; r < R; ++r) u[r] = fma(element(p, r), x, u[r]);
    }
    RAYO_UNROLL for (int r = 0; r < R; ++r) store_n(y + r * ldy + j, u[r], lanes);
  }
}

/// A function of each, as there are a dozen.
template <class T, int K, int R, bool kFirst, bool kAhead>
[[gnu::noinline]] void gemm_walk_part(const GemmWalk<T> &g) {
  gemm_walk_step<T, K, R, kFirst, kAhead>(g);
}

/// Of more rows than one no group has less than two.
template <class T, int K, bool kFirst, bool kAhead>
RAYO_INLINE void gemm_walk_group(const GemmWalk<T> &g) {
  static_assert(kGemmWalkGroup == 4);
  if (g.a_step == 2) return gemm_walk_part<T, K, 2, kFirst, kAhead>(g);
  if (g.a_step == 3) return gemm_walk_part<T, K, 3, kFirst, kAhead>(g);
  gemm_walk_part<T, K, 4, kFirst, kAhead>(g);
}

/// K steps of k from step p on, columns [col, col + n), all rows. ahead: what comes next is asked for.
template <class T, int K, bool kFirst>
RAYO_INLINE void gemm_walk_rows(const GemmDirect<T> &g, int64_t p, int64_t col, int64_t n, bool ahead) {
  const T *b = g.b + p * g.ldb + col;
  if (g.m == 1) return gemm_walk_step<T, K, 1, kFirst, false>({g.a + p * g.a_cs, g.a_cs, b, b, g.ldb, g.y + col, 0, n});
  const int64_t groups = (g.m + kGemmWalkGroup - 1) / kGemmWalkGroup;
  const int64_t part = kGemmWalkPartBytes / static_cast<int64_t>(sizeof(T)) / K;
  const auto first = [&](int64_t group) RAYO_LAMBDA { return group * g.m / groups; };
  T a[kGemmWalkRows * K];
  for (int64_t i = 0; i < groups; ++i) {
    const int64_t begin = first(i), rows = first(i + 1) - begin;
    for (int64_t r = 0; r < rows; ++r) {
      for (int q = 0; q < K; ++q) a[begin * K + q * rows + r] = gemm_get(g.a + (begin + r) * g.a_rs + (p + q) * g.a_cs);
    }
  }
  for (int64_t j = 0; j < n; j += part) {
    const int64_t columns = n - j < part ? n - j : part;
    const T *next = j + part < n ? b + j + part : b + K * g.ldb;
    for (int64_t i = 0; i < groups; ++i) {
      const int64_t begin = first(i), rows = first(i + 1) - begin;
      const GemmWalk<T> walk = {a + begin * K, rows,   b + j, next, g.ldb, g.y + begin * g.y_rs + col + j,
                                g.y_rs,        columns};
      if (ahead && i + 1 == groups) {
        gemm_walk_group<T, K, kFirst, true>(walk);
      } else {
        gemm_walk_group<T, K, kFirst, false>(walk);
      }
    }
  }
}

/// Few rows of y: a strip of them stays in a near cache for all of k.
template <class T>
void gemm_walk(const GemmDirect<T> &g) {
  constexpr int kW = Vec<T>::size, kK = kGemmWalk<T>;
  constexpr auto kSize = static_cast<int64_t>(sizeof(T));
  const bool ahead = g.n >= kGemmWalkAhead / kSize / g.k;
  const int64_t strip = (g.m == 1 ? kGemmWalkRowBytes : kGemmWalkBytes) / kSize / g.m / (2 * kW) * (2 * kW);
  const GemmEpilogue<T> e = g.epilogue;
  for (int64_t col = 0; col < g.n; col += strip) {
    const int64_t n = g.n - col < strip ? g.n - col : strip;
    int64_t p = kK;
    gemm_walk_rows<T, kK, true>(g, 0, col, n, ahead);
    for (; p + kK <= g.k; p += kK) gemm_walk_rows<T, kK, false>(g, p, col, n, ahead);
    for (; p < g.k; ++p) gemm_walk_rows<T, 1, false>(g, p, col, n, false);
    if (e.c == nullptr && e.alpha == T(1)) continue;
    for (int64_t r = 0; r < g.m; ++r) {
      T *y = g.y + r * g.y_rs + col;
      for (int64_t j = 0; j < n; j += kW) {
        const int lanes = n - j < kW ? static_cast<int>(n - j) : kW;
        const T *c = e.c == nullptr ? nullptr : e.c + r * e.c_rs + (col + j) * e.c_cs;
        store_n(y + j, gemm_finish_lanes<T>(load_n(y + j, lanes, T(0)), e, c, e.c_cs, lanes), lanes);
      }
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
