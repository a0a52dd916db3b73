// SPDX-License-Identifier: Apache-2.0
//
// Reductions and dot: which order the contract asks for, how the work is cut into blocks, and the second pass that
// combines them.
#include <algorithm>

#include "kernel.h"

namespace rayo::vulkan {
namespace {

constexpr int kShaderAxes = 4;
// The contract's constants (plugin-api/doc/numerics.md, section 3), as in reduce.comp.
constexpr int64_t kLanes = 64, kLaneBlock = 16384, kChainBlock = 256;
constexpr uint32_t kRowsPerGroup = 2;

// reduce.comp's push block, in words.
constexpr size_t kKept = 4, kKeptX = 8, kKeptY = 12, kReduced = 16, kReducedX = 20, kOutputs = 24, kLength = 25,
                 kBlocks = 26, kStrideB = 27, kDivisor = 28;
constexpr uint32_t kMean = 1, kDot = 4;
constexpr uint32_t kByLanes = 0, kByChains = 1, kCombine = 2;

struct Problem {
  Layout kept;     // strides of x and of the result
  Layout reduced;  // of x, and of dot's second operand
  bool lanes = true;
};

bool is_dot(const rayo_op_desc &desc) { return desc.input_count == 2; }

Problem problem_of(const rayo_op_desc &desc) {
  Problem p;
  const rayo_tensor_desc &x = *desc.inputs[0];
  if (is_dot(desc)) {
    p.reduced.push(x.shape[0], {x.strides[0], desc.inputs[1]->strides[0]});
    return p;
  }
  const auto axes = plugin::attr_ints(desc, "axes");
  const auto is_reduced = [&](int32_t axis) {
    return axes.empty() || std::find(axes.begin(), axes.end(), axis) != axes.end();
  };
  const rayo_tensor_desc &y = *desc.outputs[0];
  int32_t to = y.ndim;  // axis of the result behind the one that is looked at
  for (int32_t axis = x.ndim; axis-- > 0;) {
    if (is_reduced(axis)) {
      if (y.ndim == x.ndim) --to;  // kept with extent 1
      p.reduced.push(x.shape[axis], {x.strides[axis]});
    } else {
      --to;
      p.kept.push(x.shape[axis], {x.strides[axis], y.strides[to]});
    }
  }
  p.lanes = x.ndim == 0 || is_reduced(x.ndim - 1);
  return p;
}

uint32_t supports(const rayo_op_desc &desc) {
  if (!fits_32_bits(desc)) return RAYO_WHY_SIZE;
  if (element_count(*desc.outputs[0]) == 0) return RAYO_WHY_SUPPORTED;
  const Problem p = problem_of(desc);
  if (p.reduced.size() > kShaderAxes && p.reduced.count() != 0) return RAYO_WHY_RANK;
  return p.kept.outer_count(kShaderAxes) > kMaxOuter ? RAYO_WHY_RANK : RAYO_WHY_SUPPORTED;
}

VkPipeline pipeline_of(Device &device, uint32_t op, uint32_t pass, uint32_t rows) {
  return device.pipeline(
      Shader::reduce,
      {{0, rows}, {1, op}, {2, pass}, {kSoftConstant, device.physical().floats.keep_subnormals ? 0u : 1u}});
}

void build(State *state, const rayo_op_desc &desc, uint32_t op) {
  Device &device = *state->device;
  const Problem p = problem_of(desc);
  const int64_t length = p.reduced.count();
  const int64_t outputs = p.kept.count() / p.kept.outer_count(kShaderAxes);
  const int64_t block = p.lanes ? kLaneBlock : kChainBlock;
  const int64_t blocks = std::max<int64_t>(1, (length + block - 1) / block);
  const uint32_t rows = group_size(device, kLanes * kRowsPerGroup) / static_cast<uint32_t>(kLanes);
  const auto per_group = static_cast<uint32_t>(rows * kLanes);
  state->bindings = {0, op == kDot ? 1 : kNoOperand, kOutput, blocks > 1 ? kWorkspace : kNoOperand};
  if (blocks > 1) state->workspace = static_cast<uint64_t>(outputs * blocks) * sizeof(float);

  const bool one = outputs * blocks > 0;
  VkPipeline first = pipeline_of(device, op, p.lanes ? kByLanes : kByChains, rows);
  VkPipeline second = blocks > 1 && one ? pipeline_of(device, op, kCombine, rows) : VK_NULL_HANDLE;
  for (const auto &offset : p.kept.outer(kShaderAxes)) {
    Pass pass;
    pass.pipeline = first;
    pass.after_all = !state->passes.empty() && blocks > 1;  // the workspace is used again
    pass.groups[0] = group_count(device, static_cast<uint64_t>(outputs * blocks), p.lanes ? rows : per_group);
    pass.work = static_cast<double>(outputs) * static_cast<double>(length) * 4;
    pass.push[0] = word(offset[0]);
    pass.push[2] = word(offset[1]);
    for (int axis = 0; axis < kShaderAxes; ++axis) {
      const auto at = static_cast<size_t>(axis);
      pass.push[kKept + at] = word(p.kept.extent(axis));
      pass.push[kKeptX + at] = word(p.kept.stride(axis, 0));
      pass.push[kKeptY + at] = word(p.kept.stride(axis, 1));
      pass.push[kReduced + at] = word(p.reduced.extent(axis));
      pass.push[kReducedX + at] = word(p.reduced.stride(axis, 0));
    }
    pass.push[kOutputs] = word(outputs);
    pass.push[kLength] = word(length);
    pass.push[kBlocks] = word(blocks);
    pass.push[kStrideB] = word(p.reduced.stride(0, 1));
    pass.push[kDivisor] = word(static_cast<float>(op == kMean ? length : 1));
    state->passes.push_back(pass);
    if (second == VK_NULL_HANDLE) continue;
    pass.pipeline = second;
    pass.after_all = true;
    pass.groups[0] = group_count(device, static_cast<uint64_t>(outputs), per_group);
    pass.work = static_cast<double>(outputs * blocks) * 4;
    state->passes.push_back(pass);
  }
}

}  // namespace

constexpr Family kReduce = {supports, build};

}  // namespace rayo::vulkan
