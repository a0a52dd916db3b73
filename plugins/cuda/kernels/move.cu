// SPDX-License-Identifier: Apache-2.0
//
// Kernels that move and convert: transpose, quantize_linear, dequantize_linear.
#include <cuda/kernels/map.cuh>
#include <cuda/kernels/move.cuh>
#include <cuda/kernels/quantise.cuh>

namespace rayo::cuda {

RAYO_KERNEL(transpose_b32, kMoveThreads, TransposeParams) { transpose_tiles<uint32_t>(p); }
RAYO_KERNEL(transpose_b64, kMoveThreads, TransposeParams) { transpose_tiles<uint64_t>(p); }
RAYO_KERNEL(copy_strided_b32, kMapThreads, MapParams) { copy_strided<uint32_t>(p); }
RAYO_KERNEL(copy_strided_b64, kMapThreads, MapParams) { copy_strided<uint64_t>(p); }
RAYO_KERNEL(quantize_u8, kMapThreads, QuantiseParams) { quantise_all<uint8_t>(p); }
RAYO_KERNEL(quantize_i8, kMapThreads, QuantiseParams) { quantise_all<int8_t>(p); }
RAYO_KERNEL(dequantize_u8, kMapThreads, QuantiseParams) { dequantise_all<uint8_t>(p); }
RAYO_KERNEL(dequantize_i8, kMapThreads, QuantiseParams) { dequantise_all<int8_t>(p); }

}  // namespace rayo::cuda
