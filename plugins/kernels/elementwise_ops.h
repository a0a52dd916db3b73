// SPDX-License-Identifier: Apache-2.0
//
// The formulas of the elementwise ops: one function object per row of elementwise_ops.def, Op_<ident> and its value
// op_<ident>. Arguments are Vec<float> or Vec<double>. Function objects and not lambdas: CUDA kernels take them too.
#ifndef RAYO_KERNELS_ELEMENTWISE_OPS_H
#define RAYO_KERNELS_ELEMENTWISE_OPS_H

#include <simd/math.h>
#include <simd/vec.h>

RAYO_ISA_BEGIN

#define RAYO_OP(ident, arguments, formula)                          \
  struct Op_##ident {                                               \
    RAYO_INLINE auto operator() arguments const { return formula; } \
  };                                                                \
  inline constexpr Op_##ident op_##ident{};

RAYO_OP(add, (auto a, auto b), a + b)
RAYO_OP(sub, (auto a, auto b), a - b)
RAYO_OP(mul, (auto a, auto b), (a * b))
RAYO_OP(div, (auto a, auto b), a / b)
RAYO_OP(max, (auto a, auto b), max_nan(a, b))
RAYO_OP(min, (auto a, auto b), min_nan(a, b))
RAYO_OP(pow, (auto x, auto y), pow(x, y))
RAYO_OP(fma, (auto a, auto b, auto c), fma(a, b, c))
RAYO_OP(where, (auto c, auto x, auto y), select(eq(c, set1<decltype(c)>(0)), y, x))
RAYO_OP(clip, (auto x, auto lo, auto hi), min_nan(max_nan(x, lo), hi))
using Op_clip_below = Op_max;
inline constexpr Op_clip_below op_clip_below{};
using Op_clip_above = Op_min;
inline constexpr Op_clip_above op_clip_above{};
RAYO_OP(copy, (auto x), x)
RAYO_OP(neg, (auto x), neg(x))
RAYO_OP(abs, (auto x), abs(x))
RAYO_OP(sqrt, (auto x), sqrt(x))
RAYO_OP(rsqrt, (auto x), rsqrt(x))
// The sum makes the -0 that the maximum may leave a +0.
RAYO_OP(relu, (auto x), at_least(x, set1<decltype(x)>(0)) + set1<decltype(x)>(0))
RAYO_OP(leaky_relu, (auto x, auto alpha), select(ge(x, set1<decltype(x)>(0)), x, (alpha * x)))
RAYO_OP(round, (auto x), round_even(x))
RAYO_OP(floor, (auto x), floor(x))
RAYO_OP(ceil, (auto x), ceil(x))
RAYO_OP(exp, (auto x), exp(x))
RAYO_OP(log, (auto x), log(x))
RAYO_OP(sin, (auto x), sin(x))
RAYO_OP(cos, (auto x), cos(x))
RAYO_OP(tanh, (auto x), tanh(x))
RAYO_OP(sigmoid, (auto x), sigmoid(x))
RAYO_OP(erf, (auto x), erf(x))
RAYO_OP(elu, (auto x, auto alpha), elu(x, alpha))
RAYO_OP(gelu_none, (auto x), gelu_none(x))
RAYO_OP(gelu_tanh, (auto x), gelu_tanh(x))
RAYO_OP(swish, (auto x), swish(x))

#undef RAYO_OP

RAYO_ISA_END

#endif  // RAYO_KERNELS_ELEMENTWISE_OPS_H
