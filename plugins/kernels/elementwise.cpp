// SPDX-License-Identifier: Apache-2.0
//
// The elementwise hot loops of one ISA.
#include <kernels/elementwise_ops.h>
#include <kernels/map.h>
#include <kernels/tables.h>

RAYO_ISA_BEGIN

namespace {

/// Element type of operand 0.
template <class T>
using same = T;
template <class T>
using byte = uint8_t;

/// Bound by memory?
constexpr bool cheap = true;
constexpr bool dear = false;

/// clip where both bounds are one number for all. at_least and at_most are one instruction where max_nan and min_nan
/// are three, and the same but for bounds that are NaN or zeros of the other sign: a lower bound of +0 makes a -0 a +0,
/// as adding +0 does, and the other zeros take the general way.
template <class T, int N, class E, bool kCheap>
RAYO_INLINE void map_row(const MapRow &row, Op_clip f) {
  if (row.in_stride[1] == 0 && row.in_stride[2] == 0 && row.n > 0) {
    const Vec<T> lo = MapOperand<T, true>(static_cast<const T *>(row.in[1])).v;
    const Vec<T> hi = MapOperand<T, true>(static_cast<const T *>(row.in[2])).v;
    const T low = first_lane(lo), high = first_lane(hi);
    const bool numbers = !__builtin_isnan(low) && !__builtin_isnan(high) && high != T(0);
    if (numbers && low != T(0)) {
      return map_row<T, 1, E, kCheap>(row, [=](Vec<T> x) RAYO_LAMBDA { return at_most(at_least(x, lo), hi); });
    }
    if (numbers && !__builtin_signbit(low)) {
      return map_row<T, 1, E, kCheap>(
          row, [=](Vec<T> x) RAYO_LAMBDA { return at_most(at_least(x, lo) + set1<Vec<T>>(T(0)), hi); });
    }
  }
  map_row<T, N, E, kCheap, Op_clip>(row, f);
}

/// body(row) for each row; operand 0 has type E, the others T.
template <class T, class E, class Body>
RAYO_INLINE void map_each_row(const MapRow &rows, Body body) {
  MapRow next;
  const MapRow *row = &rows;
  for (int64_t left = rows.rows; left > 0; --left) {
    body(*row);
    if (left == 1) return;
    if (row == &rows) {
      next = rows;
      row = &next;
    }
    next.in[0] = static_cast<const E *>(next.in[0]) + next.in_step[0];
    for (int k = 1; k < 3; ++k) next.in[k] = static_cast<const T *>(next.in[k]) + next.in_step[k];
    next.out = static_cast<T *>(next.out) + next.out_step;
  }
}

#define MAP_OP(ident, op, arity, first, attr, cost)                                                         \
  template <class T>                                                                                        \
  void map_##ident(const MapRow &rows) {                                                                    \
    map_each_row<T, first<T>>(rows, [](const MapRow &row) RAYO_LAMBDA {                                     \
      if constexpr (sizeof(attr) == 1) {                                                                    \
        map_row<T, arity, first<T>, cost>(row, op_##ident);                                                 \
      } else {                                                                                              \
        const Vec<T> p = set1<Vec<T>>(static_cast<T>(row.param));                                           \
        map_row<T, arity, first<T>, cost>(row, [p](auto... x) RAYO_LAMBDA { return op_##ident(x..., p); }); \
      }                                                                                                     \
    });                                                                                                     \
  }
#include <kernels/elementwise_ops.def>
#undef MAP_OP

}  // namespace

extern const ElementwiseTable elementwise_table;
const ElementwiseTable elementwise_table = {{
#define MAP_OP(ident, op, arity, first, attr, cost) map_##ident<float>,
#include <kernels/elementwise_ops.def>
#undef MAP_OP
                                            },
                                            {
#define MAP_OP(ident, op, arity, first, attr, cost) map_##ident<double>,
#include <kernels/elementwise_ops.def>
#undef MAP_OP
                                            }};

RAYO_ISA_END
