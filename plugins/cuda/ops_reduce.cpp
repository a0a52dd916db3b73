// SPDX-License-Identifier: Apache-2.0
//
// reduce_sum, _mean, _max, _min, _l1, _l2 and dot. Results of blocks lie in the workspace until a second kernel
// combines them.
#include "ops_reduce.h"

namespace rayo::cuda {
namespace {

struct Names {
  KernelName lanes, chain, combine;
};
constexpr KernelName kCombineSum = {kImageReduce, "reduce_combine_sum_f32", 256};
#define NAMES(ident, combine) \
  { {kImageReduce, "reduce_lanes_" #ident "_f32", 128}, {kImageReduce, "reduce_chain_" #ident "_f32", 128}, combine }
constexpr Names kSum = NAMES(sum, kCombineSum);
constexpr Names kL1 = NAMES(l1, kCombineSum);
constexpr Names kL2 = NAMES(l2, kCombineSum);
constexpr KernelName kCombineMax = {kImageReduce, "reduce_combine_max_f32", 256};
constexpr KernelName kCombineMin = {kImageReduce, "reduce_combine_min_f32", 256};
constexpr Names kMax = NAMES(max, kCombineMax);
constexpr Names kMin = NAMES(min, kCombineMin);
#undef NAMES

constexpr int64_t kLaneUnits = 4;     // blocks of the lane order that a block of threads takes: a warp each
constexpr int64_t kChainUnits = 128;  // chains of a block of threads

class Reduce : public State {
 public:
  Reduce(Shared &shared, const rayo_op_desc &desc, const Names &names, Finish finish) {
    const rayo_tensor_desc &x = *desc.inputs[0], &y = *desc.outputs[0];
    const uint32_t axes = axes_of(desc);
    const bool keepdims = plugin::attr_int(desc, "keepdims") != 0;
    const bool lanes = x.ndim == 0 || (axes >> (x.ndim - 1) & 1u) != 0;
    ReduceParams p{};
    p.outputs = p.length = 1;
    int32_t y_axis = 0;
    for (int32_t axis = 0; axis < x.ndim; ++axis) {
      const bool reduced = (axes >> axis & 1u) != 0;
      if (reduced) {
        p.length *= x.shape[axis];
        push_axis(p.inner, x.shape[axis], {x.strides[axis], 0});
      } else {
        p.outputs *= x.shape[axis];
        push_axis(p.outer, x.shape[axis], {x.strides[axis], 0, y.strides[y_axis], 0});
      }
      if (!reduced || keepdims) ++y_axis;
    }
    p.finish = finish;
    p.divisor = static_cast<float>(p.length);
    plan_.emplace(shared, p, lanes, lanes ? names.lanes : names.chain, names.combine);
    workspace_size = plan_->workspace_size();
  }
  void enqueue(Work &work) const override {
    plan_->enqueue(work, static_cast<const float *>(work.in[0]), nullptr, nullptr, static_cast<float *>(work.out[0]));
  }

 private:
  static uint32_t axes_of(const rayo_op_desc &desc) {
    const auto axes = plugin::attr_ints(desc, "axes");
    if (axes.empty()) return (1u << desc.inputs[0]->ndim) - 1u;
    uint32_t mask = 0;
    for (const int64_t axis : axes) mask |= 1u << axis;
    return mask;
  }
  std::optional<ReducePlan> plan_;
};

template <const Names &kNames, Finish kFinish>
class ReduceOf final : public Reduce {
 public:
  ReduceOf(Shared &shared, const rayo_op_desc &desc) : Reduce(shared, desc, kNames, kFinish) {}
};

class Dot final : public State {
 public:
  Dot(Shared &shared, const rayo_op_desc &desc) {
    ReduceParams p{};
    p.outputs = 1;
    p.length = desc.inputs[0]->shape[0];
    push_axis(p.inner, p.length, {desc.inputs[0]->strides[0], desc.inputs[1]->strides[0]});
    plan_.emplace(shared, p, true, kDotLanes, kCombineSum);
    workspace_size = plan_->workspace_size();
  }
  void enqueue(Work &work) const override {
    plan_->enqueue(work, static_cast<const float *>(work.in[0]), static_cast<const float *>(work.in[1]), nullptr,
                   static_cast<float *>(work.out[0]));
  }

 private:
  std::optional<ReducePlan> plan_;
};

constexpr rayo_kernel kKernels[] = {
    device_kernel<ReduceOf<kSum, kFinishNone>>("reduce_sum_f32", "reduce_sum", "T=f32"),
    device_kernel<ReduceOf<kSum, kFinishDivide>>("reduce_mean_f32", "reduce_mean", "T=f32"),
    device_kernel<ReduceOf<kMax, kFinishNone>>("reduce_max_f32", "reduce_max", "T=f32"),
    device_kernel<ReduceOf<kMin, kFinishNone>>("reduce_min_f32", "reduce_min", "T=f32"),
    device_kernel<ReduceOf<kL1, kFinishNone>>("reduce_l1_f32", "reduce_l1", "T=f32"),
    device_kernel<ReduceOf<kL2, kFinishRoot>>("reduce_l2_f32", "reduce_l2", "T=f32"),
    device_kernel<Dot>("dot_f32", "dot", "T=f32"),
};
constexpr const rayo_kernel *kList[] = {&kKernels[0], &kKernels[1], &kKernels[2], &kKernels[3],
                                        &kKernels[4], &kKernels[5], &kKernels[6]};

}  // namespace

ReducePlan::ReducePlan(Shared &shared, const ReduceParams &params, bool lanes, const KernelName &kernel,
                       const KernelName &combine)
    : p_(params), kernel_(shared, kernel), combine_(shared, combine) {
  const int64_t block = lanes ? kLaneBlock : kChainBlock;
  p_.blocks = std::max<int64_t>(1, ceil_div(p_.length, block));
  close_layout(p_.outer);
  close_layout(p_.inner);
  blocks_ = grid_for(shared, p_.outputs * p_.blocks, lanes ? kLaneUnits : kChainUnits);
}

uint64_t ReducePlan::workspace_size() const {
  return p_.blocks > 1 ? static_cast<uint64_t>(p_.outputs * p_.blocks) * sizeof(float) : 0;
}

void ReducePlan::enqueue(Work &work, const float *x, const float *x2, const float *c, float *y) const {
  if (p_.outputs == 0) return;
  ReduceParams p = p_;
  p.x = x;
  p.x2 = x2;
  p.c = c;
  p.y = y;
  p.partial = static_cast<float *>(work.workspace);
  kernel_(work, p, blocks_);
  if (p.blocks > 1) combine_(work, p, std::min<int64_t>(p.outputs, 65536));
}

constexpr KernelList kReduceKernels = {kList, 7};

}  // namespace rayo::cuda
