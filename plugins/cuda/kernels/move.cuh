// SPDX-License-Identifier: Apache-2.0
//
// transpose: elements moved bit for bit, as unsigned integers. Where the two consecutive axes of input and output
// differ, a 32 x 32 tile goes through shared memory, so that both sides are read and written along their rows.
#ifndef RAYO_CUDA_KERNELS_MOVE_CUH
#define RAYO_CUDA_KERNELS_MOVE_CUH

#include <cuda/kernels/device.cuh>

namespace rayo::cuda {

inline constexpr int kTileSide = 32;
inline constexpr int kTileRows = 8;  // rows of threads: each moves four elements
inline constexpr int kMoveThreads = kTileSide * kTileRows;

template <class E>
__device__ __forceinline__ void transpose_tiles(const TransposeParams &p) {
  __shared__ E tile[kTileSide][kTileSide + 1];
  const int32_t tx = static_cast<int32_t>(threadIdx.x) % kTileSide, ty = static_cast<int32_t>(threadIdx.x) / kTileSide;
  const int64_t tiles = p.tiles_r * p.tiles_c;
#pragma unroll 1
  for (int64_t t = blockIdx.x; t < tiles * p.count; t += gridDim.x) {
    const int64_t matrix = t / tiles;
    const int64_t within = t - matrix * tiles;
    const int64_t row0 = within / p.tiles_c * kTileSide, col0 = within % p.tiles_c * kTileSide;
    int64_t at[2];
    offsets_of(p.batch, matrix, at);
    const E *in = static_cast<const E *>(p.in) + at[0];
    E *out = static_cast<E *>(p.out) + at[1];
#pragma unroll
    for (int k = 0; k < kTileSide; k += kTileRows) {
      const int64_t row = row0 + ty + k, col = col0 + tx;
      if (row < p.rows && col < p.cols) tile[ty + k][tx] = in[row * p.in_row + col];
    }
    __syncthreads();
#pragma unroll
    for (int k = 0; k < kTileSide; k += kTileRows) {
      const int64_t row = row0 + tx, col = col0 + ty + k;
      if (row < p.rows && col < p.cols) out[col * p.out_col + row] = tile[tx][ty + k];
    }
    __syncthreads();
  }
}

template <class E>
__device__ __forceinline__ void copy_strided(const MapParams &p) {
  const E *in = static_cast<const E *>(p.in[0]);
  E *out = static_cast<E *>(p.out);
#pragma unroll 1
  for (int64_t i = first_index(); i < p.count; i += index_step()) {
    int64_t at[4];
    offsets_of(p.layout, i, at);
    out[at[3]] = in[at[0]];
  }
}

}  // namespace rayo::cuda

#endif  // RAYO_CUDA_KERNELS_MOVE_CUH
