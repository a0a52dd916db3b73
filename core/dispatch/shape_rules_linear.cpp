// SPDX-License-Identifier: Apache-2.0
//
// Shape rules of products, transposes and decompositions.
#include <algorithm>

#include "base/error.hpp"
#include "dispatch/shape_rule_set.hpp"

namespace rayo::shape_rule {

void dot(const Operands &inputs, OperandDesc *out) {
  const OperandDesc &a = inputs[0];
  const OperandDesc &b = inputs[1];
  if (a.ndim != 1 || b.ndim != 1 || a.shape[0] != b.shape[0]) {
    fail(RAYO_INVALID_ARGUMENT, "dot: shapes {} and {}: two vectors of equal length are needed (matmul takes matrices)",
         shape_text(a), shape_text(b));
  }
  out->ndim = 0;
}

void matmul(const char *op, const Operands &inputs, OperandDesc *out) {
  const OperandDesc &a = inputs[0];
  const OperandDesc &b = inputs[1];
  if (a.ndim == 0 || b.ndim == 0) {
    fail(RAYO_INVALID_ARGUMENT, "{}: shapes {} and {}: operands of rank 0 are not taken (mul multiplies by a scalar)",
         op, shape_text(a), shape_text(b));
  }
  const int64_t k_a = a.shape[a.ndim - 1];
  const int64_t k_b = b.ndim == 1 ? b.shape[0] : b.shape[b.ndim - 2];
  if (k_a != k_b) {
    fail(RAYO_INVALID_ARGUMENT, "{}: shapes {} and {}: the last axis of A ({}) and the second last of B ({}) differ",
         op, shape_text(a), shape_text(b), k_a, k_b);
  }
  if (!broadcast_shapes(a.shape, std::max(a.ndim - 2, 0), b.shape, std::max(b.ndim - 2, 0), out->shape, &out->ndim)) {
    fail(RAYO_INVALID_ARGUMENT, "{}: the batch axes of shapes {} and {} do not broadcast", op, shape_text(a),
         shape_text(b));
  }
  if (a.ndim > 1) out->shape[out->ndim++] = a.shape[a.ndim - 2];
  if (b.ndim > 1) out->shape[out->ndim++] = b.shape[b.ndim - 1];
}

void gemm(const Operands &inputs, const Attributes &attributes, OperandDesc *out) {
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
  const bool fits = broadcasts_to(c, *out);
  if (!fits) {
    fail(RAYO_INVALID_ARGUMENT, "gemm: C of shape {} does not broadcast to the result {}", shape_text(c),
         shape_text(*out));
  }
}

void transpose(const OperandDesc &input, Attributes *attributes, OperandDesc *out) {
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

void matmul_integer(const Operands &inputs, OperandDesc *out) {
  matmul("matmul_integer", inputs, out);
  const OperandDesc &a = inputs[0];
  const OperandDesc &b = inputs[1];
  const int64_t rows = a.ndim > 1 ? a.shape[a.ndim - 2] : 1;
  const int64_t cols = b.ndim > 1 ? b.shape[b.ndim - 1] : 1;
  const int64_t extents[2] = {rows, cols};
  for (size_t i = 2; i < inputs.size(); ++i) {
    const OperandDesc &zero = inputs[i];
    if (zero.absent() || zero.ndim == 0) continue;
    const int64_t wanted = extents[i - 2];
    if (zero.ndim != 1 || (zero.shape[0] != 1 && zero.shape[0] != wanted)) {
      fail(RAYO_INVALID_ARGUMENT, "matmul_integer: zero point {} has shape {}: a scalar, [1] or [{}] is taken",
           i == 2 ? "of A" : "of B", shape_text(zero), wanted);
    }
  }
}

void eigh(const OperandDesc &input, OperandDesc *out_values, OperandDesc *out_vectors) {
  if (input.ndim < 2 || input.shape[input.ndim - 1] != input.shape[input.ndim - 2]) {
    fail(RAYO_INVALID_ARGUMENT, "eigh: shape {}: a square matrix, or a batch of them, is needed", shape_text(input));
  }
  out_values->ndim = input.ndim - 1;
  out_vectors->ndim = input.ndim;
  std::copy_n(input.shape, input.ndim - 1, out_values->shape);
  std::copy_n(input.shape, input.ndim, out_vectors->shape);
}

}  // namespace rayo::shape_rule
