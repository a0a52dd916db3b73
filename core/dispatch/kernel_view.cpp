// SPDX-License-Identifier: Apache-2.0
#include "dispatch/kernel_view.hpp"

#include <algorithm>
#include <utility>

namespace rayo {
namespace {

// Strides of `operand` seen with the shape of `target`: 0 along the axes it is broadcast.
OperandDesc broadcast_to(const OperandDesc &operand, const OperandDesc &target) {
  OperandDesc out = target;
  out.dtype = operand.dtype;
  const int32_t lead = target.ndim - operand.ndim;
  for (int32_t i = 0; i < target.ndim; ++i) {
    const int32_t from = i - lead;
    const bool spread = from < 0 || (operand.shape[from] == 1 && target.shape[i] != 1);
    out.strides[i] = spread ? 0 : operand.strides[from];
  }
  return out;
}

bool has_single_axis(const rayo_op_schema &schema) {
  for (uint32_t i = 0; i < schema.attr_count; ++i) {
    const uint32_t flags = schema.attrs[i]->flags;
    if ((flags & RAYO_ATTR_AXES) != 0 && (flags & RAYO_ATTR_LIST) == 0) return true;
  }
  return false;
}

}  // namespace

void OperandList::fill(std::vector<OperandDesc> operands, DLDevice dl, uint32_t mask,
                       const rayo_tensor *const *constants) {
  operands_ = std::move(operands);
  descs_.clear();
  pointers_.clear();
  for (size_t i = 0; i < operands_.size(); ++i) {
    const OperandDesc &operand = operands_[i];
    rayo_tensor_desc desc{};
    desc.dtype = operand.dtype;
    desc.ndim = operand.ndim;
    desc.shape = operand.shape;
    desc.strides = operand.strides;
    desc.device = dl;
    if (constants != nullptr && (mask >> i & 1u) != 0 && !operand.absent() &&
        (constants[i]->dl.data != nullptr || operand.elements() == 0)) {
      desc.flags = RAYO_OPERAND_CONSTANT;
      desc.constant = constants[i];
    }
    descs_.push_back(desc);
  }
  for (const rayo_tensor_desc &desc : descs_) pointers_.push_back(&desc);
}

KernelView::KernelView(const Schema &schema, const rayo_op_desc &base, std::vector<OperandDesc> inputs,
                       std::vector<OperandDesc> outputs, const Place &place)
    : desc_(base) {
  if (schema.rule == ShapeRule::broadcast) {
    for (OperandDesc &input : inputs) {
      if (!input.absent()) input = broadcast_to(input, outputs[0]);
    }
  } else if (!inputs.empty() && inputs[0].ndim == 0 && has_single_axis(*schema.raw)) {
    // An op along an axis sees a scalar as a vector of one element.
    for (std::vector<OperandDesc> *operands : {&inputs, &outputs}) {
      for (OperandDesc &operand : *operands) {
        if (operand.absent() || operand.ndim != 0) continue;
        operand.ndim = 1;
        operand.shape[0] = 1;
        operand.strides[0] = 1;
      }
    }
  }
  for (const std::vector<OperandDesc> *operands : {&inputs, &outputs}) {
    for (const OperandDesc &operand : *operands) {
      if (operand.absent()) continue;
      compact_ = compact_ && operand.compact();
      max_ndim_ = std::max(max_ndim_, operand.ndim);
    }
  }
  inputs_.fill(std::move(inputs), place.dl, place.constant_mask, place.constants);
  outputs_.fill(std::move(outputs), place.dl, 0, nullptr);
  desc_.device = place.device;
  desc_.inputs = inputs_.pointers();
  desc_.input_count = inputs_.size();
  desc_.outputs = outputs_.pointers();
  desc_.output_count = outputs_.size();
}

}  // namespace rayo
