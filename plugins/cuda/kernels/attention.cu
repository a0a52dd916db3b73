// SPDX-License-Identifier: Apache-2.0
//
// Attention, plain and causal.
#include <cuda/kernels/attention.cuh>

namespace rayo::cuda {

RAYO_KERNEL(attention_f32, kAttentionThreads, AttentionParams) { attention<false>(p); }
RAYO_KERNEL(attention_f32_causal, kAttentionThreads, AttentionParams) { attention<true>(p); }

}  // namespace rayo::cuda
