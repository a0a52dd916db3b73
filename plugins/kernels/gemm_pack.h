// SPDX-License-Identifier: Apache-2.0
//
// Packing for the matrix product, and the way back: panels that the micro-kernel reads with stride one, from operands
// of any strides; finished chains into results of any strides.
#ifndef RAYO_KERNELS_GEMM_PACK_H
#define RAYO_KERNELS_GEMM_PACK_H

#include <kernels/gemm_macro.h>

RAYO_ISA_BEGIN

/// dst[c * ld + r] = src[r * rs + c * cs] for rows x cols; ld >= rows. Tiles through registers where cs is 1.
template <class T>
RAYO_INLINE void gemm_transpose_copy(const T *src, int64_t rs, int64_t cs, T *dst, int64_t ld, int64_t rows,
                                     int64_t cols) {
  constexpr int64_t kS = kTile<T>;
  int64_t r = 0;
  if (cs == 1 && kS > 1) {
    for (; r + kS <= rows; r += kS) {
      int64_t c = 0;
      for (; c + kS <= cols; c += kS) transpose_tile(src + r * rs + c, rs, dst + c * ld + r, ld);
      for (; c < cols; ++c)
        for (int64_t i = r; i < r + kS; ++i) gemm_put(dst + c * ld + i, gemm_get(src + i * rs + c));
    }
  }
  if (r == rows) return;
  for (int64_t c = 0; c < cols; ++c)
    for (int64_t i = r; i < rows; ++i) gemm_put(dst + c * ld + i, gemm_get(src + i * rs + c * cs));
}

/// dst[i] = src[i] for n elements.
template <class T>
RAYO_INLINE void gemm_copy(const T *src, T *dst, int64_t n) {
  constexpr int kW = Vec<T>::size;
  int64_t i = 0;
  for (; i + kW <= n; i += kW) store(dst + i, load(src + i));
  if (i < n) store_n(dst + i, load_n(src + i, static_cast<int>(n - i), T(0)), static_cast<int>(n - i));
}

/// Rows [row, row + h) of a block with at least kTile rows and columns, unit column stride: dst[p * h + i]. A tile at
/// an edge is moved inwards instead of cut: what it covers twice is written twice with the same values.
template <class T>
RAYO_INLINE void gemm_pack_rows(const GemmPack<T> &g, int64_t row, int64_t h, T *dst) {
  constexpr int64_t kS = kTile<T>;
  for (int64_t c = 0; c < g.cols; c += kS) {
    const int64_t at = c < g.cols - kS ? c : g.cols - kS;
    for (int64_t r = 0; r < h; r += kS) {
      const int64_t from = r < h - kS ? r : h - kS;
      transpose_tile(g.src + (row + from) * g.rs + at, g.rs, dst + at * h + from, h);
    }
  }
}

/// The same for h below kTile. Whole tiles are written: what they hold beyond h is overwritten by the next column, or
/// by the next tile of rows, as columns and tiles come in ascending order. The last rows go through a small square,
/// from which those wanted are copied.
template <class T>
RAYO_INLINE void gemm_pack_few_rows(const GemmPack<T> &g, int64_t row, int64_t h, T *dst) {
  constexpr int64_t kS = kTile<T>;
  if (row + kS <= g.rows) {
    for (int64_t c = 0; c < g.cols; c += kS) {
      const int64_t at = c < g.cols - kS ? c : g.cols - kS;
      transpose_tile(g.src + row * g.rs + at, g.rs, dst + at * h, h);
    }
    return;
  }
  T square[kS * kS];
  const int64_t from = row < g.rows - kS ? row : g.rows - kS;
  const T *rows = square + (row - from);
  for (int64_t c = 0; c < g.cols; c += kS) {
    const int64_t at = c < g.cols - kS ? c : g.cols - kS;
    transpose_tile(g.src + from * g.rs + at, g.rs, square, kS);
    for (int64_t p = 0; p < kS; ++p) gemm_copy(rows + p * kS, dst + (at + p) * h, h);
  }
}

template <class T>
void gemm_pack_a(const GemmPack<T> &g) {
  constexpr int64_t kS = kTile<T>;
  const bool square = kS > 1 && g.cs == 1 && g.rows >= kS && g.cols >= kS;
  const GemmSplit split = gemm_split<T>(g.rows, g.nr);
  int64_t row = 0;
  for (int64_t tile = 0; tile < split.tiles; ++tile) {
    const int64_t h = split.height - (tile < split.tall ? 0 : 1);
    const T *src = g.src + row * g.rs;
    T *dst = g.dst + row * g.cols;
    if (square && h >= kS) {
      gemm_pack_rows(g, row, h, dst);
    } else if (square) {
      gemm_pack_few_rows(g, row, h, dst);
    } else if (g.rs == 1) {
      for (int64_t p = 0; p < g.cols; ++p) gemm_copy(src + p * g.cs, dst + p * h, h);
    } else {
      gemm_transpose_copy(src, g.rs, g.cs, dst, h, h, g.cols);
    }
    row += h;
  }
}

/// One panel of n <= nr columns: dst[p * nr + j], filled with +0 to the panel's width, a multiple of the vector's.
template <class T>
void gemm_pack_panel(const T *src, int64_t rs, int64_t cs, T *dst, int64_t k, int64_t n, int64_t nr) {
  constexpr int kW = Vec<T>::size;
  if (cs == 1) {
    for (int64_t p = 0; p < k; ++p) {
      for (int64_t j = 0; j < nr; j += kW) {
        const int64_t left = n - j;
        const int lanes = static_cast<int>(left < 0 ? 0 : (left < kW ? left : kW));
        store(dst + p * nr + j, lanes == kW ? load(src + p * rs + j) : load_n(src + p * rs + j, lanes, T(0)));
      }
    }
    return;
  }
  gemm_transpose_copy(src, cs, rs, dst, nr, n, k);
  if (n == nr) return;
  for (int64_t p = 0; p < k; ++p)
    for (int64_t j = n; j < nr; ++j) dst[p * nr + j] = T(0);
}

template <class T>
void gemm_pack_b(const GemmPack<T> &g) {
  for (int64_t col = 0; col < g.cols; col += g.nr) {
    const int64_t n = g.cols - col < g.nr ? g.cols - col : g.nr;
    gemm_pack_panel(g.src + col * g.cs, g.rs, g.cs, g.dst + col * g.rows, g.rows, n, g.nr);
  }
}

RAYO_INLINE float gemm_fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
RAYO_INLINE double gemm_fma(double a, double b, double c) { return __builtin_fma(a, b, c); }

/// The finished element of chain acc at (i, j).
template <class T>
RAYO_INLINE T gemm_finish_one(T acc, const GemmEpilogue<T> &e, int64_t i, int64_t j) {
  const T t = e.alpha * acc;
  return e.c == nullptr ? t : gemm_fma(e.beta, gemm_get(e.c + i * e.c_rs + j * e.c_cs), t);
}

template <class T>
void gemm_finish(const GemmFinish<T> &g) {
  for (int64_t i = 0; i < g.m; ++i)
    for (int64_t j = 0; j < g.n; ++j)
      gemm_put(g.y + i * g.y_rs + j * g.y_cs, gemm_finish_one(g.acc[i * g.ld_acc + j], g.epilogue, i, j));
}

RAYO_ISA_END

#endif  // RAYO_KERNELS_GEMM_PACK_H
