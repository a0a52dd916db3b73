// SPDX-License-Identifier: Apache-2.0
//
// What one ISA's objects hand to the plugin: a table of hot loops per kernel family. Plain data, no code.
#ifndef RAYO_KERNELS_TABLES_H
#define RAYO_KERNELS_TABLES_H

#include <kernels/elementwise_table.h>
#include <kernels/gemm_int_table.h>
#include <kernels/normalise_table.h>
#include <kernels/quantise_table.h>
#include <kernels/reduce_table.h>
#include <kernels/transpose_table.h>

namespace rayo {

struct GemmTables;  // kernels/gemm_table.h

struct KernelTables {
  const ElementwiseTable *elementwise;
  const ReduceTable *reduce;
  const NormaliseTable *normalise;
  const TransposeTable *transpose;
  const GemmTables *gemm;
  const QuantiseTable *quantise;
  const GemmIntTable *gemm_int;
};

#ifdef RAYO_ISA
inline namespace RAYO_ISA {
extern const ElementwiseTable elementwise_table;
extern const ReduceTable reduce_table;
extern const NormaliseTable normalise_table;
extern const TransposeTable transpose_table;
extern const GemmTables gemm_tables;
extern const QuantiseTable quantise_table;
extern const GemmIntTable gemm_int_table;
}  // namespace RAYO_ISA
#endif

/// The tables of each ISA, defined in its objects (kernels/tables.cpp). A plugin links those that it uses.
namespace scalar {
extern const KernelTables kernel_tables;
}
namespace scalar_fma {
extern const KernelTables kernel_tables;
}
namespace avx2 {
extern const KernelTables kernel_tables;
}
namespace avx512 {
extern const KernelTables kernel_tables;
}
namespace neon {
extern const KernelTables kernel_tables;
}

}  // namespace rayo

#endif  // RAYO_KERNELS_TABLES_H
