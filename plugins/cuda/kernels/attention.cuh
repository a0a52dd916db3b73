// SPDX-License-Identifier: Apache-2.0
//
// Scaled dot-product attention in f32, one pass over the keys: softmax with a running maximum, so no score matrix in
// memory. A block takes 32 queries of a head; four threads share a query: each has eight of a tile's 32 keys for the
// scores and every fourth column for the result.
#ifndef RAYO_CUDA_KERNELS_ATTENTION_CUH
#define RAYO_CUDA_KERNELS_ATTENTION_CUH

#include <cuda/kernels/reduce.cuh>

namespace rayo::cuda {

inline constexpr int kAttentionThreads = 128;
inline constexpr int kAttentionTile = 32;    // queries of a block, keys of a step
inline constexpr int kAttentionWidth = 128;  // largest head size
inline constexpr int kAttentionPitch = kAttentionWidth + 1;
inline constexpr int kAttentionShare = 4;  // threads of a query
inline constexpr int kAttentionKeys = kAttentionTile / kAttentionShare;
inline constexpr int kAttentionColumns = kAttentionWidth / kAttentionShare;

/// kAttentionTile rows of `columns` consecutive elements into shared memory, zeros beyond the last row.
__device__ __forceinline__ void attention_load(float (&to)[kAttentionTile][kAttentionPitch], const float *from,
                                               int64_t stride, int32_t rows, int32_t columns) {
#pragma unroll 1
  for (int32_t e = static_cast<int32_t>(threadIdx.x); e < kAttentionTile * columns; e += kAttentionThreads) {
    const int32_t row = e / columns, col = e - row * columns;
    to[row][col] = row < rows ? from[row * stride + col] : 0.0f;
  }
}

/// Joins over the four threads of a query.
template <class P>
__device__ __forceinline__ float attention_join(float v) {
  v = P::join(v, __shfl_xor_sync(kFullWarp, v, 1));
  return P::join(v, __shfl_xor_sync(kFullWarp, v, 2));
}

/// What is kept of a query between tiles of keys: the maximum so far, the sum of exp(score - maximum), the weighted
/// rows.
struct AttentionRow {
  float top = MaxPolicy::identity;
  float sum = 0.0f;
  float value[kAttentionColumns] = {};
};

/// Scores of this thread's keys, -inf where a key does not count.
template <bool kCausal>
__device__ __forceinline__ void attention_scores(const AttentionParams &p, const float (&q)[kAttentionPitch],
                                                 const float (&keys)[kAttentionTile][kAttentionPitch], int32_t key0,
                                                 int32_t query, int32_t part, float (&score)[kAttentionKeys]) {
#pragma unroll
  // NOLINTNEXTLINE(modernize-loop-convert): unrolled by its count
  for (int j = 0; j < kAttentionKeys; ++j) score[j] = 0.0f;
#pragma unroll 1
  for (int32_t w = 0; w < p.width; ++w) {
    const float x = q[w];
#pragma unroll
    for (int j = 0; j < kAttentionKeys; ++j) score[j] = rn::fma(x, keys[part + j * kAttentionShare][w], score[j]);
  }
#pragma unroll
  for (int j = 0; j < kAttentionKeys; ++j) {
    const int32_t key = key0 + part + j * kAttentionShare;
    const bool counts = key < p.keys && (!kCausal || key <= query + p.offset);
    score[j] = counts ? rn::mul(score[j], p.scale) : MaxPolicy::identity;
  }
}

/// Scores become weights exp(score - top); what was summed so far is scaled to the new top.
__device__ __forceinline__ void attention_weigh(AttentionRow &row, float (&score)[kAttentionKeys]) {
  float top = row.top;
#pragma unroll
  // NOLINTNEXTLINE(modernize-loop-convert): unrolled by its count
  for (int j = 0; j < kAttentionKeys; ++j) top = MaxPolicy::join(top, score[j]);
  top = attention_join<MaxPolicy>(top);
  const bool nothing = top == MaxPolicy::identity;  // no key has counted yet
  const float shrink = nothing ? 1.0f : exp(Vec<float>{rn::sub(row.top, top)}).v;
  float sum = 0.0f;
#pragma unroll
  // NOLINTNEXTLINE(modernize-loop-convert): unrolled by its count
  for (int j = 0; j < kAttentionKeys; ++j) {
    score[j] = nothing ? 0.0f : exp(Vec<float>{rn::sub(score[j], top)}).v;
    sum = rn::add(sum, score[j]);
  }
  row.top = top;
  row.sum = rn::fma(row.sum, shrink, attention_join<SumPolicy>(sum));
#pragma unroll
  // NOLINTNEXTLINE(modernize-loop-convert): unrolled by its count
  for (int c = 0; c < kAttentionColumns; ++c) row.value[c] = rn::mul(row.value[c], shrink);
}

template <bool kCausal>
__device__ __forceinline__ void attention(const AttentionParams &p) {
  __shared__ float queries[kAttentionTile][kAttentionPitch];
  __shared__ float rows[kAttentionTile][kAttentionPitch];  // keys, then values
  __shared__ float weights[kAttentionTile][kAttentionTile + 1];
  const int32_t at = static_cast<int32_t>(threadIdx.x) / kAttentionShare;
  const int32_t part = static_cast<int32_t>(threadIdx.x) % kAttentionShare;
  const int32_t units = p.tiles * p.heads * p.batches;
#pragma unroll 1
  for (int32_t unit = static_cast<int32_t>(blockIdx.x); unit < units; unit += static_cast<int32_t>(gridDim.x)) {
    const int32_t tile = unit % p.tiles, head = unit / p.tiles % p.heads, batch = unit / p.tiles / p.heads;
    const int32_t query0 = tile * kAttentionTile, query = query0 + at;
    const float *q = p.q + batch * p.q_stride[0] + head * p.q_stride[1] + query0 * p.q_stride[2];
    const float *k = p.k + batch * p.k_stride[0] + head / p.group * p.k_stride[1];
    const float *v = p.v + batch * p.v_stride[0] + head / p.group * p.v_stride[1];
    float *y = p.y + batch * p.y_stride[0] + head * p.y_stride[1] + query * p.y_stride[2];
    __syncthreads();  // the unit before has been read
    attention_load(queries, q, p.q_stride[2], p.queries - query0, p.width);
    AttentionRow row;
    // Causal: keys behind the last query's reach are not looked at.
    const int32_t reach = query0 + kAttentionTile + p.offset;
    const int32_t keys = kCausal && reach < p.keys ? reach : p.keys;
#pragma unroll 1
    for (int32_t key0 = 0; key0 < keys; key0 += kAttentionTile) {
      __syncthreads();  // the values before have been read
      attention_load(rows, k + key0 * p.k_stride[2], p.k_stride[2], p.keys - key0, p.width);
      __syncthreads();
      float score[kAttentionKeys];
      attention_scores<kCausal>(p, queries[at], rows, key0, query, part, score);
      attention_weigh(row, score);
#pragma unroll
      for (int j = 0; j < kAttentionKeys; ++j) weights[at][part + j * kAttentionShare] = score[j];
      __syncthreads();  // the keys have been read
      attention_load(rows, v + key0 * p.v_stride[2], p.v_stride[2], p.keys - key0, p.depth);
      __syncthreads();
#pragma unroll 1
      for (int32_t key = 0; key < kAttentionTile; ++key) {
        const float weight = weights[at][key];
#pragma unroll
        for (int c = 0; c < kAttentionColumns; ++c) {
          row.value[c] = rn::fma(weight, rows[key][part + c * kAttentionShare], row.value[c]);
        }
      }
    }
    if (query >= p.queries) continue;
#pragma unroll
    for (int c = 0; c < kAttentionColumns; ++c) {
      const int32_t column = part + c * kAttentionShare;
      if (column < p.depth) y[column] = rn::div(row.value[c], row.sum);
    }
  }
}

}  // namespace rayo::cuda

#endif  // RAYO_CUDA_KERNELS_ATTENTION_CUH
