// SPDX-License-Identifier: Apache-2.0
#include "dispatch/shape_rules.hpp"

#include <algorithm>
#include <cstring>

#include "base/error.hpp"

namespace rayo {
namespace {

using Operands = std::vector<OperandDesc>;

std::string types_text(const Schema &schema, const std::string &variable) {
  std::string text;
  const auto found = schema.types.find(variable);
  if (found == schema.types.end()) return text;
  for (const DLDataType dtype : found->second) text += (text.empty() ? "" : ", ") + dtype_name(dtype);
  return text;
}

// Extents of `a` and `b` broadcast together, numpy's rule; false if they do not fit.
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

void infer_broadcast(const Schema &schema, const Operands &inputs, OperandDesc *out) {
  out->ndim = 0;
  for (const OperandDesc &input : inputs) {
    if (input.absent()) continue;
    OperandDesc joined = *out;
    if (!broadcast_shapes(out->shape, out->ndim, input.shape, input.ndim, joined.shape, &joined.ndim)) {
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

void infer_dot(const Operands &inputs, OperandDesc *out) {
  const OperandDesc &a = inputs[0];
  const OperandDesc &b = inputs[1];
  if (a.ndim != 1 || b.ndim != 1 || a.shape[0] != b.shape[0]) {
    fail(RAYO_INVALID_ARGUMENT, "dot: shapes {} and {}: two vectors of equal length are needed (matmul takes matrices)",
         shape_text(a), shape_text(b));
  }
  out->ndim = 0;
}

void infer_matmul(const Operands &inputs, OperandDesc *out) {
  const OperandDesc &a = inputs[0];
  const OperandDesc &b = inputs[1];
  if (a.ndim == 0 || b.ndim == 0) {
    fail(RAYO_INVALID_ARGUMENT,
         "matmul: shapes {} and {}: operands of rank 0 are not taken (mul multiplies by a scalar)", shape_text(a),
         shape_text(b));
  }
  const int64_t k_a = a.shape[a.ndim - 1];
  const int64_t k_b = b.ndim == 1 ? b.shape[0] : b.shape[b.ndim - 2];
  if (k_a != k_b) {
    fail(RAYO_INVALID_ARGUMENT,
         "matmul: shapes {} and {}: the last axis of A ({}) and the second last of B ({}) differ", shape_text(a),
         shape_text(b), k_a, k_b);
  }
  if (!broadcast_shapes(a.shape, std::max(a.ndim - 2, 0), b.shape, std::max(b.ndim - 2, 0), out->shape, &out->ndim)) {
    fail(RAYO_INVALID_ARGUMENT, "matmul: the batch axes of shapes {} and {} do not broadcast", shape_text(a),
         shape_text(b));
  }
  if (out->ndim + 2 > RAYO_MAX_NDIM) {
    fail(RAYO_UNSUPPORTED, "matmul: the result's rank would be above {}", RAYO_MAX_NDIM);
  }
  if (a.ndim > 1) out->shape[out->ndim++] = a.shape[a.ndim - 2];
  if (b.ndim > 1) out->shape[out->ndim++] = b.shape[b.ndim - 1];
}

void infer_gemm(const Operands &inputs, const Attributes &attributes, OperandDesc *out) {
  const OperandDesc &a = inputs[0];
  const OperandDesc &b = inputs[1];
  if (a.ndim != 2 || b.ndim != 2) {
    fail(RAYO_INVALID_ARGUMENT, "gemm: shapes {} and {}: A and B must have rank 2 (matmul takes batches)",
         shape_text(a), shape_text(b));
  }
  const bool trans_a = attributes.int_or("transA", 0) != 0;
  const bool trans_b = attributes.int_or("transB", 0) != 0;
  const int64_t k_a = a.shape[trans_a ? 0 : 1];
  const int64_t k_b = b.shape[trans_b ? 1 : 0];
  if (k_a != k_b) {
    fail(RAYO_INVALID_ARGUMENT, "gemm: shapes {} (transA={}) and {} (transB={}): inner extents {} and {} differ",
         shape_text(a), int{trans_a}, shape_text(b), int{trans_b}, k_a, k_b);
  }
  out->ndim = 2;
  out->shape[0] = a.shape[trans_a ? 1 : 0];
  out->shape[1] = b.shape[trans_b ? 0 : 1];
  if (inputs.size() < 3 || inputs[2].absent()) return;
  const OperandDesc &c = inputs[2];
  OperandDesc joined;
  const bool fits = broadcast_shapes(out->shape, 2, c.shape, c.ndim, joined.shape, &joined.ndim) && joined.ndim == 2 &&
                    std::equal(joined.shape, joined.shape + 2, out->shape);
  if (!fits) {
    fail(RAYO_INVALID_ARGUMENT, "gemm: C of shape {} does not broadcast to the result {}", shape_text(c),
         shape_text(*out));
  }
}

void infer_transpose(const OperandDesc &input, Attributes *attributes, OperandDesc *out) {
  std::vector<int64_t> perm = attributes->ints("perm");
  if (perm.empty()) {
    for (int32_t i = input.ndim; i-- > 0;) perm.push_back(i);
  }
  std::vector<bool> seen(static_cast<size_t>(input.ndim), false);
  bool legal = perm.size() == static_cast<size_t>(input.ndim);
  for (size_t i = 0; legal && i < perm.size(); ++i) {
    if (perm[i] < 0) perm[i] += input.ndim;
    legal = perm[i] >= 0 && perm[i] < input.ndim && !seen[static_cast<size_t>(perm[i])];
    if (legal) seen[static_cast<size_t>(perm[i])] = true;
  }
  if (!legal) {
    fail(RAYO_INVALID_ARGUMENT, "transpose: attribute 'perm' = [{}] is no permutation of the {} axes of shape {}",
         fmt::join(attributes->ints("perm"), ", "), input.ndim, shape_text(input));
  }
  out->ndim = input.ndim;
  for (size_t i = 0; i < perm.size(); ++i) out->shape[i] = input.shape[perm[i]];
  attributes->set_ints("perm", std::move(perm));
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
    outputs[i].dtype = shapes[i].dtype;
    outputs[i].ndim = shapes[i].ndim;
    std::copy_n(shapes[i].extents, shapes[i].ndim, outputs[i].shape);
  }
  return outputs;
}

void infer_by_rule(const Schema &schema, const Operands &inputs, Attributes *attributes, OperandDesc *out) {
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
      return infer_dot(inputs, out);
    case ShapeRule::matmul:
      return infer_matmul(inputs, out);
    case ShapeRule::gemm:
      return infer_gemm(inputs, *attributes, out);
    case ShapeRule::transpose:
      return infer_transpose(inputs[0], attributes, out);
    case ShapeRule::vendor:
      break;
  }
  fail(RAYO_INTERNAL, "{}: no shape rule", schema.raw->name);
}

}  // namespace

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
    const auto legal = schema.types.find(spec.type);
    const bool known =
        legal != schema.types.end() && std::any_of(legal->second.begin(), legal->second.end(),
                                                   [&](DLDataType candidate) { return same_dtype(candidate, dtype); });
    if (!known) {
      fail(RAYO_UNSUPPORTED, "{}: input {} has dtype {}; legal are: {}", schema.raw->name, spec.name, dtype_name(dtype),
           types_text(schema, spec.type));
    }
    bound.emplace_back(spec.type, dtype);
  }
  return bound;
}

Operands infer_outputs(const Schema &schema, const Operands &inputs, Attributes *attributes, const rayo_op_desc &desc) {
  const auto bound = bind_types(schema, inputs);
  Operands outputs;
  if (schema.rule == ShapeRule::vendor) {
    outputs = infer_by_vendor(schema, desc);
  } else {
    for (const OperandSpec &spec : schema.outputs) {
      OperandDesc out;
      if (!parse_dtype(spec.type, &out.dtype)) {
        const auto found =
            std::find_if(bound.begin(), bound.end(), [&](const auto &pair) { return pair.first == spec.type; });
        if (found == bound.end()) fail(RAYO_INTERNAL, "{}: output type {} is not bound", schema.raw->name, spec.type);
        out.dtype = found->second;
      }
      infer_by_rule(schema, inputs, attributes, &out);
      outputs.push_back(out);
    }
  }
  for (OperandDesc &output : outputs) output.set_compact_strides();
  return outputs;
}

}  // namespace rayo
