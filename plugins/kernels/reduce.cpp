// SPDX-License-Identifier: Apache-2.0
//
// The reduction hot loops of one ISA.
#include <kernels/argmax.h>
#include <kernels/reduce.h>
#include <kernels/reduce_rows.h>
#include <kernels/tables.h>

RAYO_ISA_BEGIN

namespace {
template <class T>
constexpr ReduceLoops<T> make_loops() {
  ReduceLoops<T> l = {};
#define RAYO_REDUCTION(op, Op)          \
  l.block[op] = reduce_block<T, Op<T>>; \
  l.rows[op] = reduce_rows<T, Op<T>>;   \
  l.chain[op] = reduce_chain<T, Op<T>>; \
  l.combine[op] = reduce_combine<T, Op<T>>
  RAYO_REDUCTION(kReduceSum, SumOp);
  RAYO_REDUCTION(kReduceAbsSum, AbsSumOp);
  RAYO_REDUCTION(kReduceSquareSum, SquareSumOp);
  RAYO_REDUCTION(kReduceMax, MaxOp);
  RAYO_REDUCTION(kReduceMin, MinOp);
#undef RAYO_REDUCTION
  l.dot_block = dot_block<T>;
  l.deviation_block = deviation_block<T>;
  l.deviation_rows = deviation_rows<T>;
  l.deviation_chain = deviation_chain<T>;
  l.divide = reduce_divide<T>;
  l.root = reduce_root<T>;
  l.arg_rows[kArgMax] = arg_rows<T, MaxOp<T>>;
  l.arg_rows[kArgMin] = arg_rows<T, MinOp<T>>;
  l.arg_columns[kArgMax] = arg_columns<T, MaxOp<T>>;
  l.arg_columns[kArgMin] = arg_columns<T, MinOp<T>>;
  return l;
}
}  // namespace

extern const ReduceTable reduce_table;
const ReduceTable reduce_table = {make_loops<float>(), make_loops<double>()};

RAYO_ISA_END
