// SPDX-License-Identifier: Apache-2.0
#include "dispatch/bind.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdlib>

#include "base/error.hpp"
#include "dispatch/overlap.hpp"

namespace rayo {
namespace {

// Refuses extents and strides whose byte addresses would not fit 63 bits.
void check_extents(const std::string &what, const OperandDesc &operand) {
  const int64_t item = operand.dtype.bits / 8;
  int64_t count = item;
  bool empty = false;
  for (int32_t i = 0; i < operand.ndim; ++i) {
    if (operand.shape[i] < 0) {
      fail(RAYO_INVALID_ARGUMENT, "{}: extent {} of axis {} is negative", what, operand.shape[i], i);
    }
    empty = empty || operand.shape[i] == 0;
  }
  if (empty) return;
  int64_t reach = 0;
  for (int32_t i = 0; i < operand.ndim; ++i) {
    int64_t step = 0;
    int64_t span = 0;
    const bool fits = !__builtin_mul_overflow(count, operand.shape[i], &count) &&
                      !__builtin_mul_overflow(operand.strides[i], item, &step) && step != INT64_MIN &&
                      !__builtin_mul_overflow(std::abs(step), operand.shape[i] - 1, &span) &&
                      !__builtin_add_overflow(reach, span, &reach);
    if (!fits) {
      fail(RAYO_INVALID_ARGUMENT, "{}: shape {} with its strides does not fit 2^63 bytes", what, shape_text(operand));
    }
  }
}

void check_place(const std::string &what, const DLTensor &tensor) {
  const DLDeviceType type = tensor.device.device_type;
  if (type != kDLCPU && type != kDLCUDAHost) {
    fail(RAYO_UNSUPPORTED, "{}: DLPack device {} is not host memory, and no loaded plugin owns that device", what,
         static_cast<int>(type));
  }
}

OperandDesc read_tensor(const std::string &what, const rayo_tensor *tensor) {
  OperandDesc out;
  if (tensor->struct_type != RAYO_TYPE_TENSOR || tensor->struct_size < offsetof(rayo_tensor, buffer)) {
    fail(RAYO_INVALID_ARGUMENT, "{}: not a rayo_tensor (struct_type {}, struct_size {}): make it with rayo_tensor_make",
         what, tensor->struct_type, tensor->struct_size);
  }
  const DLTensor &dl = tensor->dl;
  check_place(what, dl);
  if (dl.ndim < 0 || dl.ndim > RAYO_MAX_NDIM) {
    fail(dl.ndim < 0 ? RAYO_INVALID_ARGUMENT : RAYO_UNSUPPORTED, "{}: rank {} is outside 0 to {}", what, dl.ndim,
         RAYO_MAX_NDIM);
  }
  if (dl.ndim > 0 && dl.shape == nullptr) fail(RAYO_INVALID_ARGUMENT, "{}: shape is NULL at rank {}", what, dl.ndim);
  if (dl.dtype.lanes != 1 || dl.dtype.bits == 0 || dl.dtype.bits % 8 != 0) {
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

void BoundCall::describe(std::vector<OperandDesc> *operands, std::vector<rayo_tensor_desc> *descs,
                         std::vector<const rayo_tensor_desc *> *pointers, const CallRequest *constants) {
  descs->clear();
  pointers->clear();
  for (size_t i = 0; i < operands->size(); ++i) {
    const OperandDesc &operand = (*operands)[i];
    rayo_tensor_desc desc{};
    desc.dtype = operand.dtype;
    desc.ndim = operand.ndim;
    desc.shape = operand.shape;
    desc.strides = operand.strides;
    desc.device = {kDLCPU, 0};
    if (constants != nullptr && (constants->constant_inputs >> i & 1u) != 0 && !operand.absent() &&
        (constants->inputs[i]->dl.data != nullptr || operand.elements() == 0)) {
      desc.flags = RAYO_OPERAND_CONSTANT;
      desc.constant = constants->inputs[i];
    }
    descs->push_back(desc);
  }
  for (const rayo_tensor_desc &desc : *descs) pointers->push_back(&desc);
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

void BoundCall::shape_for_kernel() {
  kernel_inputs_ = inputs_;
  kernel_outputs_ = outputs_;
  if (schema_->rule == ShapeRule::broadcast) {
    for (OperandDesc &input : kernel_inputs_) {
      if (!input.absent()) input = broadcast_to(input, outputs_[0]);
    }
  } else if (!inputs_.empty() && inputs_[0].ndim == 0 && has_single_axis(*schema_->raw)) {
    // An op along an axis sees a scalar as a vector of one element.
    for (std::vector<OperandDesc> *operands : {&kernel_inputs_, &kernel_outputs_}) {
      for (OperandDesc &operand : *operands) {
        if (operand.absent() || operand.ndim != 0) continue;
        operand.ndim = 1;
        operand.shape[0] = 1;
        operand.strides[0] = 1;
      }
    }
  }
  for (const std::vector<OperandDesc> *operands : {&kernel_inputs_, &kernel_outputs_}) {
    for (const OperandDesc &operand : *operands) {
      if (operand.absent()) continue;
      compact_ = compact_ && operand.compact();
      max_ndim_ = std::max(max_ndim_, operand.ndim);
    }
  }
}

BoundCall::BoundCall(const Registry &registry, const CallRequest &request) {
  schema_ = &find_schema(registry, request.op);
  inputs_ = read_inputs(*schema_, request);
  attributes_ = resolve_attributes(*schema_, request.attrs, inputs_.empty() ? 0 : inputs_[0].ndim);
  types_ = bind_types(*schema_, inputs_);

  desc_.struct_size = sizeof(desc_);
  desc_.struct_type = RAYO_TYPE_OP_DESC;
  desc_.op = request.op;
  desc_.schema_version = schema_->raw->version;
  desc_.numerics = request.policy;
  desc_.max_threads = std::max(request.threads, 1u);
  desc_.attr_count = static_cast<uint32_t>(attributes_.view().size());
  desc_.attrs = attributes_.view().data();
  desc_.input_count = static_cast<uint32_t>(inputs_.size());
  describe(&inputs_, &input_descs_, &input_pointers_, &request);
  desc_.inputs = input_pointers_.data();

  const std::vector<OperandDesc> inferred = infer_outputs(*schema_, inputs_, &attributes_, desc_);
  for (const OperandDesc &output : inferred) {
    check_extents(fmt::format("{}: the result", schema_->raw->name), output);
  }
  check_outputs(request, inferred);
  for (size_t i = 0; i < outputs_.size(); ++i) bind_output_type(schema_->outputs[i], outputs_[i].dtype);
  shape_for_kernel();
  describe(&kernel_inputs_, &input_descs_, &input_pointers_, &request);
  describe(&kernel_outputs_, &output_descs_, &output_pointers_, nullptr);
  desc_.attrs = attributes_.view().data();
  desc_.inputs = input_pointers_.data();
  desc_.outputs = output_pointers_.data();
  desc_.output_count = static_cast<uint32_t>(outputs_.size());
}

std::vector<OperandDesc> infer_call(const Registry &registry, const CallRequest &request) {
  CallRequest without_outputs = request;
  without_outputs.outputs = nullptr;
  without_outputs.output_count = 0;
  return BoundCall(registry, without_outputs).outputs();
}

}  // namespace rayo
