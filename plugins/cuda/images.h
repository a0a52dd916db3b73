// SPDX-License-Identifier: Apache-2.0
//
// The kernels' code inside the plugin: per kernel file one binary for the architectures it was built for, and its PTX
// for all later ones. The PTX is also what tests and claims read: it lies as plain text in section .rayo.ptx, one
// NUL-terminated module after another.
#ifndef RAYO_CUDA_IMAGES_H
#define RAYO_CUDA_IMAGES_H

namespace rayo::cuda {

/// In the order of images(); one kernels/<name>.cu each.
enum ImageIndex : int {
  kImageMap,
  kImageReduce,
  kImageRows,
  kImageGemm,
  kImageGemmMma,
  kImageMove,
  kImageAttention,
  kImageEigh,
  kImageCount
};

struct Image {
  const char *name;
  const void *binary;
  const char *ptx;
};

const Image *images();

/// The tests' build of this plugin, which runs the kernels on the CPU and says so.
bool is_simulation();

}  // namespace rayo::cuda

#endif  // RAYO_CUDA_IMAGES_H
