// SPDX-License-Identifier: Apache-2.0
//
// A product in one form: transposition, broadcasting and rank-1 promotion end up in strides.
#ifndef RAYO_CUDA_OPS_LINEAR_H
#define RAYO_CUDA_OPS_LINEAR_H

#include "bind.h"

namespace rayo::cuda {

struct Product {
  GemmParams p{};                                   // pointers, tiles and close_layout(batch) are left to the user
  bool a_transposed = false, b_transposed = false;  // as given, by attribute
  bool has_c = false;
};

/// Of a validated descriptor of gemm, or of matmul (and of rayo.matmul_bf16, whose operands are the same).
Product read_product(const rayo_op_desc &desc, bool is_gemm);

void enqueue_bf16(Work &work, const Product &product, const BoundKernel &kernel);

}  // namespace rayo::cuda

#endif  // RAYO_CUDA_OPS_LINEAR_H
