// SPDX-License-Identifier: Apache-2.0
//
// The seam of the matrix product: plain structs that the baseline driver (plugins/cpu/gemm*.cpp) fills and the hot
// loops, compiled once per ISA, read. Nothing here depends on an ISA, and nothing here may: both sides must see one
// layout. All strides are in elements; every pointer is to the element at index 0 of what it describes.
#ifndef RAYO_KERNELS_GEMM_TABLE_H
#define RAYO_KERNELS_GEMM_TABLE_H

#include <stdint.h>

namespace rayo {

/// What happens to a finished chain: t = alpha * acc; out = c ? fma(beta, c, t) : t. alpha = 1 is exact, so it may be
/// skipped.
template <class T>
struct GemmEpilogue {
  T alpha;
  T beta;
  const T *c;  // nullptr = no C, or beta = 0: C is never read
  int64_t c_rs;
  int64_t c_cs;
};

/// One step of the blocked product: y[m, n] (+)= a[m, k] b[k, n], chains continued over k blocks through y.
///   a packed:   tiles of split_rows(m, mr), each stored k-major at a + row * k, its column stride the tile's height
///   a direct:   a[i * a_rs + p * a_cs] with a_rs = 1 or a_cs = 1
///   b:          panels of nr columns; column j of row p is b[(j / nr) * b_panel + p * ldb + j % nr]. b_padded: a
///   panel's
///               row is readable up to the next multiple of the vector width, and holds +0 there
///   copy:       not nullptr: whole panels of b are copied on first use, and read from the copy by the block's later
///               rows: panel i to copy + i * copy_panel (0: one place for all), with ldb = nr. Blocks of no more than
///               half of mr rows make no copy. copied: an earlier block of at least as many rows made it
template <class T>
struct GemmBlock {
  const T *a;
  int64_t a_rs;
  int64_t a_cs;
  const T *b;
  int64_t ldb;
  int64_t b_panel;
  T *copy;
  int64_t copy_panel;
  T *y;  // unit column stride
  int64_t ldy;
  GemmEpilogue<T> epilogue;
  int64_t m;
  int64_t n;
  int64_t k;
  int32_t mr;        // most rows of a tile
  int32_t nr;        // width of a panel: tile_cols(m, mr) of the table
  uint8_t packed;    // a is packed
  uint8_t b_padded;  // see b
  uint8_t copied;    // see copy
  uint8_t first;     // chains start from +0; otherwise from y
  uint8_t last;      // apply the epilogue
};

/// Copies a[m, k] into the packed form of GemmBlock::a (nr: its mr), or b[k, n] into panels of nr columns with ldb =
/// nr, b_panel = nr * k, columns beyond n filled with +0.
template <class T>
struct GemmPack {
  const T *src;
  int64_t rs;
  int64_t cs;
  T *dst;
  int64_t rows;
  int64_t cols;
  int32_t nr;
};

/// Writes finished chains from a scratch tile into a result of any strides.
template <class T>
struct GemmFinish {
  const T *acc;
  int64_t ld_acc;
  T *y;
  int64_t y_rs;
  int64_t y_cs;
  GemmEpilogue<T> epilogue;
  int64_t m;
  int64_t n;
};

/// Rows of a matrix times a vector in the `dot` order: y[i] = epilogue(dot(a[i, :], x)). c_rs of the epilogue steps
/// over i.
template <class T>
struct GemmRows {
  const T *a;
  int64_t a_rs;
  int64_t a_cs;
  const T *x;  // unit stride
  T *y;
  int64_t y_s;
  GemmEpilogue<T> epilogue;
  int64_t m;
  int64_t k;
  T *scratch;  // kGemmDotBlock elements; used where a_cs is not 1
};

/// Most rows of y that go at once along several rows of B.
inline constexpr int64_t kGemmWalkRows = 16;

/// y[m, n] = epilogue(a[m, k] b[k, n]), all of it at once from operands as they lie, for shapes that blocks do not
/// suit.
///   narrow:   m >= lanes, k >= 16; a_cs = 1 or a_rs = 1; columns beyond narrow of the table take turns
///   shallow:  1 <= k <= shallow of the table, or m <= kGemmWalkRows and k >= walk of it; y_cs = 1; the epilogue's c_cs
///   = 0 or 1
template <class T>
struct GemmDirect {
  const T *a;
  int64_t a_rs;
  int64_t a_cs;
  const T *b;  // unit column stride
  int64_t ldb;
  T *y;
  int64_t y_rs;
  int64_t y_cs;
  GemmEpilogue<T> epilogue;
  int64_t m;
  int64_t n;
  int64_t k;
};

/// The hot loops of one ISA, and the blocks that suit its machines. mr: most rows of a tile; low_mr: of low and wide
/// ones; narrow, shallow, walk: see GemmDirect, 0 = none; lanes: elements of a vector; cols: columns of the full tile;
/// tile_cols(m, mr): panel width for blocks of m rows (short blocks take wider panels, to have as many chains in
/// flight).
template <class T>
struct GemmTable {
  int32_t mr;
  int32_t low_mr;
  int32_t narrow;
  int32_t shallow;
  int32_t walk;
  int32_t lanes;
  int32_t cols;
  int32_t nc;           // most columns of a task
  int32_t depth;        // most steps of k of a block
  int32_t block_bytes;  // of the rows of A of a block
  uint8_t packs_a;      // packs an A that exceeds the first-level cache
  int32_t (*tile_cols)(int64_t m, int32_t mr);
  void (*block)(const GemmBlock<T> &);
  void (*pack_a)(const GemmPack<T> &);
  void (*pack_b)(const GemmPack<T> &);
  void (*finish)(const GemmFinish<T> &);
  void (*rows)(const GemmRows<T> &);
  void (*direct_narrow)(const GemmDirect<T> &);
  void (*direct_shallow)(const GemmDirect<T> &);
};

struct GemmTables {
  GemmTable<float> f32;
  GemmTable<double> f64;
};

/// The `dot` order of the numerics contract: lanes and elements per block.
template <class T>
constexpr int64_t kGemmDotLanes = 0;
template <>
inline constexpr int64_t kGemmDotLanes<float> = 64;
template <>
inline constexpr int64_t kGemmDotLanes<double> = 32;
template <class T>
constexpr int64_t kGemmDotBlock = 256 * kGemmDotLanes<T>;

}  // namespace rayo

#endif  // RAYO_KERNELS_GEMM_TABLE_H
