// SPDX-License-Identifier: Apache-2.0
//
// Validation, once per descriptor: operands read, attributes resolved, shapes inferred, broadcasting applied. What
// comes out is the descriptor that kernels trust.
#pragma once

#include <rayo/plugin.h>
#include <rayo/rayo.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "dispatch/attributes.hpp"
#include "dispatch/shape_rules.hpp"
#include "registry/registry.hpp"

namespace rayo {

// A call as the C API got it, with options resolved. Borrows everything.
struct CallRequest {
  rayo_op op = RAYO_OP_NONE;
  const rayo_tensor *const *inputs = nullptr;
  const rayo_tensor *const *outputs = nullptr;  // may be null with output_count 0: compact outputs as inferred
  uint32_t input_count = 0;
  uint32_t output_count = 0;
  uint32_t constant_inputs = 0;
  const rayo_attr *attrs = nullptr;
  const char *device = "auto";
  uint32_t threads = 1;
  uint32_t policy = RAYO_POLICY_ACCURATE;
};

// A validated call. Immutable; addresses inside stay valid while it lives (it is not movable).
class BoundCall {
 public:
  // Throws Error.
  BoundCall(const Registry &registry, const CallRequest &request);
  BoundCall(const BoundCall &) = delete;
  BoundCall &operator=(const BoundCall &) = delete;

  const Schema &schema() const { return *schema_; }
  const Attributes &attributes() const { return attributes_; }
  const std::vector<OperandDesc> &inputs() const { return inputs_; }    // as the caller gave them
  const std::vector<OperandDesc> &outputs() const { return outputs_; }  // as the caller gave them, or inferred
  const rayo_op_desc &desc() const { return desc_; }                    // as the kernel sees it
  bool compact() const { return compact_; }                             // every operand the kernel sees
  int32_t max_ndim() const { return max_ndim_; }
  const std::vector<std::pair<std::string, DLDataType>> &types() const { return types_; }

 private:
  void describe(std::vector<OperandDesc> *operands, std::vector<rayo_tensor_desc> *descs,
                std::vector<const rayo_tensor_desc *> *pointers, const CallRequest *constants);
  void check_outputs(const CallRequest &request, const std::vector<OperandDesc> &inferred);
  void bind_output_type(const OperandSpec &spec, DLDataType dtype);
  void shape_for_kernel();

  const Schema *schema_ = nullptr;
  Attributes attributes_;
  std::vector<OperandDesc> inputs_;
  std::vector<OperandDesc> outputs_;
  std::vector<OperandDesc> kernel_inputs_;
  std::vector<OperandDesc> kernel_outputs_;
  std::vector<rayo_tensor_desc> input_descs_;
  std::vector<rayo_tensor_desc> output_descs_;
  std::vector<const rayo_tensor_desc *> input_pointers_;
  std::vector<const rayo_tensor_desc *> output_pointers_;
  std::vector<std::pair<std::string, DLDataType>> types_;
  rayo_op_desc desc_{};
  bool compact_ = true;
  int32_t max_ndim_ = 0;
};

// Output descriptions for a call whose outputs are not there yet (rayo_infer_shapes). Throws Error.
std::vector<OperandDesc> infer_call(const Registry &registry, const CallRequest &request);

}  // namespace rayo
