// SPDX-License-Identifier: Apache-2.0
//
// Shape rules with parameters along an axis: quantisation and normalisation.
#include <algorithm>

#include "base/error.hpp"
#include "dispatch/shape_rule_set.hpp"

namespace rayo::shape_rule {

// y has x's shape; scale and zero point are scalars, or vectors along `axis`, alike.
void quantize(const Schema &schema, const Operands &inputs, const Attributes &attributes, OperandDesc *out) {
  const OperandDesc &x = inputs[0];
  const int64_t axis = attributes.int_or("axis", 0);
  const int64_t along = x.ndim == 0 ? 1 : x.shape[axis];
  for (size_t i = 1; i < inputs.size(); ++i) {
    const OperandDesc &parameter = inputs[i];
    if (parameter.absent()) continue;
    const bool scalar = parameter.elements() == 1 && parameter.ndim <= 1;
    if (!scalar && (parameter.ndim != 1 || parameter.shape[0] != along)) {
      fail(RAYO_INVALID_ARGUMENT, "{}: {} has shape {}: a scalar, or [{}] along axis {}, is taken", schema.raw->name,
           schema.inputs[i].name, shape_text(parameter), along, axis);
    }
  }
  const bool both = inputs.size() > 2 && !inputs[2].absent();
  if (both && inputs[1].elements() != inputs[2].elements()) {
    fail(RAYO_INVALID_ARGUMENT, "{}: {} has shape {} and {} has shape {}: they must have the same number of elements",
         schema.raw->name, schema.inputs[1].name, shape_text(inputs[1]), schema.inputs[2].name, shape_text(inputs[2]));
  }
  out->ndim = x.ndim;
  std::copy_n(x.shape, x.ndim, out->shape);
}

// y has x's shape; scale and bias broadcast to the normalised axes, axis and all behind it.
void norm(const Schema &schema, const Operands &inputs, const Attributes &attributes, OperandDesc *out) {
  const OperandDesc &x = inputs[0];
  if (x.ndim == 0) {
    fail(RAYO_INVALID_ARGUMENT, "{}: input {} has rank 0; at least one axis to normalise is needed", schema.raw->name,
         schema.inputs[0].name);
  }
  const auto axis = static_cast<int32_t>(attributes.int_or("axis", -1));
  OperandDesc inner;
  for (int32_t i = axis; i < x.ndim; ++i) inner.shape[inner.ndim++] = x.shape[i];
  for (size_t i = 1; i < inputs.size(); ++i) {
    if (inputs[i].absent() || broadcasts_to(inputs[i], inner)) continue;
    fail(RAYO_INVALID_ARGUMENT, "{}: {} of shape {} does not broadcast to the normalised axes {}", schema.raw->name,
         schema.inputs[i].name, shape_text(inputs[i]), shape_text(inner));
  }
  out->ndim = x.ndim;
  std::copy_n(x.shape, x.ndim, out->shape);
}

}  // namespace rayo::shape_rule
