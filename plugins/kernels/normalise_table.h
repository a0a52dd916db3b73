// SPDX-License-Identifier: Apache-2.0
//
// Seam between the drivers of softmax, log_softmax, layer_norm and rms_norm (cpu/normalise*.cpp, baseline) and their
// hot loops (kernels/normalise.cpp, once per ISA). Plain data, no code.
#ifndef RAYO_KERNELS_NORMALISE_TABLE_H
#define RAYO_KERNELS_NORMALISE_TABLE_H

#include <stdint.h>

namespace rayo {

/// Rows of n consecutive elements, sx and sy apart. y may be x.
template <class T>
struct RowBlock {
  const T *x;
  int64_t sx;
  T *y;
  int64_t sy;
  int64_t rows;
  int64_t n;
};

template <class T>
struct SoftmaxLoops {
  /// y[i] = e^(x[i] - m); returns their sum in the lane order, n <= kReduceBlock. y may be x.
  T (*exp_sum)(const T *x, T m, T *y, int64_t n);
  /// The sum alone.
  T (*exp_total)(const T *x, T m, int64_t n);
  /// y[i] *= r.
  void (*scale)(T *y, T r, int64_t n);
  /// y[i] = ln y[i].
  void (*log)(T *y, int64_t n);
  /// y[i] = (x[i] - m) - l.
  void (*log_rest)(const T *x, T m, T l, T *y, int64_t n);
  /// One row of columns: e = e^(x[c * sx] - m[c]); y[c * sy] = e; sum[c] += e.
  void (*exp_row)(const T *x, int64_t sx, const T *m, T *y, int64_t sy, T *sum, int64_t cols);
  /// sum[c] += e^(x[c * sx] - m[c]).
  void (*exp_total_row)(const T *x, int64_t sx, const T *m, T *sum, int64_t cols);
  /// y[c * sy] *= r[c].
  void (*scale_row)(T *y, int64_t sy, const T *r, int64_t cols);
  /// y[c * sy] = (x[c * sx] - m[c]) - l[c].
  void (*log_rest_row)(const T *x, int64_t sx, const T *m, const T *l, T *y, int64_t sy, int64_t cols);
  /// r[c] = 1 / r[c].
  void (*invert)(T *r, int64_t cols);
  /// softmax or log_softmax of whole rows, n <= kReduceLanes.
  void (*short_rows)(const RowBlock<T> &rows, bool logarithm);
};

/// Such rows with a mean and a factor each. bias may be nullptr.
template <class T>
struct NormRows : RowBlock<T> {
  const T *mean;
  const T *root;
  const T *scale;
  const T *bias;
};

template <class T>
struct NormLoops {
  /// v[r] = 1 / sqrt(v[r] / n + epsilon).
  void (*inverse_roots)(T *v, int64_t rows, T n, T epsilon);
  /// Per row y[i] = ((x[i] - mean) * root) * scale[i], or fma((x[i] - mean) * root, scale[i], bias[i]) with a bias.
  void (*apply)(const NormRows<T> &rows);
};

struct NormaliseTable {
  SoftmaxLoops<float> softmax_f32;
  SoftmaxLoops<double> softmax_f64;
  NormLoops<float> norm_f32;
  NormLoops<double> norm_f64;
};

}  // namespace rayo

#endif  // RAYO_KERNELS_NORMALISE_TABLE_H
