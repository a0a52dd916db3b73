// SPDX-License-Identifier: Apache-2.0
//
// Reductions in the contract's two orders (plugin-api/doc/numerics.md, section 3), so with the CPU's bits.
//
// Lane order: a warp per block of 16384 elements; thread t holds lanes t and t + 32, whose sum is the tree's first
// level. Eight loads of a thread are in flight: 32 x 8 x 4 bytes a warp. Chain order: a thread per block of 256 and
// output. Both leave results of blocks in `partial` where an output has several; a second kernel combines them
// pairwise.
#ifndef RAYO_CUDA_KERNELS_REDUCE_CUH
#define RAYO_CUDA_KERNELS_REDUCE_CUH

#include <cuda/kernels/device.cuh>

namespace rayo::cuda {

inline constexpr int kReduceThreads = 128;  // four warps, each on its own
inline constexpr int kCombineThreads = 256;

/// What the contract calls op and step; `identity` is also the element that fills a short block up.
struct SumPolicy {
  static constexpr float identity = 0.0f;
  __device__ __forceinline__ static float join(float a, float b) { return rn::add(a, b); }
  __device__ __forceinline__ static float step(float lane, float x, float) { return rn::add(lane, x); }
};
struct AbsSumPolicy : SumPolicy {
  __device__ __forceinline__ static float step(float lane, float x, float) {
    return rn::add(lane, abs(Vec<float>{x}).v);
  }
};
struct SquareSumPolicy : SumPolicy {
  __device__ __forceinline__ static float step(float lane, float x, float) { return rn::fma(x, x, lane); }
};
struct ProductPolicy : SumPolicy {
  __device__ __forceinline__ static float step(float lane, float x, float y) { return rn::fma(x, y, lane); }
};
struct MaxPolicy {
  static constexpr float identity = -__builtin_inff();
  __device__ __forceinline__ static float join(float a, float b) { return max_nan(Vec<float>{a}, Vec<float>{b}).v; }
  __device__ __forceinline__ static float step(float lane, float x, float) { return join(lane, x); }
};
struct MinPolicy {
  static constexpr float identity = __builtin_inff();
  __device__ __forceinline__ static float join(float a, float b) { return min_nan(Vec<float>{a}, Vec<float>{b}).v; }
  __device__ __forceinline__ static float step(float lane, float x, float) { return join(lane, x); }
};

/// The tree over the 64 lanes of a warp; the value is thread 0's. Of lower halves alone is the outcome used.
template <class P>
__device__ __forceinline__ float fold_lanes64(float low, float high) {
  float v = P::join(low, high);
#pragma unroll
  for (int h = 16; h > 0; h /= 2) v = P::join(v, __shfl_down_sync(kFullWarp, v, h));
  return v;
}

/// A warp's pass over `count` elements of a block: element(i) is called for i < count, in the lane order. Four groups
/// of 64 a step; a group that the block does not reach is not touched (it could turn a lane's -0 into +0).
template <class P, class Element>
__device__ __forceinline__ float lane_block(int32_t count, int32_t thread, Element element) {
  constexpr int kGroups = 4;
  float low = P::identity, high = P::identity;
#pragma unroll 1
  for (int32_t i = 0; i < count; i += kGroups * kLanes) {
    float x[2 * kGroups], y[2 * kGroups];
#pragma unroll
    for (int g = 0; g < 2 * kGroups; ++g) {
      const int32_t at = i + g * 32 + thread;
      x[g] = y[g] = P::identity;
      if (at < count) element(at, x[g], y[g]);
    }
#pragma unroll
    for (int g = 0; g < kGroups; ++g) {
      if (i + g * kLanes < count) {
        low = P::step(low, x[2 * g], y[2 * g]);
        high = P::step(high, x[2 * g + 1], y[2 * g + 1]);
      }
    }
  }
  return fold_lanes64<P>(low, high);
}

/// Offset of reduced element `index` of operand `which`.
__device__ __forceinline__ int64_t inner_offset(const ReduceParams &p, int which, int64_t index) {
  return p.inner.ndim <= 1 ? index * p.inner.stride[which][0] : offset_of(p.inner, which, index);
}

/// Stores an output's value; `at` are the offsets of x, second x, y, c.
__device__ __forceinline__ void finish_output(const ReduceParams &p, const int64_t (&at)[4], float value) {
  if (p.finish == kFinishDivide) value = rn::div(value, p.divisor);
  if (p.finish == kFinishRoot) value = rn::sqrt(value);
  if (p.finish == kFinishProduct) {
    value = rn::mul(p.alpha, value);
    if (p.c != nullptr) value = rn::fma(p.beta, p.c[at[3]], value);
  }
  p.y[at[2]] = value;
}

template <class P>
__device__ __forceinline__ void reduce_lanes(const ReduceParams &p) {
  const int32_t thread = static_cast<int32_t>(threadIdx.x) & 31;
  const int64_t units = p.outputs * p.blocks;
#pragma unroll 1
  for (int64_t unit = first_index() / 32; unit < units; unit += index_step() / 32) {
    const int64_t output = unit / p.blocks;
    const int64_t first = (unit - output * p.blocks) * kLaneBlock;
    const int64_t left = p.length - first;
    const int32_t count = static_cast<int32_t>(left < kLaneBlock ? left : kLaneBlock);
    int64_t at[4];
    offsets_of(p.outer, output, at);
    const float *x = p.x + at[0];
    const float *x2 = p.x2 + at[1];
    const float value = lane_block<P>(count, thread, [&](int32_t i, float &a, float &b) {
      a = x[inner_offset(p, 0, first + i)];
      if (p.x2 != nullptr) b = x2[inner_offset(p, 1, first + i)];
    });
    if (thread != 0) continue;
    if (p.blocks == 1) {
      finish_output(p, at, value);
    } else {
      p.partial[unit] = value;
    }
  }
}

/// Threads of neighbouring outputs are neighbours: where the last kept axis is compact, so are their loads.
template <class P>
__device__ __forceinline__ void reduce_chain(const ReduceParams &p) {
  const int64_t units = p.outputs * p.blocks;
#pragma unroll 1
  for (int64_t unit = first_index(); unit < units; unit += index_step()) {
    const int64_t block = unit / p.outputs;
    const int64_t output = unit - block * p.outputs;
    const int64_t first = block * kChainBlock;
    const int64_t left = p.length - first;
    const int32_t count = static_cast<int32_t>(left < kChainBlock ? left : kChainBlock);
    int64_t at[4];
    offsets_of(p.outer, output, at);
    const float *x = p.x + at[0];
    float value = P::identity;
#pragma unroll 1
    for (int32_t i = 0; i < count; ++i) value = P::step(value, x[inner_offset(p, 0, first + i)], 0.0f);
    if (p.blocks == 1) {
      finish_output(p, at, value);
    } else {
      p.partial[output * p.blocks + block] = value;
    }
  }
}

/// The pairwise tree over `count` results of blocks, by all threads of a block, in place: what level l of the contract
/// calls r_i stands at index i * 2^l. Result in r[0], seen by all.
template <class P>
__device__ __forceinline__ void combine_pairwise(float *r, int64_t count) {
#pragma unroll 1
  for (int64_t s = 1; s < count; s *= 2) {
#pragma unroll 1
    for (int64_t i = 2 * s * static_cast<int64_t>(threadIdx.x); i + s < count;
         i += 2 * s * static_cast<int64_t>(blockDim.x)) {
      r[i] = P::join(r[i], r[i + s]);
    }
    __syncthreads();
  }
}

template <class P>
__device__ __forceinline__ void reduce_combine(const ReduceParams &p) {
#pragma unroll 1
  for (int64_t output = blockIdx.x; output < p.outputs; output += gridDim.x) {
    float *r = p.partial + output * p.blocks;
    combine_pairwise<P>(r, p.blocks);
    if (threadIdx.x == 0) {
      int64_t at[4];
      offsets_of(p.outer, output, at);
      finish_output(p, at, r[0]);
    }
  }
}

}  // namespace rayo::cuda

#endif  // RAYO_CUDA_KERNELS_REDUCE_CUH
