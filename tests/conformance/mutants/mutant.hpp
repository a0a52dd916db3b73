// SPDX-License-Identifier: Apache-2.0
//
// The plugin that tests the suite: 17 ops written from plugin-api/doc/numerics.md, one element at a time, and every
// planted bug as a branch on `planted`. All mutants are these objects linked with another value of it (planted.cpp), so
// a mutant differs from the plugin that passes in its bug alone.
#pragma once

#include <rayo/plugin.hpp>

#include <cmath>
#include <cstdint>
#include <limits>
#include <span>

namespace mutant {

enum class Bug {
  none,
#define MUTANT(name, ...) name,
#include "bugs.def"
#undef MUTANT
};

extern const Bug planted;
inline bool has(Bug bug) { return planted == bug; }

// The kernels of each source file.
std::span<const rayo_kernel *const> elementwise_kernels();
std::span<const rayo_kernel *const> reduce_kernels();
std::span<const rayo_kernel *const> normalise_kernels();
std::span<const rayo_kernel *const> linear_kernels();
std::span<const rayo_kernel *const> quantise_kernels();

// What a plugin must not do (misbehave.cpp): to its process, after every call of add; to the structs that prepare is
// given, by a kernel made disobedient; to the rules of query.
void misbehave();
void make_disobedient(rayo_kernel &kernel);
rayo_status answer_query(const rayo_host *host, uint32_t max_abi, const rayo_plugin **out, const rayo_plugin *plugin);

template <class Kernel>
constexpr rayo_kernel reproducible(const char *name, const char *op, const char *types, uint32_t flags = 0) {
  return rayo::plugin::kernel<Kernel>({.name = name,
                                       .op = op,
                                       .types = types,
                                       .numerics = RAYO_NUMERICS_REPRODUCIBLE,
                                       .flags = flags,
                                       .layouts = RAYO_LAYOUT_STRIDED});
}

// ---- The arithmetic contract, as far as these ops need it ----------------------------------------------------------

inline constexpr float kInfinity = std::numeric_limits<float>::infinity();

float exp_f32(float x);  // section 4
float max_f32(float a, float b);

inline constexpr int64_t kLanes = 64;
inline constexpr int64_t kBlock = 16384;  // of the lane order
inline constexpr int64_t kChain = 256;    // of the chain order

// One block of the lane order: lane = take(lane, i) for i in [0, n), then halving by `join`.
template <class Take, class Join>
float lane_block(int64_t n, float identity, const Take &take, const Join &join) {
  float lanes[kLanes];
  for (float &lane : lanes) lane = identity;
  for (int64_t i = 0; i < n; ++i) lanes[i % kLanes] = take(lanes[i % kLanes], i);
  for (int64_t h = kLanes / 2; h > 0; h /= 2) {
    for (int64_t l = 0; l < h; ++l) lanes[l] = join(lanes[l], lanes[l + h]);
  }
  return lanes[0];
}

// Blocks [first, first + count) joined pairwise, level by level, an odd one carried over: the left half is the largest
// power of two below count.
template <class Block, class Join>
float pairwise(int64_t first, int64_t count, const Block &block, const Join &join) {
  if (count == 1) return block(first);
  int64_t half = 1;
  while (half * 2 < count) half *= 2;
  const float left = pairwise(first, half, block, join);
  return join(left, pairwise(first + half, count - half, block, join));
}

// acc = take(acc, i) over i in [0, n) in the lane order or the chain order.
template <class Take, class Join>
float accumulate(int64_t n, bool lanes, float identity, const Take &take, const Join &join) {
  const int64_t size = lanes ? kBlock : kChain;
  const auto block = [&](int64_t b) {
    const int64_t begin = b * size;
    const int64_t count = n - begin < size ? n - begin : size;
    const auto from = [&](float acc, int64_t i) { return take(acc, begin + i); };
    if (lanes) return lane_block(count, identity, from, join);
    float acc = identity;
    for (int64_t i = 0; i < count; ++i) acc = from(acc, i);
    return acc;
  };
  const int64_t blocks = n > size ? (n + size - 1) / size : 1;
  return pairwise(0, blocks, block, join);
}

inline float plus(float a, float b) { return a + b; }

// ---- Index spaces --------------------------------------------------------------------------------------------------

// Up to 16 axes walked in row-major order, with the offset of the element in each of N operands.
template <int N>
struct Space {
  int32_t rank = 0;
  int64_t extent[RAYO_MAX_NDIM] = {};
  int64_t stride[N][RAYO_MAX_NDIM] = {};

  void add(int64_t n, const int64_t (&strides)[N]) {
    extent[rank] = n;
    for (int k = 0; k < N; ++k) stride[k][rank] = strides[k];
    ++rank;
  }
  int64_t size() const {
    int64_t n = 1;
    for (int32_t d = 0; d < rank; ++d) n *= extent[d];
    return n;
  }
  int64_t at(int operand, int64_t index) const {
    int64_t offset = 0;
    for (int32_t d = rank; d-- > 0; index /= extent[d]) offset += index % extent[d] * stride[operand][d];
    return offset;
  }
};

// Stride of `tensor` along axis `d` of a shape of rank `rank` that it is broadcast to.
inline int64_t broadcast_stride(const rayo_tensor_desc &tensor, int32_t d, int32_t rank) {
  const int32_t own = d - (rank - tensor.ndim);
  return own < 0 || tensor.shape[own] == 1 ? 0 : tensor.strides[own];
}

}  // namespace mutant
