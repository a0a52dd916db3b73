// SPDX-License-Identifier: Apache-2.0
//
// The CUDA plugin's kernels by name, and the loops that the source of each has, those of inlined functions and of
// unrolled copies counted: reduce_lanes_* unrolls eight loads, each of which may walk an index.
#include <array>

#include "claims/cuda_code.hpp"

namespace rayo::conform::claims {
namespace {

// An elementwise kernel: four elements a step and what is left; with strides: elements and axes.
#define MAP(ident) \
  ExpectedKernel{"map_" #ident "_f32", 2}, ExpectedKernel { "map_strided_" #ident "_f32", 2 }

constexpr auto kKernels = std::to_array<ExpectedKernel>({
    MAP(add),
    MAP(sub),
    MAP(mul),
    MAP(div),
    MAP(max),
    MAP(min),
    MAP(pow),
    MAP(fma),
    MAP(where),
    MAP(clip),
    MAP(clip_below),
    MAP(clip_above),
    MAP(copy),
    MAP(neg),
    MAP(abs),
    MAP(sqrt),
    MAP(rsqrt),
    MAP(relu),
    MAP(leaky_relu),
    MAP(round),
    MAP(floor),
    MAP(ceil),
    MAP(exp),
    MAP(log),
    MAP(sin),
    MAP(cos),
    MAP(tanh),
    MAP(sigmoid),
    MAP(erf),
    MAP(elu),
    MAP(gelu_none),
    MAP(gelu_tanh),
    MAP(swish),
    {"reduce_lanes_sum_f32", 11},
    {"reduce_chain_sum_f32", 4},
    {"reduce_lanes_l1_f32", 11},
    {"reduce_chain_l1_f32", 4},
    {"reduce_lanes_l2_f32", 11},
    {"reduce_chain_l2_f32", 4},
    {"reduce_lanes_max_f32", 11},
    {"reduce_chain_max_f32", 4},
    {"reduce_lanes_min_f32", 11},
    {"reduce_chain_min_f32", 4},
    {"reduce_lanes_dot_f32", 19},
    {"reduce_combine_sum_f32", 4},
    {"reduce_combine_max_f32", 4},
    {"reduce_combine_min_f32", 4},
    {"softmax_rows_f32", 6},
    {"softmax_long_f32", 8},
    {"softmax_columns_f32", 7},
    {"log_softmax_rows_f32", 6},
    {"log_softmax_long_f32", 8},
    {"log_softmax_columns_f32", 7},
    {"layer_norm_rows_f32", 8},
    {"layer_norm_long_f32", 28},
    {"rms_norm_rows_f32", 7},
    {"rms_norm_long_f32", 16},
    {"gemm_f32_128x128", 4},
    {"gemm_f32_32x64", 4},
    {"gemm_tf32_64x64", 3},
    {"gemm_bf16_64x64", 3},
    {"transpose_b32", 2},
    {"transpose_b64", 2},
    {"copy_strided_b32", 2},
    {"copy_strided_b64", 2},
    {"quantize_u8", 2},
    {"quantize_i8", 2},
    {"dequantize_u8", 2},
    {"dequantize_i8", 2},
    {"attention_f32", 7},
    {"attention_f32_causal", 7},
    {"eigh_load_f32", 2},
    {"eigh_load_f64", 2},
    {"eigh_store_f32", 2},
    {"eigh_store_f64", 2},
});

#undef MAP

}  // namespace

std::span<const ExpectedKernel> expected_kernels() { return kKernels; }

}  // namespace rayo::conform::claims
