// SPDX-License-Identifier: Apache-2.0
//
// The loops around the micro-kernel: which tile shapes an ISA has, and how a block of y is covered by them. Tiles of
// one block differ by at most one row in height (12,12,11,11 rather than 12,12,12,10), because a low tile has too few
// chains in flight to hide the FMA's latency.
#ifndef RAYO_KERNELS_GEMM_MACRO_H
#define RAYO_KERNELS_GEMM_MACRO_H

#include <kernels/gemm_micro.h>

RAYO_ISA_BEGIN

/// Full tile by bytes of a vector: rows and vectors. 64: 24 of 32 zmm accumulate; 32: 12 of 16 ymm; 16: NEON's 8x12
/// (f32) takes 24 of 32; narrower: one element at a time.
template <int kBytes>
struct GemmShape {
  static constexpr int rows = 4, vectors = 4;
};
template <>
struct GemmShape<16> {
  static constexpr int rows = 8, vectors = 3;
};
template <>
struct GemmShape<32> {
  static constexpr int rows = 6, vectors = 2;
};
template <>
struct GemmShape<64> {
  static constexpr int rows = 12, vectors = 2;
};

template <class T>
inline constexpr int kGemmRows = GemmShape<Vec<T>::size *static_cast<int>(sizeof(T))>::rows;
template <class T>
inline constexpr int kGemmVectors = GemmShape<Vec<T>::size *static_cast<int>(sizeof(T))>::vectors;
/// Most vectors of a tile of h rows: the full tile's accumulators spread over fewer rows.
template <class T>
RAYO_INLINE constexpr int gemm_vectors(int64_t h) {
  return kGemmVectors<T> * (h * 4 <= kGemmRows<T> ? 4 : (h * 2 <= kGemmRows<T> ? 2 : 1));
}

template <class T>
using GemmMicro = void (*)(const GemmTile<T> &);

/// micro[h - 1][width][rows_unit]: width 0 is one vector, 1, 2, 3 are 1x, 2x, 4x the full tile's vectors.
template <class T>
struct GemmMicros {
  GemmMicro<T> at[kGemmRows<T>][4][2];
};

template <class T, int H, int NV>
constexpr void gemm_fill_pair(GemmMicro<T> (&pair)[2]) {
  pair[0] = gemm_micro<T, H, NV, false>;
  pair[1] = gemm_micro<T, H, NV, true>;
}

template <class T, int H>
constexpr void gemm_fill(GemmMicros<T> &m) {
  gemm_fill_pair<T, H, 1>(m.at[H - 1][0]);
  gemm_fill_pair<T, H, kGemmVectors<T>>(m.at[H - 1][1]);
  if constexpr (H * 2 <= kGemmRows<T>) gemm_fill_pair<T, H, 2 * kGemmVectors<T>>(m.at[H - 1][2]);
  if constexpr (H * 4 <= kGemmRows<T>) gemm_fill_pair<T, H, 4 * kGemmVectors<T>>(m.at[H - 1][3]);
  if constexpr (H < kGemmRows<T>) gemm_fill<T, H + 1>(m);
}

template <class T>
constexpr GemmMicros<T> gemm_make_micros() {
  GemmMicros<T> m{};
  gemm_fill<T, 1>(m);
  return m;
}
template <class T>
inline constexpr GemmMicros<T> kGemmMicros = gemm_make_micros<T>();

/// Width index of the narrowest tile that covers n columns.
template <class T>
RAYO_INLINE int gemm_width(int64_t n) {
  constexpr int kW = Vec<T>::size;
  if (n <= kW) return 0;
  if (n <= kW * kGemmVectors<T>) return 1;
  return n <= 2 * kW * kGemmVectors<T> ? 2 : 3;
}

/// Heights of the tiles that m rows are cut into: `tall` tiles of `height` rows, then the rest of height - 1.
struct GemmSplit {
  int64_t tiles;
  int64_t height;
  int64_t tall;
};
template <class T>
RAYO_INLINE GemmSplit gemm_split(int64_t m) {
  const int64_t tiles = (m + kGemmRows<T> - 1) / kGemmRows<T>;
  const int64_t height = (m + tiles - 1) / tiles;
  return {tiles, height, m - tiles * (height - 1)};
}

template <class T>
int32_t gemm_tile_cols(int64_t m) {
  return Vec<T>::size * gemm_vectors<T>(gemm_split<T>(m).height);
}

/// One column panel of a block: all its row tiles. B's panel stays in the nearest cache that holds it meanwhile.
template <class T>
RAYO_INLINE void gemm_panel(const GemmBlock<T> &g, const GemmSplit &split, int64_t col, int64_t cols) {
  const int width = gemm_width<T>(cols);
  GemmEpilogue<T> e = g.epilogue;
  const bool finish = g.last && (e.c != nullptr || e.alpha != T(1));
  const bool rows_unit = g.packed || g.a_rs == 1;
  GemmTile<T> t{};
  t.b = g.b + col / g.nr * g.b_panel;
  t.ldb = g.ldb;
  t.ldy = g.ldy;
  t.k = g.k;
  t.n = cols;
  t.first = g.first;
  t.epilogue = finish ? &e : nullptr;
  int64_t row = 0;
  for (int64_t tile = 0; tile < split.tiles; ++tile) {
    const int64_t height = split.height - (tile < split.tall ? 0 : 1);
    t.a = g.a + row * (g.packed ? g.k : g.a_rs);
    t.a_step = g.packed ? height : (rows_unit ? g.a_cs : g.a_rs);
    t.y = g.y + row * g.ldy + col;
    if (e.c != nullptr) e.c = g.epilogue.c + row * e.c_rs + col * e.c_cs;
    kGemmMicros<T>.at[height - 1][width][rows_unit](t);
    row += height;
  }
}

template <class T>
void gemm_block(const GemmBlock<T> &g) {
  const GemmSplit split = gemm_split<T>(g.m);
  for (int64_t col = 0; col < g.n; col += g.nr) {
    gemm_panel(g, split, col, g.n - col < g.nr ? g.n - col : g.nr);
  }
}

RAYO_ISA_END

#endif  // RAYO_KERNELS_GEMM_MACRO_H
