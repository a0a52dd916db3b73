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

/// One tile of h rows, k-major: dst[p * h + i].
template <class T>
void gemm_pack_tile(const T *src, int64_t rs, int64_t cs, T *dst, int64_t h, int64_t k) {
  if (rs == 1) {
    for (int64_t p = 0; p < k; ++p) gemm_copy(src + p * cs, dst + p * h, h);
  } else {
    gemm_transpose_copy(src, rs, cs, dst, h, h, k);
  }
}

template <class T>
void gemm_pack_a(const GemmPack<T> &g) {
  const GemmSplit split = gemm_split<T>(g.rows);
  int64_t row = 0;
  for (int64_t tile = 0; tile < split.tiles; ++tile) {
    const int64_t height = split.height - (tile < split.tall ? 0 : 1);
    gemm_pack_tile(g.src + row * g.rs, g.rs, g.cs, g.dst + row * g.cols, height, g.cols);
    row += height;
  }
}

/// One panel of n <= nr columns: dst[p * nr + j], filled with +0 to the panel's width.
template <class T>
void gemm_pack_panel(const T *src, int64_t rs, int64_t cs, T *dst, int64_t k, int64_t n, int64_t nr) {
  if (cs == 1) {
    for (int64_t p = 0; p < k; ++p) gemm_copy(src + p * rs, dst + p * nr, n);
  } else {
    gemm_transpose_copy(src, cs, rs, dst, nr, n, k);
  }
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
