// SPDX-License-Identifier: Apache-2.0
//
// Seam between the elementwise driver (cpu/elementwise.cpp, baseline) and its hot loops (kernels/elementwise.cpp, once
// per ISA). Plain data: seen by both sides, so nothing here may compile to code.
#ifndef RAYO_KERNELS_ELEMENTWISE_TABLE_H
#define RAYO_KERNELS_ELEMENTWISE_TABLE_H

#include <stdint.h>

namespace rayo {

/// Rows of work: pointers to the first elements of the first, strides in elements (any sign, 0 on inputs) along a row
/// and from row to row, n elements each, and the value of the op's parameter.
struct MapRow {
  const void *in[3];
  int64_t in_stride[3];
  void *out;
  int64_t out_stride;
  int64_t n;
  int64_t rows = 1;
  int64_t in_step[3] = {};
  int64_t out_step = 0;
  double param = 0;
  bool past_caches = false;  // write so: the output is larger than they are and no operand lies where it does
};
using MapFn = void (*)(const MapRow &row);

enum MapOp : int {
#define MAP_OP(ident, op, arity, first, attr, cost) kMap_##ident,
#include <kernels/elementwise_ops.def>
#undef MAP_OP
  kMapOpCount
};

struct ElementwiseTable {
  MapFn f32[kMapOpCount];
  MapFn f64[kMapOpCount];
};

}  // namespace rayo

#endif  // RAYO_KERNELS_ELEMENTWISE_TABLE_H
