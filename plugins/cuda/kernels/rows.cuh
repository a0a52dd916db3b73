// SPDX-License-Identifier: Apache-2.0
//
// What softmax and the norms share: a block of threads per row, the row in shared memory (one read, one write) where it
// fits, sums over it in the lane order.
#ifndef RAYO_CUDA_KERNELS_ROWS_CUH
#define RAYO_CUDA_KERNELS_ROWS_CUH

#include <cuda/kernels/reduce.cuh>

namespace rayo::cuda {

inline constexpr int kRowThreads = 256;
inline constexpr int kRowWarps = kRowThreads / 32;
/// The longest row that is kept in shared memory: 32 KiB. Longer ones are read again for every pass.
inline constexpr int32_t kRowShared = 8192;
static_assert(kRowShared <= kLaneBlock, "a row in shared memory is one block of the lane order");

/// The first warp sums element(i), i < count, in the lane order; all threads get the result. Any number of threads may
/// have prepared what it reads: it begins with a barrier, and ends with one.
template <class P, class Element>
__device__ __forceinline__ float row_sum_short(int32_t count, Element element) {
  __shared__ float result;
  __syncthreads();
  if (threadIdx.x < 32) {
    const float value = lane_block<P>(count, static_cast<int32_t>(threadIdx.x), element);
    if (threadIdx.x == 0) result = value;
  }
  __syncthreads();
  return result;
}

/// The same for a row of any length: a warp per block of the lane order, results of blocks in `partial` (of this row).
template <class P, class Element>
__device__ __forceinline__ float row_sum_long(int64_t length, float *partial, Element element) {
  const int64_t blocks = (length + kLaneBlock - 1) / kLaneBlock;
  const int32_t thread = static_cast<int32_t>(threadIdx.x) & 31;
  __syncthreads();  // an earlier result in partial has been read
#pragma unroll 1
  for (int64_t block = threadIdx.x / 32; block < blocks; block += kRowWarps) {
    const int64_t first = block * kLaneBlock;
    const int64_t left = length - first;
    const float value = lane_block<P>(static_cast<int32_t>(left < kLaneBlock ? left : kLaneBlock), thread,
                                      [&](int32_t i, float &x, float &y) { element(first + i, x, y); });
    if (thread == 0) partial[block] = value;
  }
  __syncthreads();
  combine_pairwise<P>(partial, blocks);
  __syncthreads();
  return partial[0];
}

/// Joins one value per thread by an op whose order does not matter (max); all threads get the result.
template <class P>
__device__ __forceinline__ float row_join(float v) {
  __shared__ float warps[kRowWarps];
#pragma unroll
  for (int h = 16; h > 0; h /= 2) v = P::join(v, __shfl_xor_sync(kFullWarp, v, h));
  __syncthreads();
  if ((threadIdx.x & 31) == 0) warps[threadIdx.x / 32] = v;
  __syncthreads();
  v = warps[0];
#pragma unroll
  for (int w = 1; w < kRowWarps; ++w) v = P::join(v, warps[w]);
  return v;
}

}  // namespace rayo::cuda

#endif  // RAYO_CUDA_KERNELS_ROWS_CUH
