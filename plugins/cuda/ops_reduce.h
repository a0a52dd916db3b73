// SPDX-License-Identifier: Apache-2.0
//
// A reduction bound to its kernels: shared by the reduce ops, dot, and products in the dot order.
#ifndef RAYO_CUDA_OPS_REDUCE_H
#define RAYO_CUDA_OPS_REDUCE_H

#include "bind.h"

namespace rayo::cuda {

inline constexpr KernelName kDotLanes = {kImageReduce, "reduce_lanes_dot_f32", 128};

class ReducePlan {
 public:
  /// params: layouts open (close_layout is done here), outputs, length, finish; blocks and pointers are filled here.
  ReducePlan(Shared &shared, const ReduceParams &params, bool lanes, const KernelName &kernel,
             const KernelName &combine);
  uint64_t workspace_size() const;
  void enqueue(Work &work, const float *x, const float *x2, const float *c, float *y) const;

 private:
  ReduceParams p_;
  BoundKernel kernel_, combine_;
  int64_t blocks_;
};

}  // namespace rayo::cuda

#endif  // RAYO_CUDA_OPS_REDUCE_H
