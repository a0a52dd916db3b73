// SPDX-License-Identifier: Apache-2.0
#include "dispatch/bind.hpp"

#include <algorithm>
#include <cstddef>

#include "base/error.hpp"
#include "base/in_flight.hpp"
#include "device/buffer.hpp"
#include "device/device_set.hpp"
#include "device/staged.hpp"
#include "dispatch/overlap.hpp"

namespace rayo {
namespace {

// The device that a tensor lives on; null for host memory.
std::shared_ptr<Device> owner_of(const std::string &what, const rayo_tensor *tensor, DeviceSet *devices) {
  const DLDevice dl = tensor->dl.device;
  const bool on_host = dl.device_type == kDLCPU || dl.device_type == kDLCUDAHost;
  if (RAYO_HAS(tensor, rayo_tensor, buffer) && tensor->buffer != nullptr) {
    const Buffer &buffer = *Buffer::from(tensor->buffer);
    const DLDevice place = buffer.device().info().dl;
    if (place.device_type != dl.device_type || place.device_id != dl.device_id || tensor->dl.data != buffer.data()) {
      fail(RAYO_INVALID_ARGUMENT, "{}: dl.device or dl.data are not those of its buffer: fill it by rayo_buffer_tensor",
           what);
    }
    buffer.device().check_usable();
    return buffer.device().is_host() ? nullptr : buffer.device().shared_from_this();
  }
  if (on_host) return nullptr;
  std::shared_ptr<Device> owner = devices == nullptr ? nullptr : devices->owner_of(dl);
  if (!owner) {
    fail(RAYO_UNSUPPORTED, "{}: DLPack device {} is not host memory, and no loaded plugin takes plain pointers to it",
         what, static_cast<int>(dl.device_type));
  }
  return owner;
}

OperandDesc read_tensor(const std::string &what, const rayo_tensor *tensor) {
  OperandDesc out;
  if (tensor->struct_type != RAYO_TYPE_TENSOR || tensor->struct_size < offsetof(rayo_tensor, buffer)) {
    fail(RAYO_INVALID_ARGUMENT, "{}: not a rayo_tensor (struct_type {}, struct_size {}): make it with rayo_tensor_make",
         what, tensor->struct_type, tensor->struct_size);
  }
  const DLTensor &dl = tensor->dl;
  if (dl.ndim < 0 || dl.ndim > RAYO_MAX_NDIM) {
    fail(dl.ndim < 0 ? RAYO_INVALID_ARGUMENT : RAYO_UNSUPPORTED, "{}: rank {} is outside 0 to {}", what, dl.ndim,
         RAYO_MAX_NDIM);
  }
  if (dl.ndim > 0 && dl.shape == nullptr) fail(RAYO_INVALID_ARGUMENT, "{}: shape is NULL at rank {}", what, dl.ndim);
  if (!taken_dtype(dl.dtype)) {
    fail(RAYO_UNSUPPORTED, "{}: dtype {} is not taken", what, dtype_name(dl.dtype));
  }
  out.dtype = dl.dtype;
  out.ndim = dl.ndim;
  std::copy_n(dl.shape, dl.ndim, out.shape);
  if (dl.strides != nullptr) {
    std::copy_n(dl.strides, dl.ndim, out.strides);
    check_extents(what, out);
  } else {
    OperandDesc extents_only = out;  // strides 0: counts elements alone
    check_extents(what, extents_only);
    out.set_compact_strides();
  }
  return out;
}

const Schema &find_schema(const Registry &registry, rayo_op op) {
  const Schema *schema = registry.schema(op);
  if (schema == nullptr) {
    const char *name = op_name(op);
    fail(RAYO_NOT_FOUND, "unknown op {} ({}): rayo_op_find gives the ids, `rayo ops` lists the names", op,
         name == nullptr ? "no such id" : name);
  }
  return *schema;
}

std::vector<OperandDesc> read_inputs(const Schema &schema, const CallRequest &request) {
  const char *op = schema.raw->name;
  const auto most = static_cast<uint32_t>(schema.inputs.size());
  if (request.input_count < schema.required_inputs || request.input_count > most) {
    fail(RAYO_INVALID_ARGUMENT, "{}: {} inputs were given, {} are taken: {}", op, request.input_count,
         schema.required_inputs == most ? std::to_string(most) : fmt::format("{} to {}", schema.required_inputs, most),
         schema.raw->inputs);
  }
  if (request.inputs == nullptr && request.input_count != 0) fail(RAYO_INVALID_ARGUMENT, "{}: inputs is NULL", op);
  std::vector<OperandDesc> inputs;
  for (uint32_t i = 0; i < request.input_count; ++i) {
    const OperandSpec &spec = schema.inputs[i];
    if (request.inputs[i] != nullptr) {
      inputs.push_back(read_tensor(fmt::format("{}: input {}", op, spec.name), request.inputs[i]));
    } else if (spec.optional) {
      inputs.emplace_back();
    } else {
      fail(RAYO_INVALID_ARGUMENT, "{}: input {} is NULL and not optional", op, spec.name);
    }
  }
  while (!inputs.empty() && inputs.back().absent()) inputs.pop_back();
  return inputs;
}

}  // namespace

// Where a tensor lives. All that are not in host memory live on one device.
void BoundCall::settle(const std::string &what, const CallRequest &request, const rayo_tensor *tensor, uint32_t bit,
                       uint32_t *mask) {
  std::shared_ptr<Device> owner = owner_of(what, tensor, request.devices);
  if (!owner) return;
  if (home_ && home_ != owner) {
    fail(RAYO_INVALID_ARGUMENT, "{} lives on {}, another operand on {}: copy one of them first", what, owner->id(),
         home_->id());
  }
  home_ = std::move(owner);
  *mask |= 1u << bit;
}

void BoundCall::find_home(const CallRequest &request) {
  const char *op = schema_->raw->name;
  for (uint32_t i = 0; i < inputs_.size(); ++i) {
    if (request.inputs[i] == nullptr) continue;
    settle(fmt::format("{}: input {}", op, schema_->inputs[i].name), request, request.inputs[i], i, &resident_inputs_);
  }
  if (request.output_count == 0) {
    // Outputs that are only described live where the first input does.
    if ((resident_inputs_ & 1u) != 0) resident_outputs_ = (1u << outputs_.size()) - 1;
  } else {
    for (uint32_t i = 0; i < outputs_.size(); ++i) {
      settle(fmt::format("{}: output {}", op, schema_->outputs[i].name), request, request.outputs[i], i,
             &resident_outputs_);
    }
  }
  if (!home_) return;
  for (uint32_t i = 0; i < inputs_.size(); ++i) {
    mixed_ = mixed_ || (!inputs_[i].absent() && (resident_inputs_ >> i & 1u) == 0);
  }
  mixed_ = mixed_ || resident_outputs_ != (1u << outputs_.size()) - 1;
}

std::unique_ptr<KernelView> BoundCall::view_on(const Device &device, const CallRequest &request) const {
  const auto laid_out = [](const std::vector<OperandDesc> &operands, uint32_t resident) {
    std::vector<OperandDesc> out;
    for (size_t i = 0; i < operands.size(); ++i) {
      out.push_back((resident >> i & 1u) != 0 ? operands[i] : staged_layout(operands[i]).operand);
    }
    return out;
  };
  KernelView::Place place;
  place.device = device.raw();
  place.dl = device.info().dl;
  place.constant_mask = request.constant_inputs & resident_inputs_;
  place.constants = request.inputs;
  return std::make_unique<KernelView>(*schema_, base_, laid_out(inputs_, resident_inputs_),
                                      laid_out(outputs_, resident_outputs_), place);
}

void BoundCall::check_outputs(const CallRequest &request, const std::vector<OperandDesc> &inferred) {
  const char *op = schema_->raw->name;
  if (request.output_count == 0) {
    outputs_ = inferred;
    return;
  }
  if (request.output_count != inferred.size() || request.outputs == nullptr) {
    fail(RAYO_INVALID_ARGUMENT, "{}: {} outputs were given, {} are needed: {}", op,
         request.outputs == nullptr ? 0 : request.output_count, inferred.size(), schema_->raw->outputs);
  }
  for (uint32_t i = 0; i < request.output_count; ++i) {
    const std::string what = fmt::format("{}: output {}", op, schema_->outputs[i].name);
    if (request.outputs[i] == nullptr) fail(RAYO_INVALID_ARGUMENT, "{} is NULL", what);
    const OperandDesc out = read_tensor(what, request.outputs[i]);
    if (!same_dtype(out.dtype, inferred[i].dtype)) {
      fail(RAYO_INVALID_ARGUMENT, "{} has dtype {}, expected {}", what, dtype_name(out.dtype),
           dtype_name(inferred[i].dtype));
    }
    if (out.ndim != inferred[i].ndim || !std::equal(out.shape, out.shape + out.ndim, inferred[i].shape)) {
      fail(RAYO_INVALID_ARGUMENT, "{} has shape {}, expected {}", what, shape_text(out), shape_text(inferred[i]));
    }
    if (!distinct_elements(out)) {
      fail(RAYO_INVALID_ARGUMENT, "{} of shape {} has strides [{}]: elements of an output must not share memory", what,
           shape_text(out), fmt::join(out.strides, out.strides + out.ndim, ", "));
    }
    outputs_.push_back(out);
  }
}

// A variable that only an output carries (cast's target) counts among the types a kernel must take.
void BoundCall::bind_output_type(const OperandSpec &spec, DLDataType dtype) {
  const bool variable = schema_->types.find(spec.type) != schema_->types.end();
  const bool bound =
      std::any_of(types_.begin(), types_.end(), [&](const auto &pair) { return pair.first == spec.type; });
  if (variable && !bound) types_.emplace_back(spec.type, dtype);
}

BoundCall::BoundCall(const Registry &registry, const CallRequest &request) {
  const InFlight in_flight(kAnyTarget);  // an op of a plugin's infers its shapes itself
  schema_ = &find_schema(registry, request.op);
  inputs_ = read_inputs(*schema_, request);
  attributes_ = resolve_attributes(*schema_, request.attrs, inputs_.empty() ? 0 : inputs_[0].ndim);
  types_ = bind_types(*schema_, inputs_);

  base_.struct_size = sizeof(base_);
  base_.struct_type = RAYO_TYPE_OP_DESC;
  base_.op = request.op;
  base_.schema_version = schema_->raw->version;
  base_.numerics = request.policy;
  base_.max_threads = std::max(request.threads, 1u);
  base_.attr_count = static_cast<uint32_t>(attributes_.view().size());
  base_.attrs = attributes_.view().data();
  OperandList given;
  given.fill(inputs_, {kDLCPU, 0}, request.constant_inputs, request.inputs);
  rayo_op_desc inputs_only = base_;
  inputs_only.input_count = given.size();
  inputs_only.inputs = given.pointers();

  const std::vector<OperandDesc> inferred = infer_outputs(*schema_, inputs_, &attributes_, inputs_only);
  check_outputs(request, inferred);
  for (size_t i = 0; i < outputs_.size(); ++i) bind_output_type(schema_->outputs[i], outputs_[i].dtype);
  base_.attrs = attributes_.view().data();  // the shapes may have completed them
  find_home(request);
  KernelView::Place host;
  host.constant_mask = request.constant_inputs & ~resident_inputs_;
  host.constants = request.inputs;
  host_ = std::make_unique<KernelView>(*schema_, base_, inputs_, outputs_, host);
}

std::vector<OperandDesc> infer_call(const Registry &registry, const CallRequest &request) {
  CallRequest without_outputs = request;
  without_outputs.outputs = nullptr;
  without_outputs.output_count = 0;
  return BoundCall(registry, without_outputs).outputs();
}

}  // namespace rayo
