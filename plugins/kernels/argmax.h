// SPDX-License-Identifier: Apache-2.0
//
// Hot loops of argmax and argmin (Op = MaxOp or MinOp). A row's blocks are reduced to their extreme; only the winning
// block is searched for the index.
#ifndef RAYO_KERNELS_ARGMAX_H
#define RAYO_KERNELS_ARGMAX_H

#include <kernels/reduce.h>

RAYO_ISA_BEGIN

/// Is a beyond b?
template <class T>
RAYO_INLINE bool arg_beyond(MaxOp<T>, T a, T b) {
  return a > b;
}
template <class T>
RAYO_INLINE bool arg_beyond(MinOp<T>, T a, T b) {
  return a < b;
}

/// Does v take the place of best? NaN is beyond any number and equal to NaN; -0 equals +0.
template <class Op, class T>
RAYO_INLINE bool arg_takes(T v, T best, bool last) {
  if (__builtin_isnan(v)) return last || !__builtin_isnan(best);
  return arg_beyond(Op(), v, best) || (last && v == best);
}

template <class T>
RAYO_INLINE T arg_get(const T *p) {
  T x;
  __builtin_memcpy(&x, p, sizeof x);
  return x;
}

/// One element at a time, any stride.
template <class T, class Op>
RAYO_INLINE int64_t arg_plain(const T *x, int64_t stride, int64_t n, bool last) {
  int64_t index = 0;
  T best = arg_get(x);
  for (int64_t i = 1; i < n; ++i) {
    const T v = arg_get(x + i * stride);
    if (arg_takes<Op>(v, best, last)) {
      best = v;
      index = i;
    }
  }
  return index;
}

/// 8 KB of f32 stay in L1 between the reduction and the search.
inline constexpr int64_t kArgmaxBlock = 2048;

template <class T, class Op>
int64_t arg_row(const T *x, int64_t stride, int64_t n, bool last) {
  if (stride != 1 || n <= 4 * Vec<T>::size) return arg_plain<T, Op>(x, stride, n, last);
  int64_t block = 0;
  T best = T(0);
  for (int64_t i = 0; i < n; i += kArgmaxBlock) {
    const T m = reduce_block<T, Op>(x + i, n - i < kArgmaxBlock ? n - i : kArgmaxBlock);
    if (i == 0 || arg_takes<Op>(m, best, last)) {
      best = m;
      block = i;
    }
  }
  const int64_t end = n - block < kArgmaxBlock ? n - block : kArgmaxBlock;
  return block + arg_plain<T, Op>(x + block, 1, end, last);
}

template <class T, class Op>
void arg_columns(const T *x, int64_t stride, int64_t n, bool last, int64_t *index, int64_t cols) {
  T best[kArgmaxStrip];
  for (int64_t c = 0; c < cols; ++c) {
    best[c] = arg_get(x + c);
    index[c] = 0;
  }
  for (int64_t r = 1; r < n; ++r) {
    const T *p = x + r * stride;
    for (int64_t c = 0; c < cols; ++c) {
      const T v = arg_get(p + c);
      const bool take = arg_takes<Op>(v, best[c], last);
      best[c] = take ? v : best[c];
      index[c] = take ? r : index[c];
    }
  }
}

RAYO_ISA_END

#endif  // RAYO_KERNELS_ARGMAX_H
