// SPDX-License-Identifier: Apache-2.0
//
// Matrix times vector where the matrix runs along k: each result is a dot product in the virtual-width order of the
// numerics contract. Memory-bound: several rows share each load of x, one stream per row.
#ifndef RAYO_KERNELS_GEMM_MATVEC_H
#define RAYO_KERNELS_GEMM_MATVEC_H

#include <kernels/gemm_pack.h>

RAYO_ISA_BEGIN

/// Vectors that hold the virtual lanes of one row, and rows taken at once: 16 accumulators where registers are wide.
template <class T>
inline constexpr int kGemmDotVectors = static_cast<int>(kGemmDotLanes<T>) / Vec<T>::size;
template <class T>
inline constexpr int kGemmDotRows = kGemmDotVectors<T> <= 4 ? 4 : 1;

/// Lanes of one row combined by halving, between vectors; inside the one left it is fold_lanes.
template <class T>
RAYO_INLINE Vec<T> gemm_dot_fold(Vec<T> (&acc)[kGemmDotVectors<T>]) {
  RAYO_UNROLL for (int h = kGemmDotVectors<T> / 2; h > 0; h /= 2) {
    for (int v = 0; v < h; ++v) acc[v] = acc[v] + acc[v + h];
  }
  return acc[0];
}
inline constexpr auto gemm_dot_add = [](auto a, auto b) RAYO_LAMBDA { return a + b; };

/// sums[r]: what folds to the dot of one block of n <= kGemmDotBlock elements, for R rows that lie rs apart. The last
/// group of kGemmDotLanes is filled with +0 in both operands: every lane sees the step, as fma(+0, +0, -0) is +0.
template <class T, int R>
RAYO_INLINE void gemm_dot_vectors(const T *a, int64_t rs, const T *x, int64_t n, Vec<T> *sums) {
  constexpr int kW = Vec<T>::size;
  constexpr int kV = kGemmDotVectors<T>;
  Vec<T> acc[R][kV];
  RAYO_UNROLL for (int r = 0; r < R; ++r) for (int v = 0; v < kV; ++v) acc[r][v] = set1<Vec<T>>(T(0));
  int64_t i = 0;
  for (; i + kGemmDotLanes<T> <= n; i += kGemmDotLanes<T>) {
    _Pragma("GCC unroll 64") for (int v = 0; v < kV; ++v) {
      const Vec<T> xv = load(x + i + v * kW);
      RAYO_UNROLL for (int r = 0; r < R; ++r) acc[r][v] = fma(load(a + r * rs + i + v * kW), xv, acc[r][v]);
    }
  }
  if (i < n) {
    _Pragma("GCC unroll 64") for (int v = 0; v < kV; ++v) {
      const int lanes = gemm_lanes<T>(n - i, v);
      const Vec<T> xv = load_n(x + i + v * kW, lanes, T(0));
      RAYO_UNROLL for (int r = 0; r < R; ++r) {
        acc[r][v] = fma(load_n(a + r * rs + i + v * kW, lanes, T(0)), xv, acc[r][v]);
      }
    }
  }
  RAYO_UNROLL for (int r = 0; r < R; ++r) sums[r] = gemm_dot_fold<T>(acc[r]);
}

template <class T, int R>
RAYO_INLINE void gemm_dot_block(const T *a, int64_t rs, const T *x, int64_t n, T *sums) {
  Vec<T> vectors[R];
  gemm_dot_vectors<T, R>(a, rs, x, n, vectors);
  RAYO_UNROLL for (int r = 0; r < R; ++r) sums[r] = fold_lanes<T>(vectors[r], gemm_dot_add);
}

/// As many rows of one block each as a vector has lanes: they fold together, and there is nothing else to combine.
template <class T>
RAYO_INLINE void gemm_dot_short_rows(const GemmRows<T> &g, int64_t row) {
  constexpr int kW = Vec<T>::size;
  constexpr int kR = kGemmDotRows<T> < kW ? kGemmDotRows<T> : kW;
  Vec<T> vectors[kW];
  for (int r = 0; r < kW; r += kR) {
    gemm_dot_vectors<T, kR>(g.a + (row + r) * g.a_rs, g.a_rs, g.x, g.k, vectors + r);
  }
  T sums[kW];
  store(sums, fold_each<T>(vectors, gemm_dot_add));
  for (int r = 0; r < kW; ++r) gemm_put(g.y + (row + r) * g.y_s, gemm_finish_one(sums[r], g.epilogue, row + r, 0));
}

/// Block results combined pairwise level by level: a counter whose bit b holds the sum of 2^b finished blocks.
template <class T, int R>
struct GemmPairwise {
  T level[48][R];
  uint64_t blocks = 0;

  RAYO_INLINE void push(T (&sums)[R]) {
    int b = 0;
    for (uint64_t carry = blocks; (carry & 1) != 0; carry >>= 1, ++b) {
      for (int r = 0; r < R; ++r) sums[r] = level[b][r] + sums[r];
    }
    for (int r = 0; r < R; ++r) level[b][r] = sums[r];
    ++blocks;
  }
  /// The total; +0 without blocks. An odd rest joins its left neighbours from the smallest up.
  RAYO_INLINE void total(T (&sums)[R]) const {
    bool some = false;
    for (int r = 0; r < R; ++r) sums[r] = T(0);
    for (int b = 0; blocks >> b != 0; ++b) {
      if ((blocks >> b & 1) == 0) continue;
      for (int r = 0; r < R; ++r) sums[r] = some ? level[b][r] + sums[r] : level[b][r];
      some = true;
    }
  }
};

template <class T, int R>
RAYO_INLINE void gemm_dot_rows(const GemmRows<T> &g, int64_t row) {
  const T *a = g.a + row * g.a_rs;
  GemmPairwise<T, R> pairs;
  T sums[R];
  for (int64_t p = 0; p < g.k; p += kGemmDotBlock<T>) {
    const int64_t n = g.k - p < kGemmDotBlock<T> ? g.k - p : kGemmDotBlock<T>;
    if (g.a_cs == 1) {
      gemm_dot_block<T, R>(a + p, g.a_rs, g.x + p, n, sums);
    } else {
      for (int r = 0; r < R; ++r) {
        for (int64_t i = 0; i < n; ++i) g.scratch[i] = gemm_get(a + r * g.a_rs + (p + i) * g.a_cs);
        gemm_dot_block<T, 1>(g.scratch, 0, g.x + p, n, sums + r);
      }
    }
    pairs.push(sums);
  }
  pairs.total(sums);
  for (int r = 0; r < R; ++r) gemm_put(g.y + (row + r) * g.y_s, gemm_finish_one(sums[r], g.epilogue, row + r, 0));
}

template <class T>
void gemm_rows(const GemmRows<T> &g) {
  constexpr int kR = kGemmDotRows<T>;
  int64_t row = 0;
  if (g.a_cs == 1 && g.k <= kGemmDotBlock<T>) {
    for (; row + Vec<T>::size <= g.m; row += Vec<T>::size) gemm_dot_short_rows(g, row);
  }
  if constexpr (kR > 1) {
    for (; row + kR <= g.m; row += kR) gemm_dot_rows<T, kR>(g, row);
  }
  for (; row < g.m; ++row) gemm_dot_rows<T, 1>(g, row);
}

RAYO_ISA_END

#endif  // RAYO_KERNELS_GEMM_MATVEC_H
