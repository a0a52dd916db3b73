// SPDX-License-Identifier: Apache-2.0
//
// Seam between the reduction drivers (cpu/reduce*.cpp, baseline) and their hot loops (kernels/reduce.cpp, once per
// ISA). The constants are the contract's (plugin-api/doc/numerics.md): they belong to no ISA. Plain data, no code.
#ifndef RAYO_KERNELS_REDUCE_TABLE_H
#define RAYO_KERNELS_REDUCE_TABLE_H

#include <stdint.h>

namespace rayo {

/// Lanes of the virtual vector and elements of a block, where the last axis is reduced. 256 rows of lanes per block:
/// measured to cost 0-6% against an unconstrained loop (f32; blocks of 1024 cost 9-27%).
template <class T>
inline constexpr int64_t kReduceLanes = 256 / static_cast<int64_t>(sizeof(T));
template <class T>
inline constexpr int64_t kReduceBlock = 256 * kReduceLanes<T>;
/// Elements of a chain's block, where the last axis is kept.
inline constexpr int64_t kChainBlock = 256;

/// What is accumulated: x, |x|, x^2 (combined as sums), the maximum, the minimum.
enum ReduceOp : int { kReduceSum, kReduceAbsSum, kReduceSquareSum, kReduceMax, kReduceMin, kReduceOpCount };
enum ArgOp : int { kArgMax, kArgMin, kArgOpCount };

template <class T>
struct ReduceLoops {
  /// The lane tree over n <= kReduceBlock consecutive elements (for max and min: any n); the identity for n = 0.
  T (*block[kReduceOpCount])(const T *x, int64_t n);
  /// The same over fma(a, b, lane).
  T (*dot_block)(const T *a, const T *b, int64_t n);
  /// The same over fma(d, d, lane), d = x - mean.
  T (*deviation_block)(const T *x, int64_t n, T mean);
  /// The same of each of several rows that lie `stride` apart: y[r] = block(row r), deviation_block(row r, mean[r]).
  void (*rows[kReduceOpCount])(const T *x, int64_t stride, int64_t rows, int64_t n, T *y);
  void (*deviation_rows)(const T *x, int64_t stride, int64_t rows, int64_t n, const T *mean, T *y);
  /// y[c] = identity op x[offset[0] + c * stride] op x[offset[1] + c * stride] ..., in this order, c < cols.
  void (*chain[kReduceOpCount])(const T *x, const int64_t *offset, int64_t rows, int64_t stride, T *y, int64_t cols);
  /// y[c] = the chain over fma(d, d, acc), d = x - mean[c].
  void (*deviation_chain)(const T *x, const int64_t *offset, int64_t rows, int64_t stride, const T *mean, T *y,
                          int64_t cols);
  /// a[i] = a[i] op b[i].
  void (*combine[kReduceOpCount])(T *a, const T *b, int64_t n);
  /// y[i] /= by; y[i] = sqrt(y[i]).
  void (*divide)(T *y, T by, int64_t n);
  void (*root)(T *y, int64_t n);
  /// index[r] = index of the extreme of row r's n >= 1 elements, which are x[r * pitch + i * stride]; NaN is the most
  /// extreme; the first of equals, or the last.
  void (*arg_rows[kArgOpCount])(const T *x, int64_t pitch, int64_t rows, int64_t stride, int64_t n, bool last,
                                int64_t *index);
  /// The same for cols neighbouring columns, cols <= kArgmaxStrip; element r of column c is x[r * stride + c].
  void (*arg_columns[kArgOpCount])(const T *x, int64_t stride, int64_t n, bool last, int64_t *index, int64_t cols);
};
inline constexpr int64_t kArgmaxStrip = 256;

struct ReduceTable {
  ReduceLoops<float> f32;
  ReduceLoops<double> f64;
};

}  // namespace rayo

#endif  // RAYO_KERNELS_REDUCE_TABLE_H
