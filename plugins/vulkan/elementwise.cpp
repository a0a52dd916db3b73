// SPDX-License-Identifier: Apache-2.0
//
// Unary, binary and quantise ops: one strided walk over the output's elements. transpose is the copy of an operand
// whose strides are permuted.
#include <algorithm>

#include "kernel.h"

namespace rayo::vulkan {
namespace {

constexpr int kShaderAxes = 4;
constexpr uint32_t kGroup = 256;

// strided.glsl's push block, in words.
constexpr size_t kShape = 4, kStride = 8, kCount = 24;

struct Operands {
  std::array<const rayo_tensor_desc *, kMaxLayoutOperands> tensors{};
  std::array<std::array<int64_t, RAYO_MAX_NDIM>, kMaxLayoutOperands> strides{};  // along the output's axes
};

Layout layout_of(const rayo_tensor_desc &shape, const Operands &operands) {
  Layout layout;
  for (int32_t axis = shape.ndim; axis-- > 0;) {
    std::array<int64_t, kMaxLayoutOperands> strides{};
    for (size_t k = 0; k < strides.size(); ++k)
      if (operands.tensors[k] != nullptr) strides[k] = operands.strides[k][static_cast<size_t>(axis)];
    layout.push(shape.shape[axis], strides);
  }
  return layout;
}

void take(Operands *operands, size_t binding, const rayo_tensor_desc &tensor) {
  operands->tensors[binding] = &tensor;
  for (int32_t axis = 0; axis < tensor.ndim; ++axis)
    operands->strides[binding][static_cast<size_t>(axis)] = tensor.strides[axis];
}

// Operands of an op whose inputs have the output's shape, and of transpose.
Operands plain_operands(const rayo_op_desc &desc) {
  Operands operands;
  for (uint32_t i = 0; i < desc.input_count; ++i) take(&operands, i, *desc.inputs[i]);
  take(&operands, desc.input_count, *desc.outputs[0]);
  return operands;
}

bool is_transpose(const rayo_op_desc &desc) {
  for (uint32_t i = 0; i < desc.attr_count; ++i)
    if (std::string_view(desc.attrs[i].name) == "perm") return true;
  return false;
}

Operands operands_of(const rayo_op_desc &desc) {
  Operands operands = plain_operands(desc);
  if (!is_transpose(desc)) return operands;
  const rayo_tensor_desc &x = *desc.inputs[0];
  const auto perm = plugin::attr_ints(desc, "perm");
  for (int32_t axis = 0; axis < x.ndim; ++axis) {
    int64_t from = perm.empty() ? x.ndim - 1 - axis : perm[static_cast<size_t>(axis)];
    if (from < 0) from += x.ndim;
    operands.strides[0][static_cast<size_t>(axis)] = x.strides[from];
  }
  return operands;
}

// x, scale, zero point, y: scale and zero point vary along one axis or not at all.
Operands quantise_operands(const rayo_op_desc &desc) {
  Operands operands;
  take(&operands, 0, *desc.inputs[0]);
  take(&operands, 3, *desc.outputs[0]);
  const int64_t axis = plugin::attr_int(desc, "axis");
  for (uint32_t i = 1; i < desc.input_count; ++i) {
    const rayo_tensor_desc &t = *desc.inputs[i];
    if (t.dtype.bits == 0) continue;
    operands.tensors[i] = &t;
    if (t.ndim == 1 && t.shape[0] != 1) operands.strides[i][static_cast<size_t>(axis)] = t.strides[0];
  }
  return operands;
}

uint32_t supports(const rayo_op_desc &desc, const Operands &operands) {
  if (!fits_32_bits(desc)) return RAYO_WHY_SIZE;
  if (element_count(*desc.outputs[0]) == 0) return RAYO_WHY_SUPPORTED;
  const Layout layout = layout_of(*desc.outputs[0], operands);
  return layout.outer_count(kShaderAxes) > kMaxOuter ? RAYO_WHY_RANK : RAYO_WHY_SUPPORTED;
}

void build(State *state, const rayo_op_desc &desc, const Operands &operands, Shader shader, uint32_t code) {
  Device &device = *state->device;
  const Layout layout = layout_of(*desc.outputs[0], operands);
  const uint32_t group = group_size(device, kGroup);
  VkPipeline pipeline = device.pipeline(shader, {{0, group},
                                                 {1, code},
                                                 {2, layout.size() <= 1 ? 1u : 0u},
                                                 {kSoftConstant, device.physical().floats.keep_subnormals ? 0u : 1u}});
  const int64_t count = layout.count() / layout.outer_count(kShaderAxes);
  for (const auto &offset : layout.outer(kShaderAxes)) {
    Pass pass;
    pass.pipeline = pipeline;
    pass.groups[0] = group_count(device, static_cast<uint64_t>(count), group);
    pass.work = static_cast<double>(count) * 32;
    for (size_t k = 0; k < kBindings; ++k) pass.push[k] = word(offset[k]);
    for (int axis = 0; axis < kShaderAxes; ++axis) {
      const auto at = static_cast<size_t>(axis);
      pass.push[kShape + at] = word(layout.extent(axis));
      for (int k = 0; k < kMaxLayoutOperands; ++k)
        pass.push[kStride + static_cast<size_t>(k) * 4 + at] = word(layout.stride(axis, k));
    }
    pass.push[kCount] = word(count);
    state->passes.push_back(pass);
  }
}

uint32_t supports_plain(const rayo_op_desc &desc) { return supports(desc, operands_of(desc)); }
uint32_t supports_quantise(const rayo_op_desc &desc) {
  if (!desc.device->device->physical().bytes) return RAYO_WHY_DEVICE_LIMIT;
  return supports(desc, quantise_operands(desc));
}

void build_unary(State *state, const rayo_op_desc &desc, uint32_t code) {
  constexpr uint32_t kGelu = 9, kGeluTanh = 10;
  if (code == kGelu && plugin::attr_string(desc, "approximate") == "tanh") code = kGeluTanh;
  state->bindings = {0, kOutput, kNoOperand, kNoOperand};
  build(state, desc, operands_of(desc), Shader::unary, code);
}
void build_binary(State *state, const rayo_op_desc &desc, uint32_t code) {
  state->bindings = {0, 1, kOutput, kNoOperand};
  build(state, desc, operands_of(desc), Shader::binary, code);
}
// code: 0 quantize, 1 dequantize.
void build_quantise(State *state, const rayo_op_desc &desc, uint32_t code) {
  const bool zero_point = desc.input_count > 2 && desc.inputs[2]->dtype.bits != 0;
  const rayo_tensor_desc &narrow = code == 0 ? *desc.outputs[0] : *desc.inputs[0];
  const uint32_t is_signed = narrow.dtype.code == kDLInt ? 2 : 0;
  state->bindings = {0, 1, zero_point ? 2 : kNoOperand, kOutput};
  build(state, desc, quantise_operands(desc), Shader::quantise, code | is_signed | (zero_point ? 4u : 0u));
}

}  // namespace

constexpr Family kUnary = {supports_plain, build_unary};
constexpr Family kBinary = {supports_plain, build_binary};
constexpr Family kQuantise = {supports_quantise, build_quantise};

}  // namespace rayo::vulkan
