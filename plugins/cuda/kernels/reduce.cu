// SPDX-License-Identifier: Apache-2.0
//
// The reduction kernels: lane order, chain order, and the tree over blocks. `dot` is the dot order of products and of
// the op dot.
#include <cuda/kernels/reduce.cuh>

namespace rayo::cuda {

#define REDUCE_OP(ident, Policy)                                                                     \
  RAYO_KERNEL(reduce_lanes_##ident##_f32, kReduceThreads, ReduceParams) { reduce_lanes<Policy>(p); } \
  RAYO_KERNEL(reduce_chain_##ident##_f32, kReduceThreads, ReduceParams) { reduce_chain<Policy>(p); }
REDUCE_OP(sum, SumPolicy)
REDUCE_OP(l1, AbsSumPolicy)
REDUCE_OP(l2, SquareSumPolicy)
REDUCE_OP(max, MaxPolicy)
REDUCE_OP(min, MinPolicy)
#undef REDUCE_OP

RAYO_KERNEL(reduce_lanes_dot_f32, kReduceThreads, ReduceParams) { reduce_lanes<ProductPolicy>(p); }

RAYO_KERNEL(reduce_combine_sum_f32, kCombineThreads, ReduceParams) { reduce_combine<SumPolicy>(p); }
RAYO_KERNEL(reduce_combine_max_f32, kCombineThreads, ReduceParams) { reduce_combine<MaxPolicy>(p); }
RAYO_KERNEL(reduce_combine_min_f32, kCombineThreads, ReduceParams) { reduce_combine<MinPolicy>(p); }

}  // namespace rayo::cuda
