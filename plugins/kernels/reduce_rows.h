// SPDX-License-Identifier: Apache-2.0
//
// Many rows at once, each reduced in the lane order: what is per row in a reduction (calls, the tree inside a vector)
// is most of the work where rows are short. As many rows as a vector has lanes leave one vector each, and these fold
// together.
#ifndef RAYO_KERNELS_REDUCE_ROWS_H
#define RAYO_KERNELS_REDUCE_ROWS_H

#include <kernels/reduce.h>

RAYO_ISA_BEGIN

/// reduce_to_vector for rows of more than kVecs / 2 and at most kVecs vectors: every lane takes one element at most,
/// and what the identity would do is left out (so not for dot).
template <class T, int kVecs, class Op, class Step>
RAYO_INLINE Vec<T> short_row_to_vector(int64_t n, Op op, Step step) {
  constexpr int kSize = Vec<T>::size;
  const Vec<T> identity = set1<Vec<T>>(Op::identity);
  Vec<T> v[kVecs];
#pragma GCC unroll 16
  for (int l = 0; l < kVecs; ++l) {
    const int64_t left = n - l * kSize;
    if (l < kVecs / 2 || left >= kSize) {
      v[l] = step(identity, l * kSize, kSize);
    } else if (left > 0) {
      v[l] = step(identity, l * kSize, static_cast<int>(left));
    } else {
      v[l] = identity;
    }
  }
  return halve_vectors<T, kVecs / 2>(v, op);
}

/// y[r] = what row(r) folds to, for rows [0, rows).
template <class T, class Op, class Row>
RAYO_INLINE void fold_rows(int64_t rows, T *y, Op op, Row row) {
  constexpr int64_t kSize = Vec<T>::size;
  for (int64_t r = 0; r < rows; r += kSize) {
    const int64_t count = rows - r < kSize ? rows - r : kSize;
    Vec<T> v[kSize];
    for (int64_t i = 0; i < count; ++i) v[i] = row(r + i);
    for (int64_t i = count; i < kSize; ++i) v[i] = v[0];
    const Vec<T> folded = fold_each<T>(v, op);
    if (count == kSize) {
      store(y + r, folded);
    } else {
      store_n(y + r, folded, static_cast<int>(count));
    }
  }
}

/// The same by the length of the rows. step(r, lane, i, count): takes elements [i, i + count) of row r in.
template <class T, int kVecs = 1, class Op, class Step>
RAYO_INLINE void reduce_rows_by_length(int64_t rows, int64_t n, T *y, Op op, Step step) {
  if constexpr (kVecs > kLaneVecs<T> || Vec<T>::size == 1) {
    fold_rows(rows, y, op, [&](int64_t r) RAYO_LAMBDA {
      return reduce_to_vector<T>(
          n, op, [&](Vec<T> lane, int64_t i, int count) RAYO_LAMBDA { return step(r, lane, i, count); });
    });
  } else if (n <= kVecs * Vec<T>::size) {
    fold_rows(rows, y, op, [&](int64_t r) RAYO_LAMBDA {
      return short_row_to_vector<T, kVecs>(
          n, op, [&](Vec<T> lane, int64_t i, int count) RAYO_LAMBDA { return step(r, lane, i, count); });
    });
  } else {
    reduce_rows_by_length<T, 2 * kVecs>(rows, n, y, op, step);
  }
}

template <class T, class Op>
void reduce_rows(const T *x, int64_t stride, int64_t rows, int64_t n, T *y) {
  const Op op;
  if (kIsExtreme<Op> && n > 2 * kReduceLanes<T>) {
    for (int64_t r = 0; r < rows; ++r) y[r] = reduce_block<T, Op>(x + r * stride, n);
    return;
  }
  reduce_rows_by_length(rows, n, y, op, [&](int64_t r, Vec<T> lane, int64_t i, int count) RAYO_LAMBDA {
    const T *p = x + r * stride + i;
    return op.step(lane, count == Vec<T>::size ? load(p) : load_n(p, count, Op::identity));
  });
}

template <class T>
void deviation_rows(const T *x, int64_t stride, int64_t rows, int64_t n, const T *mean, T *y) {
  reduce_rows_by_length(rows, n, y, SumOp<T>(), [&](int64_t r, Vec<T> lane, int64_t i, int count) RAYO_LAMBDA {
    const T *p = x + r * stride + i;
    const Vec<T> centre = set1<Vec<T>>(mean[r]);
    const Vec<T> d = count == Vec<T>::size ? load(p) - centre : keep_lanes(load_n(p, count, T(0)) - centre, count);
    return fma(d, d, lane);
  });
}

RAYO_ISA_END

#endif  // RAYO_KERNELS_REDUCE_ROWS_H
