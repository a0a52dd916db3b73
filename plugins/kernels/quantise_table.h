// SPDX-License-Identifier: Apache-2.0
//
// Seam between the driver of quantize_linear, dequantize_linear and cast (cpu/quantise.cpp, baseline) and their hot
// loops (kernels/quantise.cpp and convert.cpp, once per ISA). Plain data, no code.
#ifndef RAYO_KERNELS_QUANTISE_TABLE_H
#define RAYO_KERNELS_QUANTISE_TABLE_H

#include <kernels/elementwise_table.h>

namespace rayo {

/// Element types of cast, in the order of its table.
enum CastType : int { kCastF32, kCastF64, kCastF16, kCastBf16, kCastI8, kCastU8, kCastI32, kCastI64, kCastTypeCount };

/// Rows of work, strides in elements of each operand's own type.
struct QuantiseTable {
  MapFn quantize_u8;  // in: x, scale (f32), zero point (y's type)
  MapFn quantize_i8;
  MapFn dequantize_u8;  // in: x, scale (f32), zero point (x's type); y f32
  MapFn dequantize_i8;
  const MapFn (*cast)[kCastTypeCount];  // [from][to]
};

}  // namespace rayo

#endif  // RAYO_KERNELS_QUANTISE_TABLE_H
