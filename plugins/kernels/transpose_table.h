// SPDX-License-Identifier: Apache-2.0
//
// Seam between the transpose driver (cpu/transpose.cpp, baseline) and its hot loops (kernels/transpose.cpp, once per
// ISA). Elements are moved, never computed with. Plain data, no code.
#ifndef RAYO_KERNELS_TRANSPOSE_TABLE_H
#define RAYO_KERNELS_TRANSPOSE_TABLE_H

#include <stdint.h>

namespace rayo {

/// Functions for elements of 4 and of 8 bytes; strides in elements.
struct TransposeLoops {
  /// d[c * ld + r] = s[r * ls + c], r < rows, c < cols. far: what the call reads and writes is beyond the caches.
  void (*transpose)(const void *s, int64_t ls, void *d, int64_t ld, int64_t rows, int64_t cols, bool far);
  /// d[i * sd] = s[i * ss].
  void (*copy)(const void *s, int64_t ss, void *d, int64_t sd, int64_t n);
};

struct TransposeTable {
  TransposeLoops bits32;
  TransposeLoops bits64;
};

}  // namespace rayo

#endif  // RAYO_KERNELS_TRANSPOSE_TABLE_H
