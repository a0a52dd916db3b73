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

#define MAP_OP(ident, op, arity, first, attr, cost)                                                       \
  template <class T>                                                                                      \
  void map_##ident(const MapRow &row) {                                                                   \
    if constexpr (sizeof(attr) == 1) {                                                                    \
      map_row<T, arity, first<T>, cost>(row, op_##ident);                                                 \
    } else {                                                                                              \
      const Vec<T> p = set1<Vec<T>>(static_cast<T>(row.param));                                           \
      map_row<T, arity, first<T>, cost>(row, [p](auto... x) RAYO_LAMBDA { return op_##ident(x..., p); }); \
    }                                                                                                     \
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
