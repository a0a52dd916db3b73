// SPDX-License-Identifier: Apache-2.0
//
// The reduction hot loops of one ISA.
#include <kernels/argmax.h>
#include <kernels/reduce.h>
#include <kernels/tables.h>

RAYO_ISA_BEGIN

namespace {
template <class T>
constexpr ReduceLoops<T> make_loops() {
  return {{reduce_block<T, SumOp<T>>, reduce_block<T, MaxOp<T>>, reduce_block<T, MinOp<T>>},
          dot_block<T>,
          {reduce_chain<T, SumOp<T>>, reduce_chain<T, MaxOp<T>>, reduce_chain<T, MinOp<T>>},
          {reduce_combine<T, SumOp<T>>, reduce_combine<T, MaxOp<T>>, reduce_combine<T, MinOp<T>>},
          argmax_row<T>,
          argmax_columns<T>};
}
}  // namespace

extern const ReduceTable reduce_table;
const ReduceTable reduce_table = {make_loops<float>(), make_loops<double>()};

RAYO_ISA_END
