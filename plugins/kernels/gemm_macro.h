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
///
/// nc: columns of a task at most. depth: of a block. With 32-byte vectors a panel of B of that depth shares the
/// first-level cache with A's tile; with 64-byte ones it is read ahead from the second level, and y is passed less
/// often. block_bytes: of A's block, in the second-level cache; one of twice the size is not cut. low_rows: tiles of so
/// many rows at most are wider (8x3 zmm): fewer loads per FMA, and more of a line's neighbours of a B that comes from
/// memory. Machines with 32-byte vectors have 32 KB and 256 or 512 KB, those with 64-byte ones 48 KB and 1 or 2 MB.
/// packs_a: an A that exceeds the first-level cache is packed. On Zen 3 (AVX2, f32) 256^3 gains 15%, as the short rows
/// of a tile defeat its prefetcher; on Emerald Rapids packing costs 5 to 15% up to 512^3.
template <int kBytes>
struct GemmShape {
  static constexpr int rows = 4, low_rows = 4, vectors = 4, depth = 512, nc = 1024, block_bytes = 512 << 10;
  static constexpr bool packs_a = false;
};
template <>
struct GemmShape<16> {
  static constexpr int rows = 8, low_rows = 8, vectors = 3, depth = 512, nc = 1024, block_bytes = 512 << 10;
  static constexpr bool packs_a = false;
};
template <>
struct GemmShape<32> {
  static constexpr int rows = 6, low_rows = 4, vectors = 2, depth = 256, nc = 1024, block_bytes = 192 << 10;
  static constexpr bool packs_a = true;
};
template <>
struct GemmShape<64> {
  static constexpr int rows = 12, low_rows = 8, vectors = 2, depth = 1024, nc = 512, block_bytes = 512 << 10;
  static constexpr bool packs_a = false;
};

template <class T>
using GemmShapeOf = GemmShape<Vec<T>::size *static_cast<int>(sizeof(T))>;
template <class T>
inline constexpr int kGemmRows = GemmShapeOf<T>::rows;
template <class T>
inline constexpr int kGemmLowRows = GemmShapeOf<T>::low_rows;
template <class T>
inline constexpr int kGemmVectors = GemmShapeOf<T>::vectors;
/// Widths of tiles, in vectors. A tile of h rows may be as wide as its accumulators fit in the registers of a full
/// tile: low tiles are wide, to have chains enough in flight.
inline constexpr int kGemmWidths[] = {1, 2, 3, 4, 8};
inline constexpr int kGemmWidthCount = 5;
template <class T>
RAYO_INLINE constexpr bool gemm_fits(int64_t h, int width) {
  return h * kGemmWidths[width] <= kGemmRows<T> * kGemmVectors<T>;
}
/// The widest tile of h rows, as an index of kGemmWidths, that does not exceed `vectors`.
template <class T>
RAYO_INLINE constexpr int gemm_widest(int64_t h, int64_t vectors) {
  int best = 0;
  for (int w = 1; w < kGemmWidthCount; ++w) {
    if (gemm_fits<T>(h, w) && kGemmWidths[w] <= vectors) best = w;
  }
  return best;
}

template <class T>
using GemmMicro = void (*)(const GemmTile<T> &);

/// at[h - 1][width][only the valid columns][rows_unit]; copying[h - 1][rows_unit]: the widest tile of h rows, copies b.
template <class T>
struct GemmMicros {
  GemmMicro<T> at[kGemmRows<T>][kGemmWidthCount][2][2];
  GemmMicro<T> copying[kGemmRows<T>][2];
};

template <class T, int H, int W>
constexpr void gemm_fill_width(GemmMicros<T> &m) {
  if constexpr (gemm_fits<T>(H, W)) {
    constexpr int kNv = kGemmWidths[W];
    m.at[H - 1][W][0][0] = gemm_micro<T, H, kNv, false, GemmLoad::kWhole>;
    m.at[H - 1][W][0][1] = gemm_micro<T, H, kNv, true, GemmLoad::kWhole>;
    m.at[H - 1][W][1][0] = gemm_micro<T, H, kNv, false, GemmLoad::kColumns>;
    m.at[H - 1][W][1][1] = gemm_micro<T, H, kNv, true, GemmLoad::kColumns>;
    // Lower tiles stand alone: of several tiles none is lower than half the highest.
    if constexpr (gemm_widest<T>(H, 8) == W && 2 * H > kGemmLowRows<T>) {
      m.copying[H - 1][0] = gemm_micro<T, H, kNv, false, GemmLoad::kCopy>;
      m.copying[H - 1][1] = gemm_micro<T, H, kNv, true, GemmLoad::kCopy>;
    }
  }
  if constexpr (W + 1 < kGemmWidthCount) gemm_fill_width<T, H, W + 1>(m);
}

template <class T, int H = 1>
constexpr void gemm_fill(GemmMicros<T> &m) {
  gemm_fill_width<T, H, 0>(m);
  if constexpr (H < kGemmRows<T>) gemm_fill<T, H + 1>(m);
}

template <class T>
constexpr GemmMicros<T> gemm_make_micros() {
  GemmMicros<T> m{};
  gemm_fill<T>(m);
  return m;
}
template <class T>
inline constexpr GemmMicros<T> kGemmMicros = gemm_make_micros<T>();

/// Heights of the tiles of at most `most` rows that m rows are cut into: `tall` tiles of `height` rows, then the rest
/// of height - 1.
struct GemmSplit {
  int64_t tiles;
  int64_t height;
  int64_t tall;
};
template <class T>
RAYO_INLINE GemmSplit gemm_split(int64_t m, int64_t most) {
  if (m <= most) return {1, m, 1};
  const int64_t tiles = (m + most - 1) / most;
  const int64_t height = (m + tiles - 1) / tiles;
  return {tiles, height, m - tiles * (height - 1)};
}

template <class T>
int32_t gemm_tile_cols(int64_t m, int32_t mr) {
  return Vec<T>::size * kGemmWidths[gemm_widest<T>(gemm_split<T>(m, mr).height, 8)];
}

/// Some columns of a block: all their row tiles, of one width. B's panel stays in the nearest cache that holds it
/// meanwhile. ahead: the panel that comes next, its rows ahead_ld apart, is fetched meanwhile; or nullptr.
template <class T>
RAYO_INLINE void gemm_panel(const GemmBlock<T> &g, const GemmSplit &split, int64_t col, int64_t cols, int width,
                            const T *ahead, int64_t ahead_ld) {
  GemmEpilogue<T> e = g.epilogue;
  const bool finish = g.last && (e.c != nullptr || e.alpha != T(1));
  const bool rows_unit = g.packed || g.a_rs == 1;
  const bool edge = !g.b_padded && cols < kGemmWidths[width] * Vec<T>::size;
  GemmTile<T> t{};
  t.b = g.b + col / g.nr * g.b_panel + col % g.nr;
  t.ldb = g.ldb;
  t.ldy = g.ldy;
  t.k = g.k;
  t.n = cols;
  t.first = g.first;
  t.epilogue = finish ? &e : nullptr;
  GemmMicro<T> copying = nullptr;
  if (g.copy != nullptr && cols == g.nr) {
    t.copy = g.copy + col / g.nr * g.copy_panel;
    if (g.copied) {
      t.b = t.copy;
      t.ldb = g.nr;
    } else if (width == gemm_widest<T>(split.height, 8)) {
      copying = kGemmMicros<T>.copying[split.height - 1][rows_unit];
    }
  }
  t.ahead_ld = ahead_ld;
  const int64_t slice = g.k / split.tiles + 1;
  int64_t row = 0;
  for (int64_t tile = 0; tile < split.tiles; ++tile) {
    const int64_t height = split.height - (tile < split.tall ? 0 : 1);
    t.a = g.a + row * (g.packed ? g.k : g.a_rs);
    t.a_step = g.packed ? height : (rows_unit ? g.a_cs : g.a_rs);
    t.y = g.y + row * g.ldy + col;
    t.next_y = tile + 1 < split.tiles ? t.y + height * g.ldy : g.y + col + cols;
    if (e.c != nullptr) e.c = g.epilogue.c + row * e.c_rs + col * e.c_cs;
    if (ahead != nullptr) {
      t.ahead = ahead + tile * slice * ahead_ld;
      t.ahead_rows = slice;
    }
    if (copying != nullptr && tile == 0) {
      copying(t);
      t.b = t.copy;
      t.ldb = g.nr;
    } else {
      kGemmMicros<T>.at[height - 1][width][edge][rows_unit](t);
    }
    row += height;
  }
}

template <class T>
void gemm_block(const GemmBlock<T> &g) {
  constexpr int64_t kW = Vec<T>::size;
  const GemmSplit split = gemm_split<T>(g.m, g.mr);
  const int full = gemm_widest<T>(split.height, g.nr / kW);
  int64_t col = 0;
  for (; col + g.nr <= g.n; col += g.nr) {
    const int64_t next = col / g.nr + 1;
    const T *ahead = nullptr;
    if (g.copy != nullptr && col + 2 * g.nr <= g.n) {
      ahead = g.copied ? g.copy + next * g.copy_panel : g.b + next * g.b_panel;
    }
    gemm_panel(g, split, col, g.nr, full, ahead, g.copied ? g.nr : g.ldb);
  }
  while (col < g.n) {
    const int64_t left = g.n - col;
    const int64_t vectors = (left + kW - 1) / kW;
    const int width = gemm_widest<T>(split.height, vectors == 5 ? 3 : vectors);
    const int64_t cols = kGemmWidths[width] * kW;
    gemm_panel(g, split, col, cols < left ? cols : left, width, static_cast<const T *>(nullptr), g.ldb);
    col += cols;
  }
}

RAYO_ISA_END

#endif  // RAYO_KERNELS_GEMM_MACRO_H
