// SPDX-License-Identifier: Apache-2.0
//
// A validated call as the kernels of one place see it: broadcast, ranks adjusted, described by the ABI's structs.
#pragma once

#include <rayo/plugin.h>

#include <vector>

#include "dispatch/shape_rules.hpp"

namespace rayo {

// Descriptions of a list of operands. Not movable once filled: the structs point into it.
class OperandList {
 public:
  OperandList() = default;
  OperandList(const OperandList &) = delete;
  OperandList &operator=(const OperandList &) = delete;

  // `constants`: bit i of `mask` set = operand i keeps its content, constants[i] is the tensor. May be null.
  void fill(std::vector<OperandDesc> operands, DLDevice dl, uint32_t mask, const rayo_tensor *const *constants);
  const std::vector<OperandDesc> &operands() const { return operands_; }
  const rayo_tensor_desc *const *pointers() const { return pointers_.data(); }
  uint32_t size() const { return static_cast<uint32_t>(operands_.size()); }

 private:
  std::vector<OperandDesc> operands_;
  std::vector<rayo_tensor_desc> descs_;
  std::vector<const rayo_tensor_desc *> pointers_;
};

class KernelView {
 public:
  struct Place {
    rayo_device *device = nullptr;  // null: the host
    DLDevice dl{kDLCPU, 0};
    uint32_t constant_mask = 0;
    const rayo_tensor *const *constants = nullptr;
  };

  // `base` gives op, version, attributes, policy and threads; inputs and outputs are laid out as in that place.
  KernelView(const Schema &schema, const rayo_op_desc &base, std::vector<OperandDesc> inputs,
             std::vector<OperandDesc> outputs, const Place &place);

  const rayo_op_desc &desc() const { return desc_; }
  const std::vector<OperandDesc> &inputs() const { return inputs_.operands(); }
  const std::vector<OperandDesc> &outputs() const { return outputs_.operands(); }
  bool compact() const { return compact_; }  // every operand
  int32_t max_ndim() const { return max_ndim_; }

 private:
  OperandList inputs_;
  OperandList outputs_;
  rayo_op_desc desc_;
  bool compact_ = true;
  int32_t max_ndim_ = 0;
};

}  // namespace rayo
