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
inline constexpr auto op_pow = [](auto x, auto y) RAYO_LAMBDA { return pow(x, y); };
inline constexpr auto op_fma = [](auto a, auto b, auto c) RAYO_LAMBDA { return fma(a, b, c); };
inline constexpr auto op_where = [](auto c, auto x, auto y)
                                     RAYO_LAMBDA { return select(eq(c, set1<decltype(c)>(0)), y, x); };
inline constexpr auto op_clip = [](auto x, auto lo, auto hi) RAYO_LAMBDA { return min_nan(max_nan(x, lo), hi); };
inline constexpr auto op_clip_below = op_max;
inline constexpr auto op_clip_above = op_min;
inline constexpr auto op_copy = [](auto x) RAYO_LAMBDA { return x; };
inline constexpr auto op_neg = [](auto x) RAYO_LAMBDA { return neg(x); };
inline constexpr auto op_abs = [](auto x) RAYO_LAMBDA { return abs(x); };
inline constexpr auto op_sqrt = [](auto x) RAYO_LAMBDA { return sqrt(x); };
inline constexpr auto op_rsqrt = [](auto x) RAYO_LAMBDA { return set1<decltype(x)>(1) / sqrt(x); };
inline constexpr auto op_relu = [](auto x) RAYO_LAMBDA { return max_nan(x, set1<decltype(x)>(0)); };
inline constexpr auto op_leaky_relu = [](auto x, auto alpha)
                                          RAYO_LAMBDA { return select(ge(x, set1<decltype(x)>(0)), x, alpha * x); };
inline constexpr auto op_round = [](auto x) RAYO_LAMBDA { return round_even(x); };
inline constexpr auto op_floor = [](auto x) RAYO_LAMBDA { return floor(x); };
inline constexpr auto op_ceil = [](auto x) RAYO_LAMBDA { return ceil(x); };
inline constexpr auto op_exp = [](auto x) RAYO_LAMBDA { return exp(x); };
inline constexpr auto op_log = [](auto x) RAYO_LAMBDA { return log(x); };
inline constexpr auto op_sin = [](auto x) RAYO_LAMBDA { return sin(x); };
inline constexpr auto op_cos = [](auto x) RAYO_LAMBDA { return cos(x); };
inline constexpr auto op_tanh = [](auto x) RAYO_LAMBDA { return tanh(x); };
inline constexpr auto op_sigmoid = [](auto x) RAYO_LAMBDA { return sigmoid(x); };
inline constexpr auto op_erf = [](auto x) RAYO_LAMBDA { return erf(x); };
inline constexpr auto op_elu = [](auto x, auto alpha) RAYO_LAMBDA { return elu(x, alpha); };
inline constexpr auto op_gelu_none = [](auto x) RAYO_LAMBDA { return gelu_none(x); };
inline constexpr auto op_gelu_tanh = [](auto x) RAYO_LAMBDA { return gelu_tanh(x); };
inline constexpr auto op_swish = [](auto x) RAYO_LAMBDA { return swish(x); };

RAYO_ISA_END

#endif  // RAYO_KERNELS_ELEMENTWISE_OPS_H
