// SPDX-License-Identifier: Apache-2.0
//
// The matrix product where y has few columns: lanes are rows of y, so that all of them are of use. A's rows are turned
// into columns in registers on the way; each element is still one FMA chain over ascending k.
//
// AVX-512, f32: 256 elements of A cost 48 shuffles, on one port, and 16 blends and 16 FMAs per column of y, on two:
// 0.25 cycles per element for 4 columns, where a tile whose lanes are columns takes 0.5 at best.
#ifndef RAYO_KERNELS_GEMM_NARROW_H
#define RAYO_KERNELS_GEMM_NARROW_H

#include <kernels/gemm_matvec.h>

RAYO_ISA_BEGIN

/// Most columns of y: beyond, lanes as columns are as fast. A 2-core Xeon with AVX-512, time of those over this, 256
/// rows, k 256: AVX-512 f32 4 columns 1.7, 8 1.25, 9 1.11, 10 1.01; f64 4 1.1, 5 1.0, 6 0.85. Zen 5, AVX2: f32 7 1.15,
/// 8 0.98; f64 3 1.5 (k 1000), 4 0.72.
template <class T>
inline constexpr int kGemmNarrow = Vec<T>::size == 16  ? 9
                                   : Vec<T>::size == 4 ? 3
                                   : Vec<T>::size < 4  ? 0
                                   : sizeof(T) == 8    ? 4
                                                       : 7;

/// One step of k: the column of A times row p of b.
template <class T, int N>
RAYO_INLINE void gemm_narrow_step(Vec<T> (&acc)[N], Vec<T> column, const T *b) {
  RAYO_UNROLL for (int j = 0; j < N; ++j) acc[j] = fma(column, set1<Vec<T>>(gemm_get(b + j)), acc[j]);
}

/// Groups of Vec<T>::size rows that go side by side, as one chain waits for each of its FMAs. Zen 5, time of one group
/// over these, k 1000: AVX2 f32 1 column 2.03, 2 1.89, 3 1.21, 4 1.13; f64 2.84, 2.72, 1.5; AVX-512 (f32: of two over
/// three) 1 0.96, with k 100 1.1; f64 1 1.46, 2 1.47.
template <class T>
constexpr int gemm_narrow_groups(int columns) {
  constexpr int kW = Vec<T>::size;
  if (kW == 4) return columns <= 2 ? 4 : 2;
  if (columns == 1) return 3;
  if (kW == 8 && sizeof(T) == 8) return columns == 2 ? 2 : 1;
  if (kW == 8 && columns == 2) return 4;
  return columns <= 4 ? 2 : 1;
}

/// The steps of kLoadColumns columns of A from its column p on, the first `skip` left out.
template <class T, int N, int G>
RAYO_INLINE void gemm_narrow_tile(Vec<T> (&acc)[G][N], const GemmDirect<T> &g, const T *a, const T *b, int skip) {
  constexpr int kC = kLoadColumns<T>;
  RAYO_UNROLL for (int i = 0; i < G; ++i) {
    Vec<T> columns[kC];
    load_columns(a + i * Vec<T>::size * g.a_rs, g.a_rs, columns);
    RAYO_UNROLL for (int q = 0; q < kC; ++q) {
      if (q >= skip) gemm_narrow_step<T, N>(acc[i], columns[q], b + q * g.ldb);
    }
  }
}

/// lanes = alpha lanes + beta c[0 .. n), c's elements `step` apart: 0 or 1.
template <class T>
RAYO_INLINE Vec<T> gemm_finish_lanes(Vec<T> lanes, const GemmEpilogue<T> &e, const T *c, int64_t step, int n) {
  const Vec<T> t = set1<Vec<T>>(e.alpha) * lanes;
  if (c == nullptr) return t;
  return fma(set1<Vec<T>>(e.beta), step == 0 ? set1<Vec<T>>(gemm_get(c)) : load_n(c, n, T(0)), t);
}

/// Rows [row, row + lanes) of y from their columns: stored as columns, or turned back and stored as rows.
template <class T, int N>
RAYO_INLINE void gemm_narrow_finish(const GemmDirect<T> &g, int64_t row, const Vec<T> (&acc)[N]) {
  constexpr int kW = Vec<T>::size, kC = kLoadColumns<T>;
  const GemmEpilogue<T> e = g.epilogue;
  const int64_t y_rs = g.y_rs, y_cs = g.y_cs;
  T *y = g.y + row * y_rs;
  const T *c = e.c == nullptr ? nullptr : e.c + row * e.c_rs;
  if (y_rs == 1 && (c == nullptr || e.c_rs == 0 || e.c_rs == 1)) {
    RAYO_UNROLL for (int j = 0; j < N; ++j) {
      store(y + j * y_cs, gemm_finish_lanes<T>(acc[j], e, c == nullptr ? c : c + j * e.c_cs, e.c_rs, kW));
    }
    return;
  }
  T turned[kW * kW] = {};
  RAYO_UNROLL for (int j = 0; j < N; ++j) store(turned + j * kW, acc[j]);
  if (y_cs == 1 && (c == nullptr || e.c_cs == 0 || e.c_cs == 1)) {
    for (int i = 0; i < kW; i += kC) {
      Vec<T> rows[kC];
      load_columns(turned + i, kW, rows);
      RAYO_UNROLL for (int q = 0; q < kC; ++q) {
        const T *c_row = c == nullptr ? c : c + (i + q) * e.c_rs;
        store_n(y + (i + q) * y_rs, gemm_finish_lanes<T>(rows[q], e, c_row, e.c_cs, N), N);
      }
    }
    return;
  }
  for (int i = 0; i < kW; ++i) {
    for (int j = 0; j < N; ++j) {
      gemm_put(y + i * y_rs + j * y_cs, gemm_finish_one(turned[j * kW + i], e, row + i, j));
    }
  }
}

/// G groups of rows of y, N columns.
template <class T, int N, int G>
RAYO_INLINE void gemm_narrow_rows(const GemmDirect<T> &g, int64_t row) {
  constexpr int kW = Vec<T>::size, kC = kLoadColumns<T>;
  const T *a = g.a + row * g.a_rs;
  const T *b = g.b;
  Vec<T> acc[G][N];
  RAYO_UNROLL for (int i = 0; i < G; ++i) RAYO_UNROLL for (int j = 0; j < N; ++j) acc[i][j] = set1<Vec<T>>(T(0));
  int64_t p = 0;
  if (g.a_cs == 1) {
    for (; p + kC <= g.k; p += kC, b += kC * g.ldb) gemm_narrow_tile<T, N, G>(acc, g, a + p, b, 0);
    const int rest = static_cast<int>(g.k - p);
    if (rest > 0) gemm_narrow_tile<T, N, G>(acc, g, a + g.k - kC, b + (rest - kC) * g.ldb, kC - rest);
  } else {
    for (; p < g.k; ++p, a += g.a_cs, b += g.ldb) {
      RAYO_UNROLL for (int i = 0; i < G; ++i) gemm_narrow_step<T, N>(acc[i], load(a + i * kW), b);
    }
  }
  RAYO_UNROLL for (int i = 0; i < G; ++i) gemm_narrow_finish<T, N>(g, row + i * kW, acc[i]);
}

/// The last rows go together with some that are done already, whose values they write again.
template <class T, int N>
void gemm_narrow_columns(const GemmDirect<T> &g) {
  constexpr int kW = Vec<T>::size, kG = gemm_narrow_groups<T>(N);
  int64_t row = 0;
  if constexpr (kG > 1) {
    for (; row + kG * kW <= g.m; row += kG * kW) gemm_narrow_rows<T, N, kG>(g, row);
  }
  for (; row < g.m; row += kW) gemm_narrow_rows<T, N, 1>(g, row + kW <= g.m ? row : g.m - kW);
}

template <class T, int N = 1>
RAYO_INLINE void gemm_narrow_of(const GemmDirect<T> &g) {
  if constexpr (N < kGemmNarrow<T>) {
    if (g.n > N) return gemm_narrow_of<T, N + 1>(g);
  }
  gemm_narrow_columns<T, N>(g);
}

/// Rows of y for which groups of columns take turns: their rows of A stay in the second-level cache.
inline constexpr int64_t kGemmNarrowTurn = 64;

template <class T>
void gemm_narrow(const GemmDirect<T> &g) {
  constexpr int64_t kMost = kGemmNarrow<T> == 0 ? 1 : kGemmNarrow<T>;
  if (g.n <= kMost) return gemm_narrow_of<T>(g);
  const int64_t groups = (g.n + kMost - 1) / kMost;
  const int64_t columns = (g.n + groups - 1) / groups;
  GemmDirect<T> part = g;
  for (int64_t row = 0; row < g.m; row += part.m) {
    // The last rows join those before them where they are fewer than a vector.
    part.m = g.m - row < kGemmNarrowTurn + Vec<T>::size ? g.m - row : kGemmNarrowTurn;
    part.a = g.a + row * g.a_rs;
    for (int64_t col = 0; col < g.n; col += columns) {
      part.n = g.n - col < columns ? g.n - col : columns;
      part.b = g.b + col;
      part.y = g.y + row * g.y_rs + col * g.y_cs;
      if (g.epilogue.c != nullptr) part.epilogue.c = g.epilogue.c + row * g.epilogue.c_rs + col * g.epilogue.c_cs;
      gemm_narrow_of<T>(part);
    }
  }
}

RAYO_ISA_END

#endif  // RAYO_KERNELS_GEMM_NARROW_H
