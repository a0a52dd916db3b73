// SPDX-License-Identifier: Apache-2.0
//
// The matrix product's hot loops of one ISA as a table of functions, for the baseline driver.
#ifndef RAYO_KERNELS_GEMM_H
#define RAYO_KERNELS_GEMM_H

#include <kernels/gemm_shallow.h>

RAYO_ISA_BEGIN

template <class T>
constexpr GemmTable<T> gemm_make_table() {
  return {kGemmRows<T>,
          kGemmLowRows<T>,
          kGemmNarrow<T>,
          kGemmShallow<T>,
          kGemmWalk<T>,
          Vec<T>::size,
          Vec<T>::size * kGemmVectors<T>,
          GemmShapeOf<T>::nc,
          GemmShapeOf<T>::depth,
          GemmShapeOf<T>::block_bytes,
          GemmShapeOf<T>::packs_a,
          gemm_tile_cols<T>,
          gemm_block<T>,
          gemm_pack_a<T>,
          gemm_pack_b<T>,
          gemm_finish<T>,
          gemm_rows<T>,
          gemm_narrow<T>,
          gemm_shallow<T>};
}

inline constexpr GemmTables kGemmTables = {gemm_make_table<float>(), gemm_make_table<double>()};

RAYO_ISA_END

#endif  // RAYO_KERNELS_GEMM_H
