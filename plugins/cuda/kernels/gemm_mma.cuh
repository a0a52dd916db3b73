// SPDX-License-Identifier: Apache-2.0
//
// The product on tensor cores, class relaxed: inputs in TF32 or BF16, sums in f32 in the hardware's order. Tiles of
// 64 x 64 by four warps of 32 x 32; panels in shared memory, row by row along k, so that a fragment's register is one
// load; double-buffered as in gemm.cuh.
#ifndef RAYO_CUDA_KERNELS_GEMM_MMA_CUH
#define RAYO_CUDA_KERNELS_GEMM_MMA_CUH

#include <cuda/kernels/gemm.cuh>
#include <cuda/kernels/mma.cuh>

namespace rayo::cuda {

template <class Input_>
struct MmaPolicy {
  using Input = Input_;
  static constexpr int kM = 64, kN = 64, kDepth = 32;
  static constexpr int kThreads = 128;
  static constexpr int kWarpM = 32, kWarpN = 32;
  static constexpr int kTilesM = kWarpM / 16, kTilesN = kWarpN / 8;
  // In elements. Rows are four banks apart: the eight rows and four columns of a fragment meet 32 different banks.
  static constexpr int kPitch = kDepth + 4 * Input::kPerRegister;
  static constexpr int kLoads = kM * kDepth / kThreads;
  static_assert(kM == kN, "A and B share the panel's shape");
};

/// The register that holds element (row, col) of a panel, and for two to a register its right neighbour.
template <class P>
__device__ __forceinline__ uint32_t mma_register(const typename P::Input::Stored (&panel)[P::kM][P::kPitch],
                                                 int32_t row, int32_t col) {
  return *reinterpret_cast<const uint32_t *>(&panel[row][col]);
}

/// All matrix instructions of a warp on one pair of panels.
template <class P>
__device__ __forceinline__ void mma_panel(const typename P::Input::Stored (&a)[P::kM][P::kPitch],
                                          const typename P::Input::Stored (&b)[P::kN][P::kPitch], int32_t row0,
                                          int32_t col0, float (&d)[P::kTilesM][P::kTilesN][4]) {
  constexpr int kStep = P::Input::kDepth, kPer = P::Input::kPerRegister;
  const int32_t lane = static_cast<int32_t>(threadIdx.x) & 31;
  const int32_t g = lane / 4, t = lane % 4 * kPer;
#pragma unroll
  for (int q = 0; q < P::kDepth; q += kStep) {
    uint32_t x[P::kTilesM][4], y[P::kTilesN][2];
#pragma unroll
    for (int i = 0; i < P::kTilesM; ++i) {
#pragma unroll
      for (int r = 0; r < 4; ++r) {
        x[i][r] = mma_register<P>(a, row0 + i * 16 + g + r % 2 * 8, q + t + r / 2 * (kStep / 2));
      }
    }
#pragma unroll
    for (int j = 0; j < P::kTilesN; ++j) {
#pragma unroll
      for (int r = 0; r < 2; ++r) y[j][r] = mma_register<P>(b, col0 + j * 8 + g, q + t + r * (kStep / 2));
    }
#pragma unroll
    for (int i = 0; i < P::kTilesM; ++i) {
#pragma unroll
      for (int j = 0; j < P::kTilesN; ++j) P::Input::mma(d[i][j], x[i], y[j]);
    }
  }
}

template <class P>
__device__ __forceinline__ void mma_store(const GemmParams &p, float *y, int64_t row0, int64_t col0,
                                          const float (&d)[P::kTilesM][P::kTilesN][4]) {
  const int32_t lane = static_cast<int32_t>(threadIdx.x) & 31;
#pragma unroll
  for (int i = 0; i < P::kTilesM; ++i) {
#pragma unroll
    for (int j = 0; j < P::kTilesN; ++j) {
#pragma unroll
      for (int e = 0; e < 4; ++e) {
        const int64_t row = row0 + i * 16 + lane / 4 + e / 2 * 8, col = col0 + j * 8 + lane % 4 * 2 + e % 2;
        if (row >= p.m || col >= p.n) continue;
        float v = rn::mul(p.alpha, d[i][j][e]);
        if (p.c != nullptr) v = rn::fma(p.beta, p.c[row * p.c_row + col * p.c_col], v);
        y[row * p.y_row + col * p.y_col] = v;
      }
    }
  }
}

template <class P>
__device__ __forceinline__ void gemm_mma(const GemmParams &p) {
  using Element = typename P::Input::Element;
  using Stored = typename P::Input::Stored;
  __shared__ __align__(16) Stored panel_a[2][P::kM][P::kPitch];
  __shared__ __align__(16) Stored panel_b[2][P::kN][P::kPitch];
  const int32_t warp = static_cast<int32_t>(threadIdx.x) / 32;
  const int32_t warp_row = warp / 2 * P::kWarpM, warp_col = warp % 2 * P::kWarpN;
  const PanelShare<P::kM, P::kDepth, P::kThreads> share_a(p.a_col == 1);
  const PanelShare<P::kN, P::kDepth, P::kThreads> share_b(p.b_col != 1);
  const int64_t tiles = p.tiles_m * p.tiles_n;
#pragma unroll 1
  for (int64_t tile = blockIdx.x; tile < tiles * p.count; tile += gridDim.x) {
    const int64_t matrix = tile / tiles;
    const int64_t within = tile - matrix * tiles;
    const int64_t row0 = within / p.tiles_n * P::kM, col0 = within % p.tiles_n * P::kN;
    int64_t at[3];
    offsets_of(p.batch, matrix, at);
    const Element *a = static_cast<const Element *>(p.a) + at[0] + row0 * p.a_row;
    const Element *b = static_cast<const Element *>(p.b) + at[1] + col0 * p.b_col;
    Element next_a[P::kLoads], next_b[P::kLoads];
    float d[P::kTilesM][P::kTilesN][4] = {};
    const auto load = [&](int64_t depth) {
      panel_load(share_a, a + depth * p.a_col, p.a_row, p.a_col, p.m - row0, p.k - depth, next_a);
      panel_load(share_b, b + depth * p.b_row, p.b_col, p.b_row, p.n - col0, p.k - depth, next_b);
    };
    const auto store = [&](int32_t buffer) {
#pragma unroll
      for (int j = 0; j < P::kLoads; ++j) {
        panel_a[buffer][share_a.at + j * share_a.at_step][share_a.depth + j * share_a.depth_step] =
            P::Input::stored(next_a[j]);
        panel_b[buffer][share_b.at + j * share_b.at_step][share_b.depth + j * share_b.depth_step] =
            P::Input::stored(next_b[j]);
      }
    };
    load(0);
    __syncthreads();  // the tile before has been read
    store(0);
    __syncthreads();
    int32_t buffer = 0;
    // Zeros that fill the last panel add 0 * 0 to every sum.
#pragma unroll 1
    for (int64_t depth = 0; depth < p.k; depth += P::kDepth) {
      load(depth + P::kDepth);
      mma_panel<P>(panel_a[buffer], panel_b[buffer], warp_row, warp_col, d);
      buffer ^= 1;
      store(buffer);
      __syncthreads();
    }
    mma_store<P>(p, p.y + at[2], row0 + warp_row, col0 + warp_col, d);
  }
}

}  // namespace rayo::cuda

#endif  // RAYO_CUDA_KERNELS_GEMM_MMA_CUH
