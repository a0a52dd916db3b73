// SPDX-License-Identifier: Apache-2.0
//
// What stands before and after cuSOLVER's eigh, which does the work: the triangle that is read into a compact
// column-major matrix, and its ascending values turned round. A matrix with an element that is not finite gives NaN.
#ifndef RAYO_CUDA_KERNELS_EIGH_CUH
#define RAYO_CUDA_KERNELS_EIGH_CUH

#include <cuda/kernels/device.cuh>

namespace rayo::cuda {

inline constexpr int kEighThreads = 256;

/// One block of threads: *bad is 1 afterwards where the triangle holds something that is not finite, else 0. Such
/// elements are replaced by 0, so that cuSOLVER's iteration ends.
template <class T>
__device__ __forceinline__ void eigh_load(const EighLoadParams &p) {
  __shared__ int32_t bad;
  if (threadIdx.x == 0) bad = 0;
  __syncthreads();
  const auto *a = static_cast<const T *>(p.a);
  auto *matrix = static_cast<T *>(p.matrix);
#pragma unroll 1
  for (int64_t i = threadIdx.x; i < p.n * p.n; i += kEighThreads) {
    const int64_t col = i / p.n, row = i - col * p.n;
    T x = T(0);
    if (p.lower != 0 ? row >= col : row <= col) {
      x = a[row * p.a_row + col * p.a_col];
      if (!(x - x == T(0))) {
        x = T(0);
        bad = 1;  // every writer writes the same
      }
    }
    matrix[i] = x;
  }
  __syncthreads();
  if (threadIdx.x == 0) *p.bad = bad;
}

template <class T>
__device__ __forceinline__ void eigh_store(const EighParams &p) {
  const auto *values = static_cast<const T *>(p.values);
  const auto *vectors = static_cast<const T *>(p.vectors);
  auto *w = static_cast<T *>(p.w);
  auto *v = static_cast<T *>(p.v);
  const bool failed = p.info[0] != 0 || p.info[1] != 0;
  const T nan = static_cast<T>(__builtin_nanf(""));
#pragma unroll 1
  for (int64_t i = first_index(); i < p.n * p.n; i += index_step()) {
    const int64_t col = i / p.n, row = i - col * p.n;
    const int64_t from = p.n - 1 - col;
    v[row * p.v_row + col * p.v_col] = failed ? nan : vectors[from * p.n + row];
    if (row == 0) w[col * p.w_step] = failed ? nan : values[from];
  }
}

}  // namespace rayo::cuda

#endif  // RAYO_CUDA_KERNELS_EIGH_CUH
