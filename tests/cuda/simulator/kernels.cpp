// SPDX-License-Identifier: Apache-2.0
//
// The kernels themselves, as the plugin compiles them.
#include <cuda/kernels/attention.cu>
#include <cuda/kernels/eigh.cu>
#include <cuda/kernels/gemm.cu>
#include <cuda/kernels/gemm_mma.cu>
#include <cuda/kernels/map.cu>
#include <cuda/kernels/move.cu>
#include <cuda/kernels/reduce.cu>
#include <cuda/kernels/rows.cu>
