// SPDX-License-Identifier: Apache-2.0
//
// CUDA's vocabulary for a host compiler, so that tests run the very text of the kernels on the CPU: RAYO_CUDA_ON_HOST
// names this file. What is simulated are index arithmetic, shared memory, barriers, shuffles and matrix instructions of
// one block at a time; nothing here says anything about a GPU's speed, or about its memory model.
#pragma once

#include <cstdint>
#include <cstring>

#define __device__
#define __host__
#define __global__
#define __forceinline__ inline
#define __shared__ static
#define __align__(n) __attribute__((aligned(n)))

namespace rayo::cuda::simulator {

struct Index3 {
  unsigned x = 0, y = 0, z = 0;
};
/// Of the thread that runs.
extern Index3 thread_index, block_index, block_size, grid_size;

void block_barrier();
/// Gives `count` words of this lane to the warp and waits for the others; lane l's words are then at result + l * 8.
const uint32_t *warp_exchange(const uint32_t *words, int count);

using Entry = void (*)(const void *params);
struct Kernel {
  Kernel(const char *name, std::size_t params, Entry entry);
  const char *name;
  std::size_t params;  // bytes
  Entry entry;
  Kernel *next;
};
/// NULL: there is none.
const Kernel *find_kernel(const char *name);
/// Runs all blocks, one after the other.
void run_kernel(const Kernel &kernel, const void *params, unsigned blocks, unsigned threads);

inline float shuffle(float v, unsigned lane) {
  uint32_t word;
  std::memcpy(&word, &v, sizeof word);
  const uint32_t *all = warp_exchange(&word, 1);
  std::memcpy(&v, all + 8 * static_cast<std::size_t>(lane), sizeof v);
  return v;
}

}  // namespace rayo::cuda::simulator

#define threadIdx rayo::cuda::simulator::thread_index
#define blockIdx rayo::cuda::simulator::block_index
#define blockDim rayo::cuda::simulator::block_size
#define gridDim rayo::cuda::simulator::grid_size

struct alignas(16) float4 {
  float x, y, z, w;
};
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }

inline void __syncthreads() { rayo::cuda::simulator::block_barrier(); }
inline float __shfl_down_sync(unsigned, float v, int delta) {
  const unsigned lane = threadIdx.x % 32, from = lane + static_cast<unsigned>(delta);
  return rayo::cuda::simulator::shuffle(v, from < 32 ? from : lane);
}
inline float __shfl_xor_sync(unsigned, float v, int mask) {
  return rayo::cuda::simulator::shuffle(v, (threadIdx.x % 32) ^ static_cast<unsigned>(mask));
}

namespace rayo::cuda {

/// Round to 10 bits of fraction, ties away from zero, as cvt.rna.tf32 does; NaN and infinities pass.
inline uint32_t host_tf32(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  if ((bits & 0x7f800000u) == 0x7f800000u) return bits;
  return (bits + 0x1000u) & ~0x1fffu;
}
void host_mma_tf32(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]);
void host_mma_bf16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]);

}  // namespace rayo::cuda

#define RAYO_HOST_KERNEL(name, Params)                                                                \
  static void name(const Params &p);                                                                  \
  static const simulator::Kernel simulated_##name{                                                    \
      #name, sizeof(Params), [](const void *params) { name(*static_cast<const Params *>(params)); }}; \
  static void name(const Params &p)
