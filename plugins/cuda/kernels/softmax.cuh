// SPDX-License-Identifier: Apache-2.0
//
// softmax and log_softmax: m = max, e = exp(x - m), s in the contract's order, then e (1 / s) or (x - m) - ln s. Along
// the last axis the lane order, by a block per row; along another the chain order, by a thread per sequence.
#ifndef RAYO_CUDA_KERNELS_SOFTMAX_CUH
#define RAYO_CUDA_KERNELS_SOFTMAX_CUH

#include <cuda/kernels/rows.cuh>

namespace rayo::cuda {

__device__ __forceinline__ float softmax_exp(float x, float m) { return exp(Vec<float>{rn::sub(x, m)}).v; }

/// The value of an element from x, its e, and last = 1 / s or ln s.
template <bool kLog>
__device__ __forceinline__ float softmax_value(float x, float m, float e, float last) {
  return kLog ? rn::sub(rn::sub(x, m), last) : rn::mul(e, last);
}
template <bool kLog>
__device__ __forceinline__ float softmax_last(float s) {
  return kLog ? log(Vec<float>{s}).v : rn::div(1.0f, s);
}

/// Rows of at most kRowShared elements, read once (twice for log_softmax). Each thread writes what it alone reads after
/// the last barrier: y may be x.
template <bool kLog>
__device__ __forceinline__ void softmax_rows(const SoftmaxParams &p) {
  __shared__ float row[kRowShared];
  const int32_t count = static_cast<int32_t>(p.length);
#pragma unroll 1
  for (int64_t r = blockIdx.x; r < p.rows; r += gridDim.x) {
    int64_t at[2];
    offsets_of(p.outer, r, at);
    const float *x = p.x + at[0];
    float *y = p.y + at[1];
    float m = MaxPolicy::identity;
#pragma unroll 1
    for (int32_t i = static_cast<int32_t>(threadIdx.x); i < count; i += kRowThreads) {
      row[i] = x[i * p.sx];
      m = MaxPolicy::join(m, row[i]);
    }
    m = row_join<MaxPolicy>(m);
#pragma unroll 1
    for (int32_t i = static_cast<int32_t>(threadIdx.x); i < count; i += kRowThreads) row[i] = softmax_exp(row[i], m);
    const float s = row_sum_short<SumPolicy>(count, [&](int32_t i, float &a, float &) { a = row[i]; });
    const float last = softmax_last<kLog>(s);
#pragma unroll 1
    for (int32_t i = static_cast<int32_t>(threadIdx.x); i < count; i += kRowThreads) {
      y[i * p.sy] = softmax_value<kLog>(kLog ? x[i * p.sx] : 0.0f, m, row[i], last);
    }
  }
}

/// Rows of any length, read three times.
template <bool kLog>
__device__ __forceinline__ void softmax_long(const SoftmaxParams &p) {
  const int64_t blocks = (p.length + kLaneBlock - 1) / kLaneBlock;
#pragma unroll 1
  for (int64_t r = blockIdx.x; r < p.rows; r += gridDim.x) {
    int64_t at[2];
    offsets_of(p.outer, r, at);
    const float *x = p.x + at[0];
    float *y = p.y + at[1];
    float m = MaxPolicy::identity;
#pragma unroll 1
    for (int64_t i = threadIdx.x; i < p.length; i += kRowThreads) m = MaxPolicy::join(m, x[i * p.sx]);
    m = row_join<MaxPolicy>(m);
    const float s = row_sum_long<SumPolicy>(p.length, p.partial + r * blocks,
                                            [&](int64_t i, float &a, float &) { a = softmax_exp(x[i * p.sx], m); });
    const float last = softmax_last<kLog>(s);
#pragma unroll 1
    for (int64_t i = threadIdx.x; i < p.length; i += kRowThreads) {
      const float v = x[i * p.sx];
      y[i * p.sy] = softmax_value<kLog>(v, m, kLog ? 0.0f : softmax_exp(v, m), last);
    }
  }
}

/// A thread per sequence; `rows` counts sequences. Sums of blocks of 256 go to `partial` (block by block, sequences
/// beside each other) where there are several.
template <bool kLog>
__device__ __forceinline__ void softmax_columns(const SoftmaxParams &p) {
  const int64_t blocks = (p.length + kChainBlock - 1) / kChainBlock;
#pragma unroll 1
  for (int64_t r = first_index(); r < p.rows; r += index_step()) {
    int64_t at[2];
    offsets_of(p.outer, r, at);
    const float *x = p.x + at[0];
    float *y = p.y + at[1];
    float m = MaxPolicy::identity;
#pragma unroll 1
    for (int64_t i = 0; i < p.length; ++i) m = MaxPolicy::join(m, x[i * p.sx]);
    float s = 0.0f;
#pragma unroll 1
    for (int64_t i = 0; i < p.length; ++i) {
      if (i % kChainBlock == 0 && i > 0) {
        p.partial[(i / kChainBlock - 1) * p.rows + r] = s;
        s = 0.0f;
      }
      s = rn::add(s, softmax_exp(x[i * p.sx], m));
    }
    if (blocks > 1) {
      p.partial[(blocks - 1) * p.rows + r] = s;
#pragma unroll 1
      for (int64_t d = 1; d < blocks; d *= 2) {
#pragma unroll 1
        for (int64_t b = 0; b + d < blocks; b += 2 * d) {
          float *low = p.partial + b * p.rows + r;
          *low = rn::add(*low, p.partial[(b + d) * p.rows + r]);
        }
      }
      s = p.partial[r];
    }
    const float last = softmax_last<kLog>(s);
#pragma unroll 1
    for (int64_t i = 0; i < p.length; ++i) {
      const float v = x[i * p.sx];
      y[i * p.sy] = softmax_value<kLog>(v, m, kLog ? 0.0f : softmax_exp(v, m), last);
    }
  }
}

}  // namespace rayo::cuda

#endif  // RAYO_CUDA_KERNELS_SOFTMAX_CUH
