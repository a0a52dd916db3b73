// SPDX-License-Identifier: Apache-2.0
//
// Hot loops of argmax and argmin (Op = MaxOp or MinOp). Rows, or blocks of a long row, are reduced to their extreme;
// the rows, or the winning block alone, are then searched for its index.
#ifndef RAYO_KERNELS_ARGMAX_H
#define RAYO_KERNELS_ARGMAX_H

#include <kernels/reduce.h>
#include <kernels/reduce_rows.h>

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

/// The first or last index of n >= 1 consecutive elements that has the value of their extreme (any NaN, where that is
/// NaN; either zero).
template <class T>
RAYO_INLINE int64_t arg_find(const T *x, int64_t n, T extreme, bool last) {
  constexpr int64_t kSize = Vec<T>::size;
  const bool nan = __builtin_isnan(extreme);
  const Vec<T> wanted = set1<Vec<T>>(extreme);
  const auto found = [&](Vec<T> e) RAYO_LAMBDA { return mask_bits(nan ? unord(e, e) : eq(e, wanted)); };
  const int64_t full = n / kSize * kSize;
  const auto rest = [&]() RAYO_LAMBDA {
    const int left = static_cast<int>(n - full);
    return left == 0 ? 0u : found(load_n(x + full, left, T(0))) & ((1u << left) - 1u);
  };
  if (last) {
    if (const uint32_t bits = rest(); bits != 0) return full + 31 - __builtin_clz(bits);
    for (int64_t i = full - kSize; i > 0; i -= kSize) {
      if (const uint32_t bits = found(load(x + i)); bits != 0) return i + 31 - __builtin_clz(bits);
    }
    return full == 0 ? 0 : 31 - __builtin_clz(found(load(x)) | 1u);
  }
  int64_t i = 0;
  // Most of the way four vectors share a branch.
  for (; i + 4 * kSize <= full; i += 4 * kSize) {
    const auto hit = [&](int v) RAYO_LAMBDA {
      const Vec<T> e = load(x + i + v * kSize);
      return nan ? unord(e, e) : eq(e, wanted);
    };
    if (any((hit(0) | hit(1)) | (hit(2) | hit(3)))) break;
  }
  for (; i < full; i += kSize) {
    if (const uint32_t bits = found(load(x + i)); bits != 0) return i + __builtin_ctz(bits);
  }
  return full + __builtin_ctz(rest() | 1u << 31) % 32;
}

/// 8 KB of f32 stay in L1 between the reduction and the search.
inline constexpr int64_t kArgmaxBlock = 2048;

template <class T, class Op>
int64_t arg_long_row(const T *x, int64_t n, bool last) {
  int64_t block = 0;
  T best = T(0);
  for (int64_t i = 0; i < n; i += kArgmaxBlock) {
    const T m = reduce_block<T, Op>(x + i, n - i < kArgmaxBlock ? n - i : kArgmaxBlock);
    if (i == 0 || arg_takes<Op>(m, best, last)) {
      best = m;
      block = i;
    }
  }
  return block + arg_find(x + block, n - block < kArgmaxBlock ? n - block : kArgmaxBlock, best, last);
}

template <class T, class Op>
void arg_rows(const T *x, int64_t pitch, int64_t rows, int64_t stride, int64_t n, bool last, int64_t *index) {
  if (stride != 1 || Vec<T>::size == 1) {
    for (int64_t r = 0; r < rows; ++r) index[r] = arg_plain<T, Op>(x + r * pitch, stride, n, last);
    return;
  }
  if (n > kArgmaxBlock) {
    for (int64_t r = 0; r < rows; ++r) index[r] = arg_long_row<T, Op>(x + r * pitch, n, last);
    return;
  }
  // Rows that stay in L1 together, at least one and at most the extremes' buffer.
  constexpr int64_t kMost = 64;
  T extreme[kMost];
  int64_t batch = kArgmaxBlock / n;
  batch = batch < 1 ? 1 : (batch > kMost ? kMost : batch);
  for (int64_t r = 0; r < rows; r += batch) {
    const int64_t count = rows - r < batch ? rows - r : batch;
    const T *p = x + r * pitch;
    reduce_rows<T, Op>(p, pitch, count, n, extreme);
    if (n <= Vec<T>::size && !last) {
      const uint32_t inside = ~0u >> (32 - n);
      for (int64_t i = 0; i < count; ++i) {
        const Vec<T> e = n == Vec<T>::size ? load(p + i * pitch) : load_n(p + i * pitch, static_cast<int>(n), T(0));
        const Vec<T> wanted = set1<Vec<T>>(extreme[i]);
        const uint32_t bits = mask_bits(eq(e, wanted) | (unord(wanted, wanted) & unord(e, e)));
        index[r + i] = __builtin_ctz((bits & inside) | 1u << 31);
      }
      continue;
    }
    for (int64_t i = 0; i < count; ++i) index[r + i] = arg_find(p + i * pitch, n, extreme[i], last);
  }
}

template <class T>
RAYO_INLINE Mask<T> arg_beyond(MaxOp<T>, Vec<T> a, Vec<T> b, bool equal) {
  return equal ? ge(a, b) : gt(a, b);
}
template <class T>
RAYO_INLINE Mask<T> arg_beyond(MinOp<T>, Vec<T> a, Vec<T> b, bool equal) {
  return equal ? le(a, b) : lt(a, b);
}

/// kVecs vectors of neighbouring columns (`left` >= 0: the first `left` lanes of one), rows counted in integer lanes.
template <class T, class Op, int kVecs, bool kLast>
RAYO_INLINE void arg_column_vectors(const T *x, int64_t stride, int64_t n, int64_t *index, int left) {
  using Int = typename IntOf<T>::type;
  constexpr int kSize = Vec<T>::size;
  const auto at = [&](const T *p, int v) RAYO_LAMBDA { return left < 0 ? load(p + v * kSize) : load_n(p, left, T(0)); };
  Vec<T> best[kVecs], where[kVecs];
#pragma GCC unroll 8
  for (int v = 0; v < kVecs; ++v) {
    best[v] = at(x, v);
    where[v] = set1<Vec<T>>(T(0));
  }
  for (int64_t r = 1; r < n; ++r) {
    const Vec<T> row = from_bits<T>(set1<Vec<Int>>(static_cast<Int>(r)));
    const T *p = x + r * stride;
#pragma GCC unroll 8
    for (int v = 0; v < kVecs; ++v) {
      const Vec<T> e = at(p, v);
      const Mask<T> nan = kLast ? unord(e, e) : unord(e, e) & eq(best[v], best[v]);
      const Mask<T> take = arg_beyond(Op(), e, best[v], kLast) | nan;
      best[v] = select(take, e, best[v]);
      where[v] = select(take, row, where[v]);
    }
  }
#pragma GCC unroll 8
  for (int v = 0; v < kVecs; ++v) {
    Int rows[kSize];
    T image[kSize];
    store(image, where[v]);
    __builtin_memcpy(rows, image, sizeof rows);
    for (int l = 0; l < (left < 0 ? kSize : left); ++l) index[v * kSize + l] = rows[l];
  }
}

template <class T, class Op, bool kLast>
RAYO_INLINE void arg_columns_of(const T *x, int64_t stride, int64_t n, int64_t *index, int64_t cols) {
  constexpr int64_t kSize = Vec<T>::size;
  int64_t c = 0;
  for (; c + 4 * kSize <= cols; c += 4 * kSize) arg_column_vectors<T, Op, 4, kLast>(x + c, stride, n, index + c, -1);
  for (; c + kSize <= cols; c += kSize) arg_column_vectors<T, Op, 1, kLast>(x + c, stride, n, index + c, -1);
  if (c < cols) arg_column_vectors<T, Op, 1, kLast>(x + c, stride, n, index + c, static_cast<int>(cols - c));
}

template <class T, class Op>
void arg_columns(const T *x, int64_t stride, int64_t n, bool last, int64_t *index, int64_t cols) {
  if (n > INT32_MAX) {
    for (int64_t c = 0; c < cols; ++c) index[c] = arg_plain<T, Op>(x + c, stride, n, last);
  } else if (last) {
    arg_columns_of<T, Op, true>(x, stride, n, index, cols);
  } else {
    arg_columns_of<T, Op, false>(x, stride, n, index, cols);
  }
}

RAYO_ISA_END

#endif  // RAYO_KERNELS_ARGMAX_H
