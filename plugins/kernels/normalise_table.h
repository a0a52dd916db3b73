// SPDX-License-Identifier: Apache-2.0
//
// Seam between the softmax driver (cpu/normalise.cpp, baseline) and its hot loops (kernels/normalise.cpp, once per
// ISA). Plain data, no code.
#ifndef RAYO_KERNELS_NORMALISE_TABLE_H
#define RAYO_KERNELS_NORMALISE_TABLE_H

#include <stdint.h>

namespace rayo {

template <class T>
struct SoftmaxLoops {
  /// y[i] = e^(x[i] - m); returns their sum in the lane order, n <= kReduceBlock. y may be x.
  T (*exp_sum)(const T *x, T m, T *y, int64_t n);
  /// y[i] *= r.
  void (*scale)(T *y, T r, int64_t n);
  /// One row of columns: e = e^(x[c * sx] - m[c]); y[c * sy] = e; sum[c] += e.
  void (*exp_row)(const T *x, int64_t sx, const T *m, T *y, int64_t sy, T *sum, int64_t cols);
  /// y[c * sy] *= r[c].
  void (*scale_row)(T *y, int64_t sy, const T *r, int64_t cols);
  /// r[c] = 1 / r[c].
  void (*invert)(T *r, int64_t cols);
};

struct NormaliseTable {
  SoftmaxLoops<float> f32;
};

}  // namespace rayo

#endif  // RAYO_KERNELS_NORMALISE_TABLE_H
