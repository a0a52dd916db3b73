// SPDX-License-Identifier: Apache-2.0
//
// What the host hands to a kernel: one plain struct per family, passed by value as the kernel's only parameter. Seen by
// the host and by the device, so fixed widths, no code beyond index arithmetic, below the 4 KiB of kernel parameters.
#ifndef RAYO_CUDA_KERNELS_PARAMS_H
#define RAYO_CUDA_KERNELS_PARAMS_H

#include <stdint.h>

namespace rayo::cuda {

inline constexpr int32_t kMaxAxes = 16;  // RAYO_MAX_NDIM

// The constants of the contract for f32 (plugin-api/doc/numerics.md, section 3).
inline constexpr int32_t kLanes = 64;
inline constexpr int32_t kLaneBlock = 16384;
inline constexpr int32_t kChainBlock = 256;

/// N operands that walk one index space, row-major, axes merged where all of them allow it. Strides in elements.
template <int N>
struct Layout {
  int32_t ndim;
  int32_t reserved;
  int64_t extent[kMaxAxes];
  int64_t stride[N][kMaxAxes];
};

/// y[i] = f(in[0][i], ...). Compact: step[k] is 1 or 0 (one element for all), the output's is 1. Strided: by layout,
/// whose last operand is the output.
struct MapParams {
  const void *in[3];
  void *out;
  int64_t count;
  int32_t step[3];
  int32_t vector;  // every operand with step 1 lies on a multiple of four elements
  float param;
  int32_t reserved;
  Layout<4> layout;
};

/// What is done to a reduction's value before it is stored.
enum Finish : int32_t { kFinishNone, kFinishDivide, kFinishRoot, kFinishProduct };

/// One value per output: `outer` walks the outputs (operands: x, second x, y, c), `inner` the reduced elements (x,
/// second x). Outputs of several blocks leave block results in `partial`, blocks of an output together, for a second
/// kernel.
struct ReduceParams {
  const float *x;
  const float *x2;  // dot order of a product; else NULL
  const float *c;   // product with C; else NULL
  float *y;
  float *partial;
  int64_t outputs;
  int64_t length;
  int64_t blocks;  // of each output; 1 = no partial results
  float divisor;   // kFinishDivide
  float alpha;     // kFinishProduct
  float beta;
  int32_t finish;
  Layout<4> outer;
  Layout<2> inner;
};

/// softmax and log_softmax of `rows` sequences of `length` elements, sx and sy apart; `outer` walks x and y.
struct SoftmaxParams {
  const float *x;
  float *y;
  float *partial;  // length / block per row where the sequence does not fit into shared memory
  int64_t rows;
  int64_t length;
  int64_t sx;
  int64_t sy;
  Layout<2> outer;
};

/// layer_norm and rms_norm: `outer` walks rows (x, y), `inner` a row (x, y, scale, bias).
struct NormParams {
  const float *x;
  const float *scale;
  const float *bias;  // NULL = none
  float *y;
  float *partial;
  int64_t rows;
  int64_t length;
  float epsilon;
  int32_t reserved;
  Layout<2> outer;
  Layout<4> inner;
};

/// Y = alpha A B + beta C per matrix of a batch; `batch` walks a, b, y. Row and column strides in elements.
struct GemmParams {
  const void *a;
  const void *b;
  const float *c;  // NULL = none
  float *y;
  int64_t m;
  int64_t n;
  int64_t k;
  int64_t a_row, a_col;
  int64_t b_row, b_col;
  int64_t c_row, c_col;
  int64_t y_row, y_col;
  int64_t tiles_m;
  int64_t tiles_n;
  int64_t count;  // of matrices
  float alpha;
  float beta;
  Layout<3> batch;
};

/// Moves rows x cols tiles: input element (r, c) at r * in_row + c, output element at c * out_col + r.
struct TransposeParams {
  const void *in;
  void *out;
  int64_t rows;
  int64_t cols;
  int64_t in_row;
  int64_t out_col;
  int64_t tiles_r;
  int64_t tiles_c;
  int64_t count;
  Layout<2> batch;
};

/// quantize_linear and dequantize_linear by layout (x, scale, zero point, y); zero NULL = 0.
struct QuantiseParams {
  const void *x;
  const float *scale;
  const void *zero;
  void *y;
  int64_t count;
  Layout<4> layout;
};

/// Scaled dot-product attention: per batch and head softmax(scale Q K' [+ causal mask]) V. Strides in elements: batch,
/// head, row; columns are consecutive.
struct AttentionParams {
  const float *q;
  const float *k;
  const float *v;
  float *y;
  int64_t q_stride[3];
  int64_t k_stride[3];
  int64_t v_stride[3];
  int64_t y_stride[3];
  int32_t heads;
  int32_t group;  // query heads per key head
  int32_t queries;
  int32_t keys;
  int32_t width;   // of Q and K
  int32_t depth;   // of V and Y
  int32_t tiles;   // of queries
  int32_t offset;  // causal: query i sees keys up to i + offset
  float scale;
  int32_t batches;
};

/// After cuSOLVER's eigh: values ascend there and descend here, vectors are columns in column-major order there.
struct EighParams {
  const void *values;
  const void *vectors;
  void *w;
  void *v;
  const int32_t *info;  // not 0: everything becomes NaN
  int64_t n;
  int64_t w_step;
  int64_t v_row, v_col;
};

/// Before it: the triangle that is read, into a compact column-major matrix; info becomes 1 where an element is not
/// finite.
struct EighLoadParams {
  const void *a;
  void *matrix;
  int32_t *bad;
  int64_t n;
  int64_t a_row, a_col;
  int32_t lower;
  int32_t reserved;
};

}  // namespace rayo::cuda

#endif  // RAYO_CUDA_KERNELS_PARAMS_H
