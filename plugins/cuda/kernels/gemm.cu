// SPDX-License-Identifier: Apache-2.0
//
// The reproducible product: a large tile, and a small one that gives small matrices more blocks.
#include <cuda/kernels/gemm.cuh>

namespace rayo::cuda {

RAYO_KERNEL(gemm_f32_128x128, GemmLarge::kThreads, GemmParams) { gemm_tiles<GemmLarge>(p); }
RAYO_KERNEL(gemm_f32_32x64, GemmSmall::kThreads, GemmParams) { gemm_tiles<GemmSmall>(p); }

}  // namespace rayo::cuda
