// SPDX-License-Identifier: Apache-2.0
//
// The matrix product's hot loops of one ISA.
#include <kernels/gemm.h>
#include <kernels/tables.h>

RAYO_ISA_BEGIN

extern const GemmTables gemm_tables;
const GemmTables gemm_tables = kGemmTables;

RAYO_ISA_END
