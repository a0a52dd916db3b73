// SPDX-License-Identifier: Apache-2.0
//
// What inputs are made of. Every distribution is a function of (name, seed, operand, index) alone, so that a case line
// replays on any machine. Values are exact in the operand's type.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "suites/dtype.hpp"

namespace rayo::conform {

// Names, for messages and tests:
//   integers    whole numbers in [-8, 8]: results that stay below 2^24 must be exact on every backend
//   uniform     U(-1, 1)
//   positive    U(0, 1), zero excluded
//   loguniform  random sign, magnitude 2^U(-20, 20)
//   cancelling  neighbours that nearly cancel, magnitudes 2^U(0, 16)
//   offset      mean 1e4, sigma 1
//   sprinkled   U(-1, 1) with 1 in 16 replaced by NaN, +Inf, -Inf, -0 or +0
//   subnormal   operand 0 subnormal; the others in [0.5, 2) with random sign
//   specials    every pair of special_values() over two operands; the plain list over one
//   sweep       strided bit patterns over the whole type; the residue rotates with the seed
//   stride      every (patterns / elements)-th bit pattern; the seed is the residue, so that seeds 0, 1, 2, ...
//   together
//               are the whole type
//   bits        random bit patterns
//   nan         only NaN
//   neginf      only -Inf
//   onenan      U(-1, 1) with a single NaN at a random place
//   halves      multiples of 1/2 in [-320, 320]: ties of every rounding
//   tiny        U(0, 2^-7), zero excluded: scales under which U(-1, 1) fills the range of 8-bit integers
//   ones        only 1
//   nearone     1 +- 2^U(-20, -4): bases whose large powers stay in range
//   flags       0 or, as likely, any other value of the type
//   constant    one value everywhere (from the seed): a chain drifts, max and argmax see only ties
std::span<const std::string_view> distribution_names();
bool is_distribution(std::string_view name);

// True where errors of a sum behave as a random walk (zero mean, independent, bounded): the tighter bound holds.
bool is_zero_mean_random(std::string_view distribution);

// About 140 values where implementations differ: zeros, ones, type limits, subnormals, Inf, NaN, thresholds of the
// transcendental functions, halves for rounding, integers around 2^23 and 2^52, ranges of integers, ties of f16 and
// bf16.
std::vector<double> special_values(Dtype dtype);

// Row-major values of operand `operand` of `operands`.
std::vector<double> draw(std::string_view distribution, Dtype dtype, std::uint64_t seed, std::size_t operand,
                         std::size_t operands, std::int64_t count);

}  // namespace rayo::conform
