// SPDX-License-Identifier: Apache-2.0
//
// The tables of one ISA in one place: the only name of its objects that the plugin uses.
#include <simd/vec.h>

#include <kernels/tables.h>

RAYO_ISA_BEGIN

extern const KernelTables kernel_tables;
const KernelTables kernel_tables = {&elementwise_table, &reduce_table,   &normalise_table, &transpose_table,
                                    &gemm_tables,       &quantise_table, &gemm_int_table};

RAYO_ISA_END
