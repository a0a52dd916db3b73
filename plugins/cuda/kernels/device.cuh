// SPDX-License-Identifier: Apache-2.0
//
// What every kernel file is written in: the entry macro, index arithmetic, warp and block helpers. Under nvcc this is
// CUDA; a host compiler gets the same names from RAYO_CUDA_ON_HOST (tests run the kernels' very text on the CPU).
#ifndef RAYO_CUDA_KERNELS_DEVICE_CUH
#define RAYO_CUDA_KERNELS_DEVICE_CUH

#if !defined(__CUDACC__)
#include RAYO_CUDA_ON_HOST
#endif

#include <cuda/kernels/params.h>

#define RAYO_ISA cuda_isa
#define RAYO_SIMD_HEADER <simd/cuda.h>
// The formulas, and with them simd/vec.h and simd/math.h, all in this instruction set.
#include <kernels/elementwise_ops.h>

/// A kernel: RAYO_KERNEL(name, threads, Params) { body on p }. Every kernel has one parameter, a struct by value.
#if defined(__CUDACC__)
#define RAYO_KERNEL(name, threads, Params) extern "C" __global__ void __launch_bounds__(threads) name(const Params p)
#else
#define RAYO_KERNEL(name, threads, Params) RAYO_HOST_KERNEL(name, Params)
#endif

namespace rayo::cuda {

/// Offset of logical element `index` in operand `which`.
template <int N>
__device__ __forceinline__ int64_t offset_of(const Layout<N> &layout, int which, int64_t index) {
  int64_t offset = 0;
#pragma unroll 1
  for (int32_t axis = layout.ndim - 1; axis > 0; --axis) {
    const int64_t extent = layout.extent[axis];
    const int64_t rest = index / extent;
    offset += (index - rest * extent) * layout.stride[which][axis];
    index = rest;
  }
  return offset + index * layout.stride[which][0];
}

/// The same for the first K operands at once.
template <int K, int N>
__device__ __forceinline__ void offsets_of(const Layout<N> &layout, int64_t index, int64_t (&out)[K]) {
#pragma unroll
  for (int k = 0; k < K; ++k) out[k] = 0;
#pragma unroll 1
  for (int32_t axis = layout.ndim - 1; axis > 0; --axis) {
    const int64_t extent = layout.extent[axis];
    const int64_t rest = index / extent;
    const int64_t at = index - rest * extent;
#pragma unroll
    for (int k = 0; k < K; ++k) out[k] += at * layout.stride[k][axis];
    index = rest;
  }
#pragma unroll
  for (int k = 0; k < K; ++k) out[k] += index * layout.stride[k][0];
}

__device__ __forceinline__ int64_t first_index() {
  return static_cast<int64_t>(blockIdx.x) * static_cast<int64_t>(blockDim.x) + static_cast<int64_t>(threadIdx.x);
}
__device__ __forceinline__ int64_t index_step() {
  return static_cast<int64_t>(gridDim.x) * static_cast<int64_t>(blockDim.x);
}

inline constexpr unsigned kFullWarp = 0xffffffffu;

}  // namespace rayo::cuda

#endif  // RAYO_CUDA_KERNELS_DEVICE_CUH
