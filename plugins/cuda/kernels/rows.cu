// SPDX-License-Identifier: Apache-2.0
//
// The kernels that normalise rows.
#include <cuda/kernels/norm.cuh>
#include <cuda/kernels/softmax.cuh>

namespace rayo::cuda {

RAYO_KERNEL(softmax_rows_f32, kRowThreads, SoftmaxParams) { softmax_rows<false>(p); }
RAYO_KERNEL(softmax_long_f32, kRowThreads, SoftmaxParams) { softmax_long<false>(p); }
RAYO_KERNEL(softmax_columns_f32, kReduceThreads, SoftmaxParams) { softmax_columns<false>(p); }
RAYO_KERNEL(log_softmax_rows_f32, kRowThreads, SoftmaxParams) { softmax_rows<true>(p); }
RAYO_KERNEL(log_softmax_long_f32, kRowThreads, SoftmaxParams) { softmax_long<true>(p); }
RAYO_KERNEL(log_softmax_columns_f32, kReduceThreads, SoftmaxParams) { softmax_columns<true>(p); }
RAYO_KERNEL(layer_norm_rows_f32, kRowThreads, NormParams) { norm_rows<true>(p); }
RAYO_KERNEL(layer_norm_long_f32, kRowThreads, NormParams) { norm_long<true>(p); }
RAYO_KERNEL(rms_norm_rows_f32, kRowThreads, NormParams) { norm_rows<false>(p); }
RAYO_KERNEL(rms_norm_long_f32, kRowThreads, NormParams) { norm_long<false>(p); }

}  // namespace rayo::cuda
