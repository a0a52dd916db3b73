// SPDX-License-Identifier: Apache-2.0
//
// The formulas of the elementwise ops: one lambda per row of elementwise_ops.def. V is Vec<float> or Vec<double>.
#ifndef RAYO_KERNELS_ELEMENTWISE_OPS_H
#define RAYO_KERNELS_ELEMENTWISE_OPS_H

#include <simd/math.h>
#include <simd/vec.h>

RAYO_ISA_BEGIN

inline constexpr auto op_add = [](auto a, auto b) RAYO_LAMBDA { return a + b; };
inline constexpr auto op_sub = [](auto a, auto b) RAYO_LAMBDA { return a - b; };
inline constexpr auto op_mul = [](auto a, auto b) RAYO_LAMBDA { return a * b; };
inline constexpr auto op_div = [](auto a, auto b) RAYO_LAMBDA { return a / b; };
inline constexpr auto op_max = [](auto a, auto b) RAYO_LAMBDA { return max_nan(a, b); };
inline constexpr auto op_min = [](auto a, auto b) RAYO_LAMBDA { return min_nan(a, b); };
inline constexpr auto op_neg = [](auto x) RAYO_LAMBDA { return neg(x); };
inline constexpr auto op_abs = [](auto x) RAYO_LAMBDA { return abs(x); };
inline constexpr auto op_sqrt = [](auto x) RAYO_LAMBDA { return sqrt(x); };
inline constexpr auto op_relu = [](auto x) RAYO_LAMBDA { return max_nan(x, set1<decltype(x)>(0)); };
inline constexpr auto op_exp = [](auto x) RAYO_LAMBDA { return exp(x); };
inline constexpr auto op_log = [](auto x) RAYO_LAMBDA { return log(x); };
inline constexpr auto op_tanh = [](auto x) RAYO_LAMBDA { return tanh(x); };
inline constexpr auto op_sigmoid = [](auto x) RAYO_LAMBDA { return sigmoid(x); };
inline constexpr auto op_gelu_none = [](auto x) RAYO_LAMBDA { return gelu_none(x); };
inline constexpr auto op_gelu_tanh = [](auto x) RAYO_LAMBDA { return gelu_tanh(x); };
inline constexpr auto op_swish = [](auto x) RAYO_LAMBDA { return swish(x); };

RAYO_ISA_END

#endif  // RAYO_KERNELS_ELEMENTWISE_OPS_H
