// SPDX-License-Identifier: Apache-2.0
#include "images.h"

// Symbols of the generated images.S.
#define RAYO_CUDA_IMAGES(X) X(map) X(reduce) X(rows) X(gemm) X(gemm_mma) X(move) X(attention) X(eigh)

extern "C" {
#define RAYO_CUDA_SYMBOLS(name)                \
  extern const char rayo_cuda_binary_##name[]; \
  extern const char rayo_cuda_ptx_##name[];
RAYO_CUDA_IMAGES(RAYO_CUDA_SYMBOLS)
}

namespace rayo::cuda {

const Image *images() {
#define RAYO_CUDA_IMAGE(name) {#name, rayo_cuda_binary_##name, rayo_cuda_ptx_##name},
  static constexpr Image kImages[] = {RAYO_CUDA_IMAGES(RAYO_CUDA_IMAGE)};
  static_assert(sizeof kImages / sizeof kImages[0] == kImageCount);
  return kImages;
}

bool is_simulation() { return false; }

}  // namespace rayo::cuda
