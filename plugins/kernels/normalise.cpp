// SPDX-License-Identifier: Apache-2.0
//
// The hot loops of softmax, log_softmax, layer_norm and rms_norm of one ISA.
#include <kernels/reduce.h>
#include <kernels/reduce_rows.h>
#include <kernels/tables.h>
#include <simd/math.h>

RAYO_ISA_BEGIN

namespace {

template <class T>
using Row = MapOperand<T, false>;
template <class T>
using One = MapOperand<T, true>;

/// e^(x - top) of the `count` elements at p, none above top; lanes past the end are +0.
template <class T>
RAYO_INLINE Vec<T> exp_part(const T *p, int count, Vec<T> top) {
  if (count == Vec<T>::size) return exp_negative(load(p) - top);
  // Past the end 0: not a value that exp finds special.
  return keep_lanes(exp_negative(keep_lanes(load_n(p, count, T(0)) - top, count)), count);
}

/// Where 16 registers do not hold the lanes of a sum beside what exp needs, one comes after the other. Zen 5, AVX2,
/// f32: 1024x1024 1.05 times as fast, 1x100000 1.01; with 32 registers 0.98.
template <class T>
inline constexpr bool kExpFirst = Vec<T>::size * sizeof(T) == 32;

template <class T>
RAYO_INLINE void exp_all(const T *x, T m, T *y, int64_t n) {
  const Vec<T> top = set1<Vec<T>>(m);
  map_loop<kMapVectors>(
      y, n, [=](Vec<T> a) RAYO_LAMBDA { return exp_negative(a - top); }, Row<T>(x));
}

template <class T>
T exp_sum(const T *x, T m, T *y, int64_t n) {
  if constexpr (kExpFirst<T>) {
    exp_all(x, m, y, n);
    return reduce_block<T, SumOp<T>>(y, n);
  }
  const Vec<T> top = set1<Vec<T>>(m);
  return reduce_lanes<T>(n, SumOp<T>(), [&](Vec<T> lane, int64_t i, int count) RAYO_LAMBDA {
    // The next row, if that is where it lies, comes while exp works: 1.1 times as fast where it is beyond L2.
    __builtin_prefetch(x + i + n);
    const Vec<T> e = exp_part(x + i, count, top);
    if (count == Vec<T>::size) {
      store(y + i, e);
    } else {
      store_n(y + i, e, count);
    }
    return lane + e;
  });
}

template <class T>
T exp_total(const T *x, T m, int64_t n) {
  const Vec<T> top = set1<Vec<T>>(m);
  return reduce_lanes<T>(
      n, SumOp<T>(), [&](Vec<T> lane, int64_t i, int count) RAYO_LAMBDA { return lane + exp_part(x + i, count, top); });
}

template <class T>
void scale(T *y, T r, int64_t n) {
  map_loop(
      y, n, [](Vec<T> a, Vec<T> b) RAYO_LAMBDA { return a * b; }, Row<T>(y), One<T>(&r));
}

template <class T>
void log_all(T *y, int64_t n) {
  map_loop(
      y, n, [](Vec<T> a) RAYO_LAMBDA { return log(a); }, Row<T>(y));
}

template <class T>
void log_rest(const T *x, T m, T l, T *y, int64_t n) {
  map_loop(
      y, n, [](Vec<T> a, Vec<T> top, Vec<T> b) RAYO_LAMBDA { return (a - top) - b; }, Row<T>(x), One<T>(&m),
      One<T>(&l));
}

/// Batches of rows that one virtual vector holds: what is per row (the trees of maximum and sum, the division) is done
/// for as many rows as a vector has lanes.
template <class T, bool kLog>
RAYO_INLINE void batched_rows(const RowBlock<T> &g) {
  constexpr int64_t kSize = Vec<T>::size;
  for (int64_t r = 0; r < g.rows; r += kSize) {
    const int64_t rows = g.rows - r < kSize ? g.rows - r : kSize;
    const T *x = g.x + r * g.sx;
    T *y = g.y + r * g.sy;
    T top[kSize], sum[kSize] = {};
    reduce_rows<T, MaxOp<T>>(x, g.sx, rows, g.n, top);
    if constexpr (kExpFirst<T> && !kLog) {
      for (int64_t i = 0; i < rows; ++i) exp_all(x + i * g.sx, top[i], y + i * g.sy, g.n);
      reduce_rows<T, SumOp<T>>(y, g.sy, rows, g.n, sum);
    } else {
      reduce_rows_by_length(rows, g.n, sum, SumOp<T>(), [&](int64_t i, Vec<T> lane, int64_t at, int count) RAYO_LAMBDA {
        const Vec<T> e = exp_part(x + i * g.sx + at, count, set1<Vec<T>>(top[i]));
        if constexpr (!kLog) {
          if (count == kSize) {
            store(y + i * g.sy + at, e);
          } else {
            store_n(y + i * g.sy + at, e, count);
          }
        }
        return lane + e;
      });
    }
    if constexpr (kLog) {
      store(sum, log(load(sum)));
      for (int64_t i = 0; i < rows; ++i) log_rest(x + i * g.sx, top[i], sum[i], y + i * g.sy, g.n);
    } else {
      store(sum, set1<Vec<T>>(T(1)) / load(sum));
      for (int64_t i = 0; i < rows; ++i) scale(y + i * g.sy, sum[i], g.n);
    }
  }
}

template <class T>
void short_rows(const RowBlock<T> &g, bool logarithm) {
  if (logarithm) {
    batched_rows<T, true>(g);
  } else {
    batched_rows<T, false>(g);
  }
}

template <class T>
RAYO_INLINE void exp_row_unit(const T *x, const T *m, T *y, T *sum, int64_t cols) {
  map_loop(
      y, cols, [](Vec<T> a, Vec<T> b) RAYO_LAMBDA { return exp_negative(a - b); }, Row<T>(x), Row<T>(m));
  map_loop(sum, cols, SumOp<T>(), Row<T>(sum), Row<T>(y));
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
void exp_total_row(const T *x, int64_t sx, const T *m, T *sum, int64_t cols) {
  const MapRow row = {{sum, x, m}, {1, sx, 1}, sum, 1, cols};
  map_row<T, 3>(row, [](Vec<T> s, Vec<T> a, Vec<T> top) RAYO_LAMBDA { return s + exp_negative(a - top); });
}

template <class T>
void scale_row(T *y, int64_t sy, const T *r, int64_t cols) {
  const MapRow row = {{y, r, nullptr}, {sy, 1, 0}, y, sy, cols};
  map_row<T, 2>(row, [](Vec<T> a, Vec<T> b) RAYO_LAMBDA { return a * b; });
}

template <class T>
void log_rest_row(const T *x, int64_t sx, const T *m, const T *l, T *y, int64_t sy, int64_t cols) {
  const MapRow row = {{x, m, l}, {sx, 1, 1}, y, sy, cols};
  map_row<T, 3>(row, [](Vec<T> a, Vec<T> top, Vec<T> b) RAYO_LAMBDA { return (a - top) - b; });
}

template <class T>
void invert(T *r, int64_t cols) {
  map_loop(
      r, cols, [](Vec<T> a) RAYO_LAMBDA { return set1<Vec<T>>(T(1)) / a; }, Row<T>(r));
}

template <class T>
void inverse_roots(T *v, int64_t rows, T n, T epsilon) {
  const Vec<T> count = set1<Vec<T>>(n), small = set1<Vec<T>>(epsilon);
  map_loop(
      v, rows, [=](Vec<T> a) RAYO_LAMBDA { return set1<Vec<T>>(T(1)) / sqrt(a / count + small); }, Row<T>(v));
}

template <class T>
RAYO_INLINE void apply_row(const T *x, T mean, T r, const T *scale, const T *bias, T *y, int64_t n) {
  const Vec<T> centre = set1<Vec<T>>(mean);
  const Vec<T> factor = set1<Vec<T>>(r);
  if (bias == nullptr) {
    map_loop(
        y, n, [&](Vec<T> a, Vec<T> s) RAYO_LAMBDA { return ((a - centre) * factor) * s; }, Row<T>(x), Row<T>(scale));
  } else {
    map_loop(
        y, n, [&](Vec<T> a, Vec<T> s, Vec<T> b) RAYO_LAMBDA { return fma((a - centre) * factor, s, b); }, Row<T>(x),
        Row<T>(scale), Row<T>(bias));
  }
}

template <class T>
void apply(const NormRows<T> &g) {
  for (int64_t r = 0; r < g.rows; ++r) {
    apply_row(g.x + r * g.sx, g.mean[r], g.root[r], g.scale, g.bias, g.y + r * g.sy, g.n);
  }
}

template <class T>
constexpr SoftmaxLoops<T> softmax_loops() {
  return {exp_sum<T>,       exp_total<T>, scale<T>,        log_all<T>, log_rest<T>,  exp_row<T>,
          exp_total_row<T>, scale_row<T>, log_rest_row<T>, invert<T>,  short_rows<T>};
}
template <class T>
constexpr NormLoops<T> norm_loops() {
  return {inverse_roots<T>, apply<T>};
}

}  // namespace

extern const NormaliseTable normalise_table;
const NormaliseTable normalise_table = {softmax_loops<float>(), softmax_loops<double>(), norm_loops<float>(),
                                        norm_loops<double>()};

RAYO_ISA_END
