// SPDX-License-Identifier: Apache-2.0
//
// Elementwise kernels: one formula of kernels/elementwise_ops.h per thread and element. Two loops for each: compact
// operands, four elements a step by 16-byte accesses where addresses allow; and any strides.
#ifndef RAYO_CUDA_KERNELS_MAP_CUH
#define RAYO_CUDA_KERNELS_MAP_CUH

#include <cuda/kernels/device.cuh>

namespace rayo::cuda {

inline constexpr int kMapThreads = 256;

/// Element types of operand 0 in elementwise_ops.def.
using same = float;
using byte = uint8_t;

__device__ __forceinline__ Vec<float> map_load(const float *p) { return {*p}; }
__device__ __forceinline__ Vec<float> map_load(const uint8_t *p) { return load_bytes<float>(p); }

/// The formula's policy: how many operands, the type of the first, whether a parameter follows them.
template <class F, int kArity, class First, bool kParam>
struct MapPolicy {
  using FirstType = First;
  static constexpr int arity = kArity;
  __device__ __forceinline__ static float apply(Vec<float> a, Vec<float> b, Vec<float> c, float param) {
    if constexpr (kParam) {
      return F{}(a, Vec<float>{param}).v;
    } else if constexpr (kArity == 1) {
      return F{}(a).v;
    } else if constexpr (kArity == 2) {
      return F{}(a, b).v;
    } else {
      return F{}(a, b, c).v;
    }
  }
};

template <class P>
__device__ __forceinline__ float map_at(const MapParams &p, int64_t a, int64_t b, int64_t c) {
  const auto *first = static_cast<const typename P::FirstType *>(p.in[0]);
  const auto *second = static_cast<const float *>(p.in[1]);
  const auto *third = static_cast<const float *>(p.in[2]);
  const Vec<float> none = {0.0f};
  return P::apply(map_load(first + a), P::arity > 1 ? map_load(second + b) : none,
                  P::arity > 2 ? map_load(third + c) : none, p.param);
}

/// Four consecutive elements of an operand, or one element four times.
__device__ __forceinline__ void map_load4(const float *p, int64_t i, int32_t step, float (&out)[4]) {
  if (step != 0) {
    const float4 v = *reinterpret_cast<const float4 *>(p + i);
    out[0] = v.x, out[1] = v.y, out[2] = v.z, out[3] = v.w;
  } else {
    out[0] = out[1] = out[2] = out[3] = *p;
  }
}
__device__ __forceinline__ void map_load4(const uint8_t *p, int64_t i, int32_t step, float (&out)[4]) {
#pragma unroll
  for (int k = 0; k < 4; ++k) out[k] = load_bytes<float>(p + (i + k) * step).v;
}

template <class P>
__device__ __forceinline__ void map_compact(const MapParams &p) {
  auto *y = static_cast<float *>(p.out);
  const int64_t step = index_step();
  const int64_t whole = p.vector != 0 ? p.count / 4 : 0;
#pragma unroll 1
  for (int64_t g = first_index(); g < whole; g += step) {
    const int64_t i = 4 * g;
    float a[4], b[4] = {}, c[4] = {}, r[4];
    map_load4(static_cast<const typename P::FirstType *>(p.in[0]), i, p.step[0], a);
    if constexpr (P::arity > 1) map_load4(static_cast<const float *>(p.in[1]), i, p.step[1], b);
    if constexpr (P::arity > 2) map_load4(static_cast<const float *>(p.in[2]), i, p.step[2], c);
#pragma unroll
    for (int k = 0; k < 4; ++k) r[k] = P::apply({a[k]}, {b[k]}, {c[k]}, p.param);
    *reinterpret_cast<float4 *>(y + i) = make_float4(r[0], r[1], r[2], r[3]);
  }
#pragma unroll 1
  for (int64_t i = 4 * whole + first_index(); i < p.count; i += step) {
    y[i] = map_at<P>(p, i * p.step[0], i * p.step[1], i * p.step[2]);
  }
}

template <class P>
__device__ __forceinline__ void map_strided(const MapParams &p) {
  auto *y = static_cast<float *>(p.out);
#pragma unroll 1
  for (int64_t i = first_index(); i < p.count; i += index_step()) {
    int64_t at[4];
    offsets_of(p.layout, i, at);
    y[at[3]] = map_at<P>(p, at[0], at[1], at[2]);
  }
}

}  // namespace rayo::cuda

#endif  // RAYO_CUDA_KERNELS_MAP_CUH
