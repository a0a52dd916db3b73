// SPDX-License-Identifier: Apache-2.0
#include "dispatch/shape_rules.hpp"

#include <algorithm>
#include <cstdlib>

#include "base/error.hpp"
#include "dispatch/shape_rule_set.hpp"

namespace rayo {
namespace {

using shape_rule::Operands;

std::string types_text(const std::vector<DLDataType> &legal) {
  std::string text;
  for (const DLDataType dtype : legal) text += (text.empty() ? "" : ", ") + dtype_name(dtype);
  return text;
}

void infer_broadcast(const Schema &schema, const Operands &inputs, OperandDesc *out) {
  out->ndim = 0;
  for (const OperandDesc &input : inputs) {
    if (input.absent()) continue;
    OperandDesc joined = *out;
    if (!shape_rule::broadcast_shapes(out->shape, out->ndim, input.shape, input.ndim, joined.shape, &joined.ndim)) {
      std::string shapes;
      for (const OperandDesc &each : inputs) shapes += (shapes.empty() ? "" : " and ") + shape_text(each);
      fail(RAYO_INVALID_ARGUMENT,
           "{}: shapes {} do not broadcast: aligned at the right, extents must be equal or one of them 1",
           schema.raw->name, shapes);
    }
    joined.dtype = out->dtype;
    *out = joined;
  }
}

void infer_reduce(const OperandDesc &input, const std::vector<int64_t> &axes, bool keepdims, OperandDesc *out) {
  out->ndim = 0;
  for (int32_t axis = 0; axis < input.ndim; ++axis) {
    const bool reduced = axes.empty() || std::find(axes.begin(), axes.end(), axis) != axes.end();
    if (!reduced) {
      out->shape[out->ndim++] = input.shape[axis];
    } else if (keepdims) {
      out->shape[out->ndim++] = 1;
    }
  }
}

void infer_arg_reduce(const Schema &schema, const OperandDesc &input, const Attributes &attributes, OperandDesc *out) {
  const int64_t axis = attributes.int_or("axis", 0);
  infer_reduce(input, {axis}, attributes.int_or("keepdims", 1) != 0, out);
  const bool empty = input.ndim > 0 && input.shape[axis] == 0;
  if (empty) {
    fail(RAYO_INVALID_ARGUMENT, "{}: axis {} of shape {} is empty, so there is no element to point at",
         schema.raw->name, axis, shape_text(input));
  }
}

Operands infer_by_vendor(const Schema &schema, const rayo_op_desc &desc) {
  std::vector<rayo_shape> shapes(schema.outputs.size());
  rayo_error error{};
  const rayo_status status = schema.raw->infer_shape(&desc, shapes.data(), &error);
  if (status != RAYO_OK) {
    error.text[RAYO_ERROR_TEXT - 1] = '\0';
    fail(status, "{}: {}", schema.raw->name, error.text[0] == '\0' ? "its shape rule refused the inputs" : error.text);
  }
  Operands outputs(shapes.size());
  for (size_t i = 0; i < shapes.size(); ++i) {
    if (shapes[i].ndim < 0 || shapes[i].ndim > RAYO_MAX_NDIM) {
      fail(RAYO_INTERNAL, "{}: the shape rule of {} answered rank {}", schema.raw->name, schema.origin, shapes[i].ndim);
    }
    if (!taken_dtype(shapes[i].dtype)) {
      fail(RAYO_INTERNAL, "{}: the shape rule of {} answered dtype {}", schema.raw->name, schema.origin,
           dtype_name(shapes[i].dtype));
    }
    outputs[i].dtype = shapes[i].dtype;
    outputs[i].ndim = shapes[i].ndim;
    std::copy_n(shapes[i].extents, shapes[i].ndim, outputs[i].shape);
  }
  return outputs;
}

void infer_by_rule(const Schema &schema, const Operands &inputs, Attributes *attributes, const rayo_op_desc &desc,
                   Operands *outputs) {
  OperandDesc *out = outputs->data();
  switch (schema.rule) {
    case ShapeRule::broadcast:
      return infer_broadcast(schema, inputs, out);
    case ShapeRule::same:
      out->ndim = inputs[0].ndim;
      std::copy_n(inputs[0].shape, inputs[0].ndim, out->shape);
      return;
    case ShapeRule::reduce:
      return infer_reduce(inputs[0], attributes->ints("axes"), attributes->int_or("keepdims", 1) != 0, out);
    case ShapeRule::arg_reduce:
      return infer_arg_reduce(schema, inputs[0], *attributes, out);
    case ShapeRule::dot:
      return shape_rule::dot(inputs, out);
    case ShapeRule::matmul:
      return shape_rule::matmul(schema.raw->name, inputs, out);
    case ShapeRule::matmul_integer:
      return shape_rule::matmul_integer(inputs, out);
    case ShapeRule::gemm:
      return shape_rule::gemm(inputs, *attributes, out);
    case ShapeRule::transpose:
      return shape_rule::transpose(inputs[0], attributes, out);
    case ShapeRule::quantize:
      return shape_rule::quantize(schema, inputs, *attributes, out);
    case ShapeRule::norm:
      return shape_rule::norm(schema, inputs, *attributes, out);
    case ShapeRule::eigh:
      return shape_rule::eigh(inputs[0], &outputs->at(0), &outputs->at(1));
    case ShapeRule::vendor:
      *outputs = infer_by_vendor(schema, desc);
  }
}

// Type of an output whose variable no input binds: named by an attribute, else the first the schema lists. What the
// catalogue calls a legal value of such an attribute is a type of the variable.
DLDataType chosen_type(const Schema &schema, const OperandSpec &spec, const Attributes &attributes) {
  DLDataType dtype = schema.types.at(spec.type).front();
  for (const char *name : {"to", "output_dtype"}) {
    const rayo_attr *attr = attributes.find(name);
    if (attr != nullptr) parse_dtype({static_cast<const char *>(attr->data), attr->count}, &dtype);
  }
  return dtype;
}

}  // namespace

namespace shape_rule {

bool broadcast_shapes(const int64_t *a, int32_t a_ndim, const int64_t *b, int32_t b_ndim, int64_t *out,
                      int32_t *out_ndim) {
  const int32_t ndim = std::max(a_ndim, b_ndim);
  for (int32_t i = 0; i < ndim; ++i) {
    const int32_t from_end = ndim - i;
    const int64_t x = from_end > a_ndim ? 1 : a[a_ndim - from_end];
    const int64_t y = from_end > b_ndim ? 1 : b[b_ndim - from_end];
    if (x != y && x != 1 && y != 1) return false;
    out[i] = x == 1 ? y : x;
  }
  *out_ndim = ndim;
  return true;
}

bool broadcasts_to(const OperandDesc &operand, const OperandDesc &target) {
  OperandDesc joined;
  return broadcast_shapes(target.shape, target.ndim, operand.shape, operand.ndim, joined.shape, &joined.ndim) &&
         joined.ndim == target.ndim && std::equal(joined.shape, joined.shape + joined.ndim, target.shape);
}

}  // namespace shape_rule

int64_t OperandDesc::elements() const {
  int64_t count = 1;
  for (int32_t i = 0; i < ndim; ++i) count *= shape[i];
  return count;
}

bool OperandDesc::compact() const {
  int64_t expected = 1;
  for (int32_t i = ndim; i-- > 0;) {
    if (shape[i] == 0) return true;
    if (shape[i] != 1 && strides[i] != expected) return false;
    expected *= shape[i];
  }
  return true;
}

void OperandDesc::set_compact_strides() {
  int64_t stride = 1;
  for (int32_t i = ndim; i-- > 0;) {
    strides[i] = stride;
    stride *= std::max<int64_t>(shape[i], 1);
  }
}

std::string shape_text(const OperandDesc &operand) {
  return fmt::format("[{}]", fmt::join(operand.shape, operand.shape + operand.ndim, ", "));
}

void check_extents(const std::string &what, const OperandDesc &operand) {
  const int64_t item = operand.dtype.bits / 8;
  bool empty = false;
  for (int32_t i = 0; i < operand.ndim; ++i) {
    if (operand.shape[i] < 0) {
      fail(RAYO_INVALID_ARGUMENT, "{}: extent {} of axis {} is negative", what, operand.shape[i], i);
    }
    empty = empty || operand.shape[i] == 0;
  }
  int64_t count = item;
  int64_t reach = item;
  for (int32_t i = 0; i < operand.ndim; ++i) {
    const int64_t extent = std::max<int64_t>(operand.shape[i], 1);  // strides are products of the other extents
    int64_t step = 0;
    int64_t span = 0;
    bool fits = !__builtin_mul_overflow(count, extent, &count);
    if (!empty) {
      fits = fits && !__builtin_mul_overflow(operand.strides[i], item, &step) && step != INT64_MIN &&
             !__builtin_mul_overflow(std::abs(step), extent - 1, &span) && !__builtin_add_overflow(reach, span, &reach);
    }
    if (!fits) {
      fail(RAYO_INVALID_ARGUMENT, "{}: shape {} with its strides does not fit 2^63 bytes", what, shape_text(operand));
    }
  }
}

std::vector<std::pair<std::string, DLDataType>> bind_types(const Schema &schema, const Operands &inputs) {
  std::vector<std::pair<std::string, DLDataType>> bound;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].absent()) continue;
    const OperandSpec &spec = schema.inputs[i];
    const DLDataType dtype = inputs[i].dtype;
    DLDataType fixed{};
    if (parse_dtype(spec.type, &fixed)) {
      if (same_dtype(fixed, dtype)) continue;
      fail(RAYO_INVALID_ARGUMENT, "{}: input {} has dtype {}, expected {}", schema.raw->name, spec.name,
           dtype_name(dtype), spec.type);
    }
    const auto earlier =
        std::find_if(bound.begin(), bound.end(), [&](const auto &pair) { return pair.first == spec.type; });
    if (earlier != bound.end()) {
      if (same_dtype(earlier->second, dtype)) continue;
      fail(RAYO_INVALID_ARGUMENT,
           "{}: input {} has dtype {}, but another input has {}; types are never converted silently", schema.raw->name,
           spec.name, dtype_name(dtype), dtype_name(earlier->second));
    }
    const std::vector<DLDataType> &legal = schema.types.at(spec.type);
    const bool known =
        std::any_of(legal.begin(), legal.end(), [&](DLDataType candidate) { return same_dtype(candidate, dtype); });
    if (!known) {
      fail(RAYO_UNSUPPORTED, "{}: input {} has dtype {}; legal are: {}", schema.raw->name, spec.name, dtype_name(dtype),
           types_text(legal));
    }
    bound.emplace_back(spec.type, dtype);
  }
  return bound;
}

Operands infer_outputs(const Schema &schema, const Operands &inputs, Attributes *attributes, const rayo_op_desc &desc) {
  const auto bound = bind_types(schema, inputs);
  Operands outputs;
  for (const OperandSpec &spec : schema.outputs) {
    OperandDesc out;
    if (!parse_dtype(spec.type, &out.dtype)) {
      const auto found =
          std::find_if(bound.begin(), bound.end(), [&](const auto &pair) { return pair.first == spec.type; });
      out.dtype = found != bound.end() ? found->second : chosen_type(schema, spec, *attributes);
    }
    outputs.push_back(out);
  }
  infer_by_rule(schema, inputs, attributes, desc, &outputs);
  for (OperandDesc &output : outputs) {
    check_extents(fmt::format("{}: the result", schema.raw->name), output);  // strides 0: counts elements alone
    output.set_compact_strides();
  }
  return outputs;
}

}  // namespace rayo
