// SPDX-License-Identifier: Apache-2.0
//
// softmax and layer_norm: the rows, and the axes of one.
#include <algorithm>

#include "kernel.h"

namespace rayo::vulkan {
namespace {

constexpr int kShaderAxes = 3;
constexpr uint32_t kSoftmax = 0, kNorm = 1, kNormWithBias = 2;

// rows.comp's push block, in words.
constexpr size_t kKept = 4, kKeptX = 7, kKeptY = 10, kInner = 13, kInnerX = 16, kInnerScale = 19, kInnerBias = 22,
                 kInnerY = 25, kRowCount = 28, kLength = 29, kEpsilon = 30;
// Operands of the layouts.
constexpr int kX = 0, kScale = 1, kBias = 2, kY = 3;

struct Problem {
  Layout kept, inner;
};

// Stride of an operand that is broadcast to the axes of x from `first` on.
int64_t broadcast_stride(const rayo_tensor_desc &t, const rayo_tensor_desc &x, int32_t axis) {
  const int32_t own = axis - (x.ndim - t.ndim);
  return own < 0 || t.shape[own] == 1 ? 0 : t.strides[own];
}

Problem problem_of(const rayo_op_desc &desc) {
  Problem p;
  const rayo_tensor_desc &x = *desc.inputs[0], &y = *desc.outputs[0];
  const auto first = static_cast<int32_t>(plugin::attr_int(desc, "axis"));
  const bool norm = desc.input_count > 1;
  for (int32_t axis = x.ndim; axis-- > 0;) {
    std::array<int64_t, kMaxLayoutOperands> strides{};
    strides[kX] = x.strides[axis];
    strides[kY] = y.strides[axis];
    const bool inner = norm ? axis >= first : axis == first;
    if (inner && norm) {
      strides[kScale] = broadcast_stride(*desc.inputs[1], x, axis);
      if (desc.input_count > 2) strides[kBias] = broadcast_stride(*desc.inputs[2], x, axis);
    }
    (inner ? p.inner : p.kept).push(x.shape[axis], strides);
  }
  return p;
}

uint32_t supports(const rayo_op_desc &desc) {
  if (!fits_32_bits(desc)) return RAYO_WHY_SIZE;
  if (element_count(*desc.outputs[0]) == 0) return RAYO_WHY_SUPPORTED;
  const Problem p = problem_of(desc);
  return p.inner.size() > kShaderAxes || p.kept.outer_count(kShaderAxes) > kMaxOuter ? RAYO_WHY_RANK
                                                                                     : RAYO_WHY_SUPPORTED;
}

void build(State *state, const rayo_op_desc &desc, uint32_t op) {
  Device &device = *state->device;
  const Problem p = problem_of(desc);
  if (op == kNorm && desc.input_count > 2 && desc.inputs[2]->dtype.bits != 0) op = kNormWithBias;
  const int64_t length = p.inner.count();
  const int64_t rows = p.kept.count() / p.kept.outer_count(kShaderAxes);
  const uint32_t lanes = group_size(device, length > 1024 ? 256 : 64);
  state->bindings = {0, op != kSoftmax ? 1 : kNoOperand, op == kNormWithBias ? 2 : kNoOperand, kOutput};
  VkPipeline pipeline = device.pipeline(
      Shader::rows, {{0, lanes}, {1, op}, {kSoftConstant, device.physical().floats.keep_subnormals ? 0u : 1u}});
  for (const auto &offset : p.kept.outer(kShaderAxes)) {
    Pass pass;
    pass.pipeline = pipeline;
    pass.groups[0] = group_count(device, static_cast<uint64_t>(rows), 1);
    pass.work = static_cast<double>(rows) * static_cast<double>(length) * 64;
    pass.push[kX] = word(offset[kX]);
    pass.push[kY] = word(offset[kY]);
    for (int axis = 0; axis < kShaderAxes; ++axis) {
      const auto at = static_cast<size_t>(axis);
      pass.push[kKept + at] = word(p.kept.extent(axis));
      pass.push[kKeptX + at] = word(p.kept.stride(axis, kX));
      pass.push[kKeptY + at] = word(p.kept.stride(axis, kY));
      pass.push[kInner + at] = word(p.inner.extent(axis));
      pass.push[kInnerX + at] = word(p.inner.stride(axis, kX));
      pass.push[kInnerScale + at] = word(p.inner.stride(axis, kScale));
      pass.push[kInnerBias + at] = word(p.inner.stride(axis, kBias));
      pass.push[kInnerY + at] = word(p.inner.stride(axis, kY));
    }
    pass.push[kRowCount] = word(rows);
    pass.push[kLength] = word(length);
    if (op != kSoftmax) pass.push[kEpsilon] = word(static_cast<float>(plugin::attr_float(desc, "epsilon")));
    state->passes.push_back(pass);
  }
}

}  // namespace

constexpr Family kRows = {supports, build};

}  // namespace rayo::vulkan
