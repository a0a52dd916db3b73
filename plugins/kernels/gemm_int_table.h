// SPDX-License-Identifier: Apache-2.0
//
// Seam between the driver of matmul_integer (cpu/gemm_int.cpp, baseline) and its hot loops (kernels/gemm_int.cpp, once
// per ISA). Operands are packed as pairs of int16 along k, their zero points taken off: differences of 8-bit values
// have nine bits, so two products and their sum fit 32 bits. Plain data, no code.
#ifndef RAYO_KERNELS_GEMM_INT_TABLE_H
#define RAYO_KERNELS_GEMM_INT_TABLE_H

#include <stdint.h>

namespace rayo {

/// What is packed: `lanes` rows of A or columns of B over k steps.
struct IntPackSource {
  const void *data;
  bool is_signed;
  int64_t lane_stride;
  int64_t k_stride;
  const int16_t *zero;  // one per lane
  int64_t lanes;
  int64_t k;
};

struct GemmIntTable {
  int64_t rows;     // of a tile
  int64_t columns;  // of a tile
  /// out[p * width + lane] = the pair of steps 2p and 2p + 1 of a lane; lanes up to width and a missing step are 0.
  void (*pack)(const IntPackSource &source, int64_t width, int32_t *out);
  /// y[i * columns + j] = the sum over pairs of a[p * rows + i] . b[p * columns + j], modulo 2^32.
  void (*tile)(const int32_t *a, const int32_t *b, int64_t pairs, int32_t *y);
};

}  // namespace rayo

#endif  // RAYO_KERNELS_GEMM_INT_TABLE_H
