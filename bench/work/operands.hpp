// SPDX-License-Identifier: Apache-2.0
//
// A work item with its memory: inputs filled, outputs of the inferred shapes, attributes typed. All contestants of the
// item read these inputs.
#pragma once

#include <rayo/rayo.h>

#include <memory>
#include <vector>

#include "item.hpp"
#include "tools/attributes.hpp"
#include "tools/host_tensor.hpp"
#include "tools/session.hpp"

namespace rayo::bench {

class Operands {
 public:
  // Throws CommandError when the shapes do not fit the op or the memory. Inputs hold `usual` values.
  Operands(const tools::Session &session, const rayo_op_info &op, const WorkItem &item);
  Operands(const Operands &) = delete;
  Operands &operator=(const Operands &) = delete;

  const rayo_op_info &op() const { return op_; }
  // Fills the floating-point inputs anew with positive values: for ops that have no value below 0.
  void make_positive();

  const std::vector<const rayo_tensor *> &inputs() const { return input_pointers_; }
  const std::vector<const rayo_tensor *> &outputs() const { return output_pointers_; }
  std::vector<tools::HostTensor> &output_memory() { return output_memory_; }
  const rayo_attr *attributes() const { return attributes_.list(); }

  // Bytes that must move at least: each operand once. Element counts of input 0 and output 0.
  double bytes() const;
  double input_bytes() const;
  double input_elements() const;
  double output_elements() const;
  // Outputs as run() of a peer takes them.
  std::vector<void *> output_addresses() const;
  // Overwrites the outputs, so that a contestant that writes nothing is seen.
  void poison_outputs();
  // Of f32 and f64 outputs.
  bool output_has_nan() const;

 private:
  rayo_op_info op_;
  std::vector<OperandSpec> specs_;
  tools::AttributeList attributes_;
  std::vector<tools::HostTensor> input_memory_, output_memory_;
  std::vector<rayo_tensor> input_views_, output_views_;
  std::vector<const rayo_tensor *> input_pointers_, output_pointers_;
};

}  // namespace rayo::bench
