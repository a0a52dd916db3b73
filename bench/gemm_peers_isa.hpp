// SPDX-License-Identifier: Apache-2.0
//
// Seam between gemm_peers and its modules, one per instruction set (gemm_peers_isa.cpp).
#ifndef RAYO_BENCH_GEMM_PEERS_ISA_HPP
#define RAYO_BENCH_GEMM_PEERS_ISA_HPP

#include <cstdint>

/// y[i] = a[i] b[i] for i < batch; compact matrices. trans: the operand is stored transposed.
struct Product {
  int64_t batch, m, n, k;
  bool trans_a, trans_b;
};

extern "C" {
using EigenF32 = void(const Product *, const float *, const float *, float *);
using EigenF64 = void(const Product *, const double *, const double *, double *);
/// Runs `steps` rounds of independent f64 multiply-adds; returns their floating-point operations.
using FmaPeak = double(int64_t steps);
}

#endif  // RAYO_BENCH_GEMM_PEERS_ISA_HPP
