// SPDX-License-Identifier: Apache-2.0
//
// cub::DeviceReduce::Sum as a function of a shared library, for rayo-gpu-bench. The CUDA runtime is linked statically.
#include <cub/device/device_reduce.cuh>

#include <cstdint>

/// `calls` sums of n floats, queued on the default stream. 0 or a CUDA error.
extern "C" int rayo_cub_sum(const float *x, float *y, int64_t n, int calls) {
  static void *scratch = nullptr;
  static size_t held = 0;
  size_t bytes = 0;
  cudaError_t status = cub::DeviceReduce::Sum(nullptr, bytes, x, y, n);
  if (status == cudaSuccess && bytes > held) {
    status = cudaMalloc(&scratch, bytes);
    held = status == cudaSuccess ? bytes : 0;
  }
  for (int i = 0; i < calls && status == cudaSuccess; ++i) status = cub::DeviceReduce::Sum(scratch, bytes, x, y, n);
  return static_cast<int>(status);
}
