// SPDX-License-Identifier: Apache-2.0
//
// The elementwise hot loops of one ISA.
#include <kernels/elementwise_ops.h>
#include <kernels/map.h>
#include <kernels/tables.h>

RAYO_ISA_BEGIN

namespace {

#define MAP_OP(ident, op, arity, f64, cost)       \
  template <class T>                              \
  void map_##ident(const MapRow &row) {           \
    if constexpr (sizeof(T) == 4 || (f64) != 0) { \
      map_row<T, arity>(row, op_##ident);         \
    }                                             \
  }
#include <kernels/elementwise_ops.def>
#undef MAP_OP

}  // namespace

extern const ElementwiseTable elementwise_table;
const ElementwiseTable elementwise_table = {{
#define MAP_OP(ident, op, arity, f64, cost) map_##ident<float>,
#include <kernels/elementwise_ops.def>
#undef MAP_OP
                                            },
                                            {
#define MAP_OP(ident, op, arity, f64, cost) (f64) ? map_##ident<double> : nullptr,
#include <kernels/elementwise_ops.def>
#undef MAP_OP
                                            }};

RAYO_ISA_END
