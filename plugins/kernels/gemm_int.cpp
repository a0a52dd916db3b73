// SPDX-License-Identifier: Apache-2.0
//
// The hot loops of matmul_integer of one ISA. A step of the tile is one multiply-add of int16 pairs and one addition:
// with 512-bit registers 8 x 2 accumulators, 16 chains of 1 + 5 cycles on two ports; with 256 bits 4 x 2, which leaves
// registers for B and a product.
#include <kernels/gemm_int_table.h>
#include <kernels/tables.h>
#include <simd/vec.h>

RAYO_ISA_BEGIN

namespace {

constexpr int kVectors = 2;
constexpr int kColumns = kVectors * Vec<int32_t>::size;
constexpr int kRows = Vec<int32_t>::size == 16 ? 8 : 4;

template <class T>
RAYO_INLINE uint32_t pack_one(const T *p, int16_t zero) {
  return static_cast<uint16_t>(static_cast<int16_t>(*p - zero));
}

template <class T>
RAYO_INLINE void pack_as(const IntPackSource &s, int64_t width, int32_t *out) {
  const T *data = static_cast<const T *>(s.data);
  for (int64_t p = 0; p < s.k; p += 2, out += width) {
    const T *first = data + p * s.k_stride;
    if (p + 1 < s.k) {
      const T *second = first + s.k_stride;
      for (int64_t l = 0; l < s.lanes; ++l) {
        const int64_t at = l * s.lane_stride;
        out[l] = static_cast<int32_t>(pack_one(first + at, s.zero[l]) | pack_one(second + at, s.zero[l]) << 16);
      }
    } else {
      for (int64_t l = 0; l < s.lanes; ++l) {
        out[l] = static_cast<int32_t>(pack_one(first + l * s.lane_stride, s.zero[l]));
      }
    }
    for (int64_t l = s.lanes; l < width; ++l) out[l] = 0;
  }
}

void pack(const IntPackSource &source, int64_t width, int32_t *out) {
  if (source.is_signed) {
    pack_as<int8_t>(source, width, out);
  } else {
    pack_as<uint8_t>(source, width, out);
  }
}

void tile(const int32_t *a, const int32_t *b, int64_t pairs, int32_t *y) {
  using V = Vec<int32_t>;
  V acc[kRows][kVectors];
  for (auto &row : acc) {
    for (V &lane : row) lane = set1<V>(0);
  }
  for (int64_t p = 0; p < pairs; ++p, a += kRows, b += kColumns) {
    V bv[kVectors];
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) bv[v] = load_pairs(b + v * V::size);
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i) {
      const V x = set1<V>(a[i]);
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) acc[i][v] = add_pairs(acc[i][v], x, bv[v]);
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) store_pairs(y + i * kColumns + v * V::size, acc[i][v]);
  }
}

}  // namespace

extern const GemmIntTable gemm_int_table;
const GemmIntTable gemm_int_table = {kRows, kColumns, pack, tile};

RAYO_ISA_END
