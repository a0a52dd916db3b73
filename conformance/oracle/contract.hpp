// SPDX-License-Identifier: Apache-2.0
//
// A second implementation of the arithmetic contract, written from its text (plugin-api/doc/numerics.md) and from no
// kernel: the order in which sums, products and the ops built on them are evaluated. Element at a time, with
// std::fma; slow, and equal in bits to every kernel of class reproducible.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "oracle/oracle.hpp"

namespace rayo::conform::contract {

template <class T>
struct Order;
template <>
struct Order<float> {
  static constexpr std::size_t kLanes = 64;          // W
  static constexpr std::size_t kBlock = 16384;       // B
  static constexpr std::size_t kLeadingBlock = 256;  // B'
};
template <>
struct Order<double> {
  static constexpr std::size_t kLanes = 32;
  static constexpr std::size_t kBlock = 8192;
  static constexpr std::size_t kLeadingBlock = 256;
};

// Where the last axis is among the reduced ones; elements in row-major order.
template <class T>
T sum(std::span<const T> x);
// Where only leading axes are reduced; x are the elements of one output, in row-major order.
template <class T>
T leading_sum(std::span<const T> x);
// sum's order, with fma(a, b, lane) in place of the addition.
template <class T>
T dot(std::span<const T> a, std::span<const T> b);
// One FMA chain, k ascending, from +0.
template <class T>
T chain(std::span<const T> a, std::span<const T> b);

// sum's order over |x|, and over x^2 by fma.
template <class T>
T sum_abs(std::span<const T> x, bool lanes);
template <class T>
T sum_squares(std::span<const T> x, bool lanes);

// The text's exp and log.
float exp(float x);
double exp(double x);
float log(float x);
double log(double x);

// One output element per input element, by the text: softmax, log_softmax, layer_norm, rms_norm.
template <class T>
std::vector<double> normalise(const Problem &problem);

// The contract's result of a whole call, one double per output element in row-major order; nullopt for ops whose
// results it does not decide by order alone. Dtypes: f32, f64.
std::optional<std::vector<double>> evaluate(const Problem &problem);

}  // namespace rayo::conform::contract
