// SPDX-License-Identifier: Apache-2.0
//
// The products on tensor cores.
#include <cuda/kernels/gemm_mma.cuh>

namespace rayo::cuda {

RAYO_KERNEL(gemm_tf32_64x64, MmaPolicy<Tf32>::kThreads, GemmParams) { gemm_mma<MmaPolicy<Tf32>>(p); }
RAYO_KERNEL(gemm_bf16_64x64, MmaPolicy<Bf16>::kThreads, GemmParams) { gemm_mma<MmaPolicy<Bf16>>(p); }

}  // namespace rayo::cuda
