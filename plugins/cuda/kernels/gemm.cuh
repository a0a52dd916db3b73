// SPDX-License-Identifier: Apache-2.0
//
// The f32 product with the CPU's bits: each element is one FMA chain over k ascending
// (plugin-api/doc/numerics_gemm.md), so there is no split of k. A block computes a tile of Y from panels of A and B in
// shared memory, two of each: the next panel is on its way from global memory while the current one is used; one
// barrier per panel.
//
// Arithmetic of the 128 x 128 tile: a thread's 8 x 8 accumulators take 64 FMA per 16 shared loads of a float (4 of a
// float4), which at 128 FMA lanes and 32 banks per clock is bound by the FMAs.
#ifndef RAYO_CUDA_KERNELS_GEMM_CUH
#define RAYO_CUDA_KERNELS_GEMM_CUH

#include <cuda/kernels/device.cuh>

namespace rayo::cuda {

/// Policy of a tiled kernel: the tile, a thread's share of it, the panel's depth.
template <int kM_, int kN_, int kRows_, int kCols_>
struct GemmPolicy {
  static constexpr int kM = kM_, kN = kN_;              // tile of Y
  static constexpr int kRows = kRows_, kCols = kCols_;  // of a thread
  static constexpr int kDepth = 16;                     // of a panel
  static constexpr int kThreadsN = kN / kCols;
  static constexpr int kThreads = (kM / kRows) * kThreadsN;
  // A row of a panel is padded by one float4: the threads that store a column of A meet different banks.
  static constexpr int kPitchA = kM + 4, kPitchB = kN + 4;
  static constexpr int kLoadsA = kM * kDepth / kThreads, kLoadsB = kN * kDepth / kThreads;
};
using GemmLarge = GemmPolicy<128, 128, 8, 8>;
using GemmSmall = GemmPolicy<32, 64, 4, 4>;

/// Which elements of a kLength x kDepth panel a thread moves: (at + j at_step, depth + j depth_step). Neighbouring
/// threads follow the direction in which memory is consecutive.
template <int kLength, int kDepth, int kThreads>
struct PanelShare {
  static_assert(kThreads % kDepth == 0 && kThreads % kLength == 0, "a thread's elements lie in one row or column");
  int32_t at, depth, at_step, depth_step;
  __device__ __forceinline__ explicit PanelShare(bool depth_first) {
    const int32_t t = static_cast<int32_t>(threadIdx.x);
    at = depth_first ? t / kDepth : t % kLength;
    depth = depth_first ? t % kDepth : t / kLength;
    at_step = depth_first ? kThreads / kDepth : 0;
    depth_step = depth_first ? 0 : kThreads / kLength;
  }
};

/// Loads the thread's share of a panel: element (i, q) from from[i * step + q * depth_step], 0 outside.
template <class Share, int kLoads, class Element>
__device__ __forceinline__ void panel_load(const Share &share, const Element *from, int64_t step, int64_t depth_step,
                                           int64_t length, int64_t depth, Element (&out)[kLoads]) {
  const Element *place = from + share.at * step + share.depth * depth_step;
  const int64_t stride = share.at_step * step + share.depth_step * depth_step;
#pragma unroll
  for (int j = 0; j < kLoads; ++j) {
    const bool inside = share.at + j * share.at_step < length && share.depth + j * share.depth_step < depth;
    out[j] = inside ? place[j * stride] : Element(0);
  }
}

/// One step of all chains of a thread.
template <class P>
__device__ __forceinline__ void gemm_step(const float *a, const float *b, float (&acc)[P::kRows][P::kCols]) {
  float x[P::kRows], y[P::kCols];
#pragma unroll
  for (int i = 0; i < P::kRows; i += 4) {
    const float4 v = *reinterpret_cast<const float4 *>(a + i * (P::kM / P::kRows));
    x[i] = v.x, x[i + 1] = v.y, x[i + 2] = v.z, x[i + 3] = v.w;
  }
#pragma unroll
  for (int j = 0; j < P::kCols; j += 4) {
    const float4 v = *reinterpret_cast<const float4 *>(b + j * (P::kN / P::kCols));
    y[j] = v.x, y[j + 1] = v.y, y[j + 2] = v.z, y[j + 3] = v.w;
  }
#pragma unroll
  for (int i = 0; i < P::kRows; ++i) {
#pragma unroll
    for (int j = 0; j < P::kCols; ++j) acc[i][j] = rn::fma(x[i], y[j], acc[i][j]);
  }
}

/// Row or column of the tile that accumulator `i` of thread `t` holds: groups of four, `threads` groups apart.
__device__ __forceinline__ int32_t gemm_place(int32_t t, int32_t i, int32_t threads) {
  return (i / 4) * 4 * threads + 4 * t + i % 4;
}

template <class P>
__device__ __forceinline__ void gemm_store(const GemmParams &p, float *y, int64_t row0, int64_t col0, int32_t tm,
                                           int32_t tn, const float (&acc)[P::kRows][P::kCols]) {
#pragma unroll
  for (int i = 0; i < P::kRows; ++i) {
    const int64_t row = row0 + gemm_place(tm, i, P::kM / P::kRows);
    if (row >= p.m) continue;
#pragma unroll
    for (int j = 0; j < P::kCols; ++j) {
      const int64_t col = col0 + gemm_place(tn, j, P::kN / P::kCols);
      if (col >= p.n) continue;
      float v = rn::mul(p.alpha, acc[i][j]);
      if (p.c != nullptr) v = rn::fma(p.beta, p.c[row * p.c_row + col * p.c_col], v);
      y[row * p.y_row + col * p.y_col] = v;
    }
  }
}

template <class P>
__device__ __forceinline__ void gemm_tiles(const GemmParams &p) {
  __shared__ __align__(16) float panel_a[2][P::kDepth][P::kPitchA];
  __shared__ __align__(16) float panel_b[2][P::kDepth][P::kPitchB];
  const int32_t tm = static_cast<int32_t>(threadIdx.x) / P::kThreadsN;
  const int32_t tn = static_cast<int32_t>(threadIdx.x) % P::kThreadsN;
  const PanelShare<P::kM, P::kDepth, P::kThreads> share_a(p.a_col == 1);
  const PanelShare<P::kN, P::kDepth, P::kThreads> share_b(p.b_col != 1);
  const int64_t tiles = p.tiles_m * p.tiles_n;
#pragma unroll 1
  for (int64_t t = blockIdx.x; t < tiles * p.count; t += gridDim.x) {
    const int64_t matrix = t / tiles;
    const int64_t tile = t - matrix * tiles;
    const int64_t row0 = tile / p.tiles_n * P::kM, col0 = tile % p.tiles_n * P::kN;
    int64_t at[3];
    offsets_of(p.batch, matrix, at);
    const float *a = static_cast<const float *>(p.a) + at[0] + row0 * p.a_row;
    const float *b = static_cast<const float *>(p.b) + at[1] + col0 * p.b_col;
    float next_a[P::kLoadsA], next_b[P::kLoadsB];
    float acc[P::kRows][P::kCols] = {};
    const auto load = [&](int64_t depth) {
      panel_load(share_a, a + depth * p.a_col, p.a_row, p.a_col, p.m - row0, p.k - depth, next_a);
      panel_load(share_b, b + depth * p.b_row, p.b_col, p.b_row, p.n - col0, p.k - depth, next_b);
    };
    const auto store = [&](int32_t buffer) {
#pragma unroll
      for (int j = 0; j < P::kLoadsA; ++j) {
        panel_a[buffer][share_a.depth + j * share_a.depth_step][share_a.at + j * share_a.at_step] = next_a[j];
      }
#pragma unroll
      for (int j = 0; j < P::kLoadsB; ++j) {
        panel_b[buffer][share_b.depth + j * share_b.depth_step][share_b.at + j * share_b.at_step] = next_b[j];
      }
    };
    load(0);
    __syncthreads();  // the tile before has been read
    store(0);
    __syncthreads();
    int32_t buffer = 0;
    int64_t depth = 0;
#pragma unroll 1
    for (; depth + P::kDepth <= p.k; depth += P::kDepth) {
      load(depth + P::kDepth);
#pragma unroll
      for (int q = 0; q < P::kDepth; ++q) {
        gemm_step<P>(&panel_a[buffer][q][4 * tm], &panel_b[buffer][q][4 * tn], acc);
      }
      buffer ^= 1;
      store(buffer);
      __syncthreads();
    }
    // What is left of k: the zeros that fill the panel are no elements, fma(0, 0, -0) would show.
#pragma unroll 1
    for (int32_t q = 0; depth + q < p.k; ++q) {
      gemm_step<P>(&panel_a[buffer][q][4 * tm], &panel_b[buffer][q][4 * tn], acc);
    }
    gemm_store<P>(p, p.y + at[2], row0, col0, tm, tn, acc);
  }
}

}  // namespace rayo::cuda

#endif  // RAYO_CUDA_KERNELS_GEMM_CUH
