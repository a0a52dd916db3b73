// SPDX-License-Identifier: Apache-2.0
//
// layer_norm (two passes, no cancellation) and rms_norm, in the lane order along a row.
#ifndef RAYO_CUDA_KERNELS_NORM_CUH
#define RAYO_CUDA_KERNELS_NORM_CUH

#include <cuda/kernels/rows.cuh>

namespace rayo::cuda {

/// 1 / sqrt(sum / n + epsilon).
__device__ __forceinline__ float norm_root(float sum, float n, float epsilon) {
  return rn::div(1.0f, rn::sqrt(rn::add(rn::div(sum, n), epsilon)));
}

__device__ __forceinline__ float norm_value(const NormParams &p, float x, float mean, float r, int64_t scale,
                                            int64_t bias) {
  const float v = rn::mul(rn::sub(x, mean), r);
  return p.bias != nullptr ? rn::fma(v, p.scale[scale], p.bias[bias]) : rn::mul(v, p.scale[scale]);
}

/// Offsets of a row's element in x, y, scale, bias.
__device__ __forceinline__ void norm_offsets(const NormParams &p, int64_t i, int64_t (&at)[4]) {
  if (p.inner.ndim <= 1) {
#pragma unroll
    for (int k = 0; k < 4; ++k) at[k] = i * p.inner.stride[k][0];
  } else {
    offsets_of(p.inner, i, at);
  }
}
__device__ __forceinline__ float norm_load(const NormParams &p, const float *x, int64_t i) {
  return x[p.inner.ndim <= 1 ? i * p.inner.stride[0][0] : offset_of(p.inner, 0, i)];
}

template <bool kLayer>
__device__ __forceinline__ void norm_rows(const NormParams &p) {
  __shared__ float row[kRowShared];
  const int32_t count = static_cast<int32_t>(p.length);
  const float n = static_cast<float>(p.length);
#pragma unroll 1
  for (int64_t k = blockIdx.x; k < p.rows; k += gridDim.x) {
    int64_t at[2];
    offsets_of(p.outer, k, at);
#pragma unroll 1
    for (int32_t i = static_cast<int32_t>(threadIdx.x); i < count; i += kRowThreads)
      row[i] = norm_load(p, p.x + at[0], i);
    float mean = 0.0f;
    if (kLayer) {
      mean = rn::div(row_sum_short<SumPolicy>(count, [&](int32_t i, float &a, float &) { a = row[i]; }), n);
    }
    const float squares = row_sum_short<SquareSumPolicy>(
        count, [&](int32_t i, float &a, float &) { a = kLayer ? rn::sub(row[i], mean) : row[i]; });
    const float r = norm_root(squares, n, p.epsilon);
#pragma unroll 1
    for (int32_t i = static_cast<int32_t>(threadIdx.x); i < count; i += kRowThreads) {
      int64_t to[4];
      norm_offsets(p, i, to);
      p.y[at[1] + to[1]] =
          kLayer ? norm_value(p, row[i], mean, r, to[2], to[3]) : rn::mul(rn::mul(row[i], r), p.scale[to[2]]);
    }
  }
}

template <bool kLayer>
__device__ __forceinline__ void norm_long(const NormParams &p) {
  const int64_t blocks = (p.length + kLaneBlock - 1) / kLaneBlock;
  const float n = static_cast<float>(p.length);
#pragma unroll 1
  for (int64_t k = blockIdx.x; k < p.rows; k += gridDim.x) {
    int64_t at[2];
    offsets_of(p.outer, k, at);
    const float *x = p.x + at[0];
    float *partial = p.partial + k * blocks;
    float mean = 0.0f;
    if (kLayer) {
      mean = rn::div(
          row_sum_long<SumPolicy>(p.length, partial, [&](int64_t i, float &a, float &) { a = norm_load(p, x, i); }), n);
    }
    const float squares = row_sum_long<SquareSumPolicy>(p.length, partial, [&](int64_t i, float &a, float &) {
      a = norm_load(p, x, i);
      if (kLayer) a = rn::sub(a, mean);
    });
    const float r = norm_root(squares, n, p.epsilon);
#pragma unroll 1
    for (int64_t i = threadIdx.x; i < p.length; i += kRowThreads) {
      int64_t to[4];
      norm_offsets(p, i, to);
      const float v = x[to[0]];
      p.y[at[1] + to[1]] = kLayer ? norm_value(p, v, mean, r, to[2], to[3]) : rn::mul(rn::mul(v, r), p.scale[to[2]]);
    }
  }
}

}  // namespace rayo::cuda

#endif  // RAYO_CUDA_KERNELS_NORM_CUH
