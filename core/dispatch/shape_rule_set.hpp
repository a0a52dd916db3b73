// SPDX-License-Identifier: Apache-2.0
//
// The single rules behind infer_outputs, one function each; grouped by family over several files. Each sets the shape
// of its outputs (types are set already) and throws Error when the inputs do not fit.
#pragma once

#include <vector>

#include "dispatch/shape_rules.hpp"

namespace rayo::shape_rule {

using Operands = std::vector<OperandDesc>;

// Extents of `a` and `b` broadcast together, numpy's rule; false if they do not fit.
bool broadcast_shapes(const int64_t *a, int32_t a_ndim, const int64_t *b, int32_t b_ndim, int64_t *out,
                      int32_t *out_ndim);

// True when `operand` broadcasts to exactly `target`.
bool broadcasts_to(const OperandDesc &operand, const OperandDesc &target);

// linear.cpp
void dot(const Operands &inputs, OperandDesc *out);
void matmul(const char *op, const Operands &inputs, OperandDesc *out);
void matmul_integer(const Operands &inputs, OperandDesc *out);
void gemm(const Operands &inputs, const Attributes &attributes, OperandDesc *out);
void transpose(const OperandDesc &input, Attributes *attributes, OperandDesc *out);
void eigh(const OperandDesc &input, OperandDesc *out_values, OperandDesc *out_vectors);

// quantise.cpp
void quantize(const Schema &schema, const Operands &inputs, const Attributes &attributes, OperandDesc *out);
void norm(const Schema &schema, const Operands &inputs, const Attributes &attributes, OperandDesc *out);

}  // namespace rayo::shape_rule
