// SPDX-License-Identifier: Apache-2.0
//
// One matrix instruction of a warp: D = A B + D on a 16 x 8 tile, f32 accumulators. Who holds what, with g = lane / 4
// and t = lane % 4 (PTX ISA, "matrix fragments for mma.m16n8k8 / .m16n8k16"):
//   D  d[0], d[1] = (g, 2t), (g, 2t + 1);  d[2], d[3] = the same in row g + 8
//   tf32, depth 8:   a = (g, t), (g + 8, t), (g, t + 4), (g + 8, t + 4);  b = (t, g), (t + 4, g)
//   bf16, depth 16, two to a register, the lower first: a = (g, 2t), (g + 8, 2t), (g, 2t + 8), (g + 8, 2t + 8) and the
//   element right of each; b = (2t, g), (2t + 8, g) and the element below
#ifndef RAYO_CUDA_KERNELS_MMA_CUH
#define RAYO_CUDA_KERNELS_MMA_CUH

#include <cuda/kernels/device.cuh>

namespace rayo::cuda {

/// f32 inputs, rounded to 10 bits of fraction (to nearest, ties away) on their way into shared memory.
struct Tf32 {
  using Element = float;
  using Stored = uint32_t;
  static constexpr int kDepth = 8;
  static constexpr int kPerRegister = 1;
  __device__ __forceinline__ static Stored stored(float x) {
#if defined(__CUDA_ARCH__)
    uint32_t bits;
    asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(x));
    return bits;
#else
    return host_tf32(x);
#endif
  }
  __device__ __forceinline__ static void mma(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
#if defined(__CUDA_ARCH__)
    asm("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#else
    host_mma_tf32(d, a, b);
#endif
  }
};

/// bf16 inputs as they are.
struct Bf16 {
  using Element = uint16_t;
  using Stored = uint16_t;
  static constexpr int kDepth = 16;
  static constexpr int kPerRegister = 2;
  __device__ __forceinline__ static Stored stored(uint16_t x) { return x; }
  __device__ __forceinline__ static void mma(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
#if defined(__CUDA_ARCH__)
    asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#else
    host_mma_bf16(d, a, b);
#endif
  }
};

}  // namespace rayo::cuda

#endif  // RAYO_CUDA_KERNELS_MMA_CUH
