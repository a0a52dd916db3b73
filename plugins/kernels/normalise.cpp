// SPDX-License-Identifier: Apache-2.0
//
// The softmax hot loops of one ISA.
#include <kernels/reduce.h>
#include <kernels/tables.h>
#include <simd/math.h>

RAYO_ISA_BEGIN

namespace {

template <class T>
T exp_sum(const T *x, T m, T *y, int64_t n) {
  const Vec<T> top = set1<Vec<T>>(m);
  return reduce_lanes<T>(n, SumOp<T>(), [&](Vec<T> lane, int64_t i, int count) RAYO_LAMBDA {
    if (count == Vec<T>::size) {
      const Vec<T> e = exp(load(x + i) - top);
      store(y + i, e);
      return lane + e;
    }
    const Vec<T> e = exp(load_n(x + i, count, T(0)) - top);
    store_n(y + i, e, count);
    // Lanes past the end must add +0: read back what was stored.
    return lane + load_n(y + i, count, T(0));
  });
}

template <class T>
void scale(T *y, T r, int64_t n) {
  map_loop(
      y, n, [](Vec<T> a, Vec<T> b) RAYO_LAMBDA { return a * b; }, MapOperand<T, false>(y), MapOperand<T, true>(&r));
}

template <class T>
RAYO_INLINE void exp_row_unit(const T *x, const T *m, T *y, T *sum, int64_t cols) {
  using Row = MapOperand<T, false>;
  map_loop(
      y, cols, [](Vec<T> a, Vec<T> b) RAYO_LAMBDA { return exp(a - b); }, Row(x), Row(m));
  map_loop(sum, cols, SumOp<T>(), Row(sum), Row(y));
}

/// Strided rows go through a buffer, kMapBlock elements at a time.
template <class T>
void exp_row(const T *x, int64_t sx, const T *m, T *y, int64_t sy, T *sum, int64_t cols) {
  if (sx == 1 && sy == 1) return exp_row_unit(x, m, y, sum, cols);
  alignas(64) T buffer[kMapBlock];
  for (int64_t c = 0; c < cols; c += kMapBlock) {
    const int64_t n = cols - c < kMapBlock ? cols - c : kMapBlock;
    gather(x + c * sx, sx, buffer, n);
    exp_row_unit(buffer, m + c, buffer, sum + c, n);
    scatter(buffer, y + c * sy, sy, n);
  }
}

template <class T>
void scale_row(T *y, int64_t sy, const T *r, int64_t cols) {
  const MapRow row = {{y, r, nullptr}, {sy, 1, 0}, y, sy, cols};
  map_row<T, 2>(row, [](Vec<T> a, Vec<T> b) RAYO_LAMBDA { return a * b; });
}

template <class T>
void invert(T *r, int64_t cols) {
  map_loop(
      r, cols, [](Vec<T> a) RAYO_LAMBDA { return set1<Vec<T>>(T(1)) / a; }, MapOperand<T, false>(r));
}

}  // namespace

extern const NormaliseTable normalise_table;
const NormaliseTable normalise_table = {
    {exp_sum<float>, scale<float>, exp_row<float>, scale_row<float>, invert<float>}};

RAYO_ISA_END
