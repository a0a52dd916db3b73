// SPDX-License-Identifier: Apache-2.0
//
// quantize_linear and dequantize_linear (plugin-api/doc/numerics.md, section 9), any strides.
#ifndef RAYO_CUDA_KERNELS_QUANTISE_CUH
#define RAYO_CUDA_KERNELS_QUANTISE_CUH

#include <cuda/kernels/device.cuh>

namespace rayo::cuda {

template <class Q>
struct QuantisePolicy {
  static constexpr float kLow = Q(-1) < Q(0) ? -128.0f : 0.0f;
  static constexpr float kHigh = Q(-1) < Q(0) ? 127.0f : 255.0f;
};

/// z + x / scale, rounded half to even and limited. The limits less z, and the sum, are exact in f32.
template <class Q>
__device__ __forceinline__ Q quantised(float x, float scale, Q zero) {
  using P = QuantisePolicy<Q>;
  const float z = static_cast<float>(zero);
  const float q = rn::div(x, scale);
  if (q != q) return zero;
  const Vec<float> r = {rn::round_even(q)};
  const float v = at_most(at_least(r, Vec<float>{P::kLow - z}), Vec<float>{P::kHigh - z}).v + z;
  return static_cast<Q>(static_cast<int32_t>(v));
}

template <class Q>
__device__ __forceinline__ void quantise_all(const QuantiseParams &p) {
  const auto *x = static_cast<const float *>(p.x);
  const auto *zero = static_cast<const Q *>(p.zero);
  auto *y = static_cast<Q *>(p.y);
#pragma unroll 1
  for (int64_t i = first_index(); i < p.count; i += index_step()) {
    int64_t at[4];
    offsets_of(p.layout, i, at);
    y[at[3]] = quantised<Q>(x[at[0]], p.scale[at[1]], zero != nullptr ? zero[at[2]] : Q(0));
  }
}

template <class Q>
__device__ __forceinline__ void dequantise_all(const QuantiseParams &p) {
  const auto *x = static_cast<const Q *>(p.x);
  const auto *zero = static_cast<const Q *>(p.zero);
  auto *y = static_cast<float *>(p.y);
#pragma unroll 1
  for (int64_t i = first_index(); i < p.count; i += index_step()) {
    int64_t at[4];
    offsets_of(p.layout, i, at);
    const int32_t z = zero != nullptr ? zero[at[2]] : 0;
    y[at[3]] = rn::mul(static_cast<float>(static_cast<int32_t>(x[at[0]]) - z), p.scale[at[1]]);
  }
}

}  // namespace rayo::cuda

#endif  // RAYO_CUDA_KERNELS_QUANTISE_CUH
