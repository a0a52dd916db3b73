// SPDX-License-Identifier: Apache-2.0
//
// The frame round cuSOLVER's eigh.
#include <cuda/kernels/eigh.cuh>

namespace rayo::cuda {

RAYO_KERNEL(eigh_load_f32, kEighThreads, EighLoadParams) { eigh_load<float>(p); }
RAYO_KERNEL(eigh_load_f64, kEighThreads, EighLoadParams) { eigh_load<double>(p); }
RAYO_KERNEL(eigh_store_f32, kEighThreads, EighParams) { eigh_store<float>(p); }
RAYO_KERNEL(eigh_store_f64, kEighThreads, EighParams) { eigh_store<double>(p); }

}  // namespace rayo::cuda
