// SPDX-License-Identifier: Apache-2.0
//
// Hot loops of reductions. Two orders of combination, both fixed by the contract: lanes (the virtual vector of
// kReduceLanes elements, held in as many registers as the ISA needs) and chains (a column each, vectorised across
// columns).
#ifndef RAYO_KERNELS_REDUCE_H
#define RAYO_KERNELS_REDUCE_H

#include <kernels/map.h>
#include <kernels/reduce_table.h>

RAYO_ISA_BEGIN

/// How a reduction combines: op(a, b) joins two partial results, step(lane, x) takes an element in. The identity
/// changes no partial result, except that +0 makes a sum's -0 a +0.
template <class T>
struct SumOp {
  static constexpr T identity = T(0);
  RAYO_INLINE Vec<T> operator()(Vec<T> a, Vec<T> b) const { return a + b; }
  RAYO_INLINE Vec<T> step(Vec<T> lane, Vec<T> x) const { return lane + x; }
};
template <class T>
struct AbsSumOp : SumOp<T> {
  RAYO_INLINE Vec<T> step(Vec<T> lane, Vec<T> x) const { return lane + abs(x); }
};
template <class T>
struct SquareSumOp : SumOp<T> {
  RAYO_INLINE Vec<T> step(Vec<T> lane, Vec<T> x) const { return fma(x, x, lane); }
};
template <class T>
struct MaxOp {
  static constexpr T identity = -static_cast<T>(__builtin_inf());
  /// Of numbers only, and of zeros either.
  RAYO_INLINE Vec<T> of_numbers(Vec<T> best, Vec<T> x) const { return at_least(best, x); }
  RAYO_INLINE Vec<T> operator()(Vec<T> a, Vec<T> b) const { return max_nan(a, b); }
  RAYO_INLINE Vec<T> step(Vec<T> lane, Vec<T> x) const { return max_nan(lane, x); }
};
template <class T>
struct MinOp {
  static constexpr T identity = static_cast<T>(__builtin_inf());
  RAYO_INLINE Vec<T> of_numbers(Vec<T> best, Vec<T> x) const { return at_most(best, x); }
  RAYO_INLINE Vec<T> operator()(Vec<T> a, Vec<T> b) const { return min_nan(a, b); }
  RAYO_INLINE Vec<T> step(Vec<T> lane, Vec<T> x) const { return min_nan(lane, x); }
};

/// Registers that hold the virtual vector: 4 zmm, 8 ymm, 16 q. Latency 4 x 2 ports asks for 8 independent chains; with
/// 4 zmm the loop is bound by latency at 16 elements a cycle, above what L2 delivers.
template <class T>
inline constexpr int kLaneVecs = static_cast<int>(kReduceLanes<T>) / Vec<T>::size;

template <class T>
struct Lanes {
  Vec<T> v[kLaneVecs<T>];
};

template <class T>
RAYO_INLINE void lanes_fill(Lanes<T> &lanes, T x) {
#pragma GCC unroll 16
  for (int l = 0; l < kLaneVecs<T>; ++l) lanes.v[l] = set1<Vec<T>>(x);
}

/// v[l] = op(v[l], v[l + h]) for h = N/2 ... 1; the rest of the tree, inside a vector, is the caller's.
template <class T, int H, int N, class Op>
RAYO_INLINE Vec<T> halve_vectors(Vec<T> (&v)[N], Op op) {
  if constexpr (H == 0) {
    return v[0];
  } else {
#pragma GCC unroll 16
    for (int l = 0; l < H; ++l) v[l] = op(v[l], v[l + H]);
    return halve_vectors<T, H / 2>(v, op);
  }
}

template <class T>
RAYO_TABLE T kLaneNumbers[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

/// The first n lanes of v, the others +0.
template <class T>
RAYO_INLINE Vec<T> keep_lanes(Vec<T> v, int n) {
  return select(lt(load(kLaneNumbers<T>), set1<Vec<T>>(static_cast<T>(n))), v, set1<Vec<T>>(T(0)));
}

/// step(lane vector, element index, count of valid elements) accumulates one vector; past the end it takes fills that
/// add the identity. A short block is filled to a multiple of the virtual width and all lanes fold: where the fill
/// meets no element, one op with the identity does what it would do. It matters for the lanes of dot, which can be -0.
/// What is left to fold are the lanes of the vector returned.
template <class T, class Op, class Step>
RAYO_INLINE Vec<T> reduce_to_vector(int64_t n, Op op, Step step) {
  constexpr int kSize = Vec<T>::size;
  static_assert(kLaneVecs<T> > 1, "the short path folds with a register of identities");
  const Vec<T> identity = set1<Vec<T>>(Op::identity);
  if (n <= kSize) return op(step(identity, 0, static_cast<int>(n)), identity);
  Lanes<T> lanes;
  lanes_fill(lanes, Op::identity);
  int64_t i = 0;
  for (; i + kReduceLanes<T> <= n; i += kReduceLanes<T>) {
#pragma GCC unroll 16
    for (int l = 0; l < kLaneVecs<T>; ++l) lanes.v[l] = step(lanes.v[l], i + l * kSize, kSize);
  }
  if (i < n) {
#pragma GCC unroll 16
    for (int l = 0; l < kLaneVecs<T>; ++l) {
      const int64_t left = n - i - l * kSize;
      if (left > 0) {
        lanes.v[l] = step(lanes.v[l], i + l * kSize, left < kSize ? static_cast<int>(left) : kSize);
      } else {
        lanes.v[l] = op(lanes.v[l], identity);
      }
    }
  }
  return halve_vectors<T, kLaneVecs<T> / 2>(lanes.v, op);
}

template <class T, class Op, class Step>
RAYO_INLINE T reduce_lanes(int64_t n, Op op, Step step) {
  return fold_lanes(reduce_to_vector<T>(n, op, step), op);
}

/// The extreme of n consecutive elements, by one cheap instruction per vector. It loses NaN and confuses zeros: beside
/// it runs a sum, on ports of its own, which is NaN where an element is (and where infinities of both signs are); such
/// a row, and one whose extreme is zero, is read again with care. Zen 3, AVX2, 10,000 f32: 844 to 559 ns.
template <class T, class Op>
RAYO_INLINE bool extreme_of_numbers(const T *x, int64_t n, T *out) {
  constexpr int64_t kSize = Vec<T>::size;
  constexpr int kVecs = 6;  // sums of latency 3 or 4, two a cycle
  if (kSize == 1 || n < kVecs * kSize) return false;
  const Op op;
  Vec<T> best[kVecs], sum[kVecs];
#pragma GCC unroll 8
  for (int v = 0; v < kVecs; ++v) best[v] = sum[v] = load(x + v * kSize);
  // The last step is moved inwards: an element may count twice.
  for (int64_t i = kVecs * kSize; i < n; i += kVecs * kSize) {
    const T *p = x + (i + kVecs * kSize <= n ? i : n - kVecs * kSize);
#pragma GCC unroll 8
    for (int v = 0; v < kVecs; ++v) {
      const Vec<T> e = load(p + v * kSize);
      best[v] = op.of_numbers(best[v], e);
      sum[v] = sum[v] + e;
    }
  }
#pragma GCC unroll 8
  for (int v = 1; v < kVecs; ++v) {
    best[0] = op.of_numbers(best[0], best[v]);
    sum[0] = sum[0] + sum[v];
  }
  if (any(unord(sum[0], sum[0]))) return false;
  *out = fold_lanes(best[0], op);
  return *out != T(0);
}

template <class Op>
inline constexpr bool kIsExtreme = false;
template <class T>
inline constexpr bool kIsExtreme<MaxOp<T>> = true;
template <class T>
inline constexpr bool kIsExtreme<MinOp<T>> = true;

template <class T, class Op>
T reduce_block(const T *x, int64_t n) {
  const Op op;
  if constexpr (kIsExtreme<Op>) {
    T value;
    if (extreme_of_numbers<T, Op>(x, n, &value)) return value;
  }
  return reduce_lanes<T>(n, op, [&](Vec<T> lane, int64_t i, int count) RAYO_LAMBDA {
    return op.step(lane, count == Vec<T>::size ? load(x + i) : load_n(x + i, count, Op::identity));
  });
}

/// The sum of (x - mean)^2.
template <class T>
T deviation_block(const T *x, int64_t n, T mean) {
  const Vec<T> centre = set1<Vec<T>>(mean);
  return reduce_lanes<T>(n, SumOp<T>(), [&](Vec<T> lane, int64_t i, int count) RAYO_LAMBDA {
    const Vec<T> d =
        count == Vec<T>::size ? load(x + i) - centre : keep_lanes(load_n(x + i, count, T(0)) - centre, count);
    return fma(d, d, lane);
  });
}

template <class T>
T dot_block(const T *a, const T *b, int64_t n) {
  return reduce_lanes<T>(n, SumOp<T>(), [&](Vec<T> lane, int64_t i, int count) RAYO_LAMBDA {
    if (count == Vec<T>::size) return fma(load(a + i), load(b + i), lane);
    return fma(load_n(a + i, count, T(0)), load_n(b + i, count, T(0)), lane);
  });
}

/// kVecs vectors of columns at once, each lane its own chain; of the last vector the first `left` >= 1 lanes.
template <class T, class Op, int kVecs, bool kPart>
RAYO_INLINE void chain_columns(const T *x, const int64_t *offset, int64_t rows, T *y, int left) {
  constexpr int kSize = Vec<T>::size;
  constexpr int kFull = kPart ? kVecs - 1 : kVecs;
  const Op op;
  Vec<T> acc[kVecs];
#pragma GCC unroll 8
  for (int v = 0; v < kVecs; ++v) acc[v] = set1<Vec<T>>(Op::identity);
  for (int64_t r = 0; r < rows; ++r) {
    const T *p = x + offset[r];
#pragma GCC unroll 8
    for (int v = 0; v < kFull; ++v) acc[v] = op.step(acc[v], load(p + v * kSize));
    if constexpr (kPart) acc[kFull] = op.step(acc[kFull], load_n(p + kFull * kSize, left, Op::identity));
  }
#pragma GCC unroll 8
  for (int v = 0; v < kFull; ++v) store(y + v * kSize, acc[v]);
  if constexpr (kPart) store_n(y + kFull * kSize, acc[kFull], left);
}

/// The last columns, fewer than kVecs vectors of them, in one walk over the rows.
template <class T, class Op, int kVecs>
RAYO_INLINE void chain_rest(const T *x, const int64_t *offset, int64_t rows, T *y, int64_t cols) {
  constexpr int64_t kSize = Vec<T>::size;
  if constexpr (kVecs > 0) {
    if (cols <= (kVecs - 1) * kSize) return chain_rest<T, Op, kVecs - 1>(x, offset, rows, y, cols);
    chain_columns<T, Op, kVecs, true>(x, offset, rows, y, static_cast<int>(cols - (kVecs - 1) * kSize));
  }
}

/// kRows more elements of each column's chain, which is in y but where kFirst.
template <class T, class Op, int kRows, bool kFirst>
RAYO_INLINE void chain_rows(const T *x, const int64_t *offset, T *y, int64_t cols) {
  constexpr int64_t kSize = Vec<T>::size;
  const Op op;
  const T *row[kRows];
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) row[r] = x + offset[r];
  int64_t c = 0;
  for (; c + 2 * kSize <= cols; c += 2 * kSize) {
    Vec<T> u = kFirst ? set1<Vec<T>>(Op::identity) : load(y + c);
    Vec<T> v = kFirst ? set1<Vec<T>>(Op::identity) : load(y + c + kSize);
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      u = op.step(u, load(row[r] + c));
      v = op.step(v, load(row[r] + c + kSize));
    }
    store(y + c, u);
    store(y + c + kSize, v);
  }
  for (; c < cols; c += kSize) {
    const int n = cols - c < kSize ? static_cast<int>(cols - c) : static_cast<int>(kSize);
    Vec<T> u = kFirst ? set1<Vec<T>>(Op::identity) : load_n(y + c, n, Op::identity);
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) u = op.step(u, load_n(row[r] + c, n, Op::identity));
    store_n(y + c, u, n);
  }
}

/// Rows that are read side by side, along their columns, with the chains in the first-level cache; and the columns from
/// which that is faster than so many chains in registers, down the rows, as it is for sums.
inline constexpr int64_t kChainRows = 8;
template <class T>
inline constexpr int64_t kChainColumns = 16 * Vec<T>::size;

template <class T, class Op>
void chain_walk(const T *x, const int64_t *offset, int64_t rows, T *y, int64_t cols) {
  chain_rows<T, Op, kChainRows, true>(x, offset, y, cols);
  int64_t r = kChainRows;
  for (; r + kChainRows <= rows; r += kChainRows) chain_rows<T, Op, kChainRows, false>(x, offset + r, y, cols);
  for (; r < rows; ++r) chain_rows<T, Op, 1, false>(x, offset + r, y, cols);
}

template <class T, class Op>
void reduce_chain(const T *x, const int64_t *offset, int64_t rows, int64_t stride, T *y, int64_t cols) {
  constexpr int64_t kSize = Vec<T>::size;
  if (stride != 1) {
    const Op op;
    for (int64_t c = 0; c < cols; ++c) {
      Vec<T> acc = set1<Vec<T>>(Op::identity);
      for (int64_t r = 0; r < rows; ++r) acc = op.step(acc, load_n(x + offset[r] + c * stride, 1, Op::identity));
      store_n(y + c, acc, 1);
    }
    return;
  }
  if (!kIsExtreme<Op> && kSize > 1 && rows >= kChainRows && cols > kChainColumns<T>) {
    return chain_walk<T, Op>(x, offset, rows, y, cols);
  }
  int64_t c = 0;
  for (; c + 8 * kSize <= cols; c += 8 * kSize) chain_columns<T, Op, 8, false>(x + c, offset, rows, y + c, 0);
  if (c < cols) chain_rest<T, Op, 8>(x + c, offset, rows, y + c, cols - c);
}

/// Four vectors of columns: their sums and their means are eight registers.
template <class T, int kVecs>
RAYO_INLINE void deviation_columns(const T *x, const int64_t *offset, int64_t rows, const T *mean, T *y, int left) {
  Vec<T> acc[kVecs], centre[kVecs];
#pragma GCC unroll 4
  for (int v = 0; v < kVecs; ++v) {
    acc[v] = set1<Vec<T>>(T(0));
    centre[v] = left < 0 ? load(mean + v * Vec<T>::size) : load_n(mean, left, T(0));
  }
  for (int64_t r = 0; r < rows; ++r) {
    const T *p = x + offset[r];
#pragma GCC unroll 4
    for (int v = 0; v < kVecs; ++v) {
      const Vec<T> d = (left < 0 ? load(p + v * Vec<T>::size) : load_n(p, left, T(0))) - centre[v];
      acc[v] = fma(d, d, acc[v]);
    }
  }
#pragma GCC unroll 4
  for (int v = 0; v < kVecs; ++v) {
    if (left < 0) {
      store(y + v * Vec<T>::size, acc[v]);
    } else {
      store_n(y, acc[v], left);
    }
  }
}

template <class T>
void deviation_chain(const T *x, const int64_t *offset, int64_t rows, int64_t stride, const T *mean, T *y,
                     int64_t cols) {
  constexpr int64_t kSize = Vec<T>::size;
  if (stride != 1) {
    for (int64_t c = 0; c < cols; ++c) deviation_columns<T, 1>(x + c * stride, offset, rows, mean + c, y + c, 1);
    return;
  }
  int64_t c = 0;
  for (; c + 4 * kSize <= cols; c += 4 * kSize) deviation_columns<T, 4>(x + c, offset, rows, mean + c, y + c, -1);
  for (; c + kSize <= cols; c += kSize) deviation_columns<T, 1>(x + c, offset, rows, mean + c, y + c, -1);
  if (c < cols) deviation_columns<T, 1>(x + c, offset, rows, mean + c, y + c, static_cast<int>(cols - c));
}

template <class T, class Op>
void reduce_combine(T *a, const T *b, int64_t n) {
  using Row = MapOperand<T, false>;
  map_loop(a, n, Op(), Row(a), Row(b));
}

template <class T>
void reduce_divide(T *y, T by, int64_t n) {
  map_loop(
      y, n, [](Vec<T> a, Vec<T> b) RAYO_LAMBDA { return a / b; }, MapOperand<T, false>(y), MapOperand<T, true>(&by));
}

template <class T>
void reduce_root(T *y, int64_t n) {
  map_loop(
      y, n, [](Vec<T> a) RAYO_LAMBDA { return sqrt(a); }, MapOperand<T, false>(y));
}

RAYO_ISA_END

#endif  // RAYO_KERNELS_REDUCE_H
