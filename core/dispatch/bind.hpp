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
#include "dispatch/kernel_view.hpp"
#include "dispatch/shape_rules.hpp"
#include "registry/registry.hpp"

namespace rayo {

class Device;
class DeviceSet;
class Capture;
class SelectTable;

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
  const Registry *registry = nullptr;     // of the runtime as it was when the call began
  uint64_t generation = 0;                // of the runtime then
  DeviceSet *devices = nullptr;           // of the runtime
  bool host_only = false;                 // the host kernels alone: a call that has fallen back
  const char *verify = nullptr;           // guards of this call; nullptr = the runtime's
  bool watched = true;                    // false: a guard's own call
  const PluginRecord *without = nullptr;  // none of its kernels: it has failed this call
  const SelectTable *table = nullptr;     // of the device profile and this registry; null = the static order
  Capture *capture = nullptr;             // null = calls are not written down
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
  const rayo_op_desc &desc() const { return host_->desc(); }            // as a host kernel sees it
  bool compact() const { return host_->compact(); }                     // every operand a host kernel sees
  int32_t max_ndim() const { return host_->max_ndim(); }
  const std::vector<std::pair<std::string, DLDataType>> &types() const { return types_; }
  const KernelView &host_view() const { return *host_; }

  // The device that operands live on; null if all are in host memory. Bit i of a mask: operand i lives there.
  const std::shared_ptr<Device> &home() const { return home_; }
  uint32_t resident_inputs() const { return resident_inputs_; }
  uint32_t resident_outputs() const { return resident_outputs_; }
  bool mixed() const noexcept { return mixed_; }  // some operands live on the device, others in host memory
  // The call as a kernel of this device sees it: operands in host memory in their staged layout.
  std::unique_ptr<KernelView> view_on(const Device &device, const CallRequest &request) const;

 private:
  void find_home(const CallRequest &request);
  void settle(const std::string &what, const CallRequest &request, const rayo_tensor *tensor, uint32_t bit,
              uint32_t *mask);
  void check_outputs(const CallRequest &request, const std::vector<OperandDesc> &inferred);
  void bind_output_type(const OperandSpec &spec, DLDataType dtype);

  const Schema *schema_ = nullptr;
  Attributes attributes_;
  std::vector<OperandDesc> inputs_;
  std::vector<OperandDesc> outputs_;
  std::vector<std::pair<std::string, DLDataType>> types_;
  rayo_op_desc base_{};  // without operands
  std::unique_ptr<KernelView> host_;
  std::shared_ptr<Device> home_;
  uint32_t resident_inputs_ = 0;
  uint32_t resident_outputs_ = 0;
  bool mixed_ = false;
};

// Output descriptions for a call whose outputs are not there yet (rayo_infer_shapes). Throws Error.
std::vector<OperandDesc> infer_call(const Registry &registry, const CallRequest &request);

}  // namespace rayo
