// SPDX-License-Identifier: Apache-2.0
#include "dispatch/host_call.hpp"

#include <rayo/rayo.h>

namespace rayo {
namespace {

void describe(const std::vector<OperandDesc> &operands, std::vector<rayo_tensor> *tensors,
              std::vector<const rayo_tensor *> *pointers) {
  tensors->reserve(operands.size());
  for (const OperandDesc &operand : operands) {
    tensors->push_back(rayo_tensor_make(nullptr, operand.dtype, operand.ndim, operand.shape, operand.strides));
    pointers->push_back(operand.absent() ? nullptr : &tensors->back());
  }
}

}  // namespace

HostCall::HostCall(const BoundCall &call) : attrs_(call.attributes().view()) {
  // A list that was not given is there with no values; left out it says the same.
  std::erase_if(attrs_, [](const rayo_attr &attr) { return attr.kind != RAYO_ATTR_STRING && attr.count == 0; });
  attrs_.push_back(RAYO_ATTR_END);
  describe(call.inputs(), &inputs_, &in_);
  describe(call.outputs(), &outputs_, &out_);
}

CallRequest HostCall::request(const BoundCall &call) const {
  CallRequest request;
  request.op = call.desc().op;
  request.inputs = in_.data();
  request.input_count = static_cast<uint32_t>(in_.size());
  request.outputs = out_.data();
  request.output_count = static_cast<uint32_t>(out_.size());
  request.attrs = attrs_.data();
  request.host_only = true;
  return request;
}

}  // namespace rayo
