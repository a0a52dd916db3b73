// SPDX-License-Identifier: Apache-2.0
//
// What a choice looks at. Every call is three integers: a shape class, a level within it and a volume; costs are
// measured along volumes and looked up by all three. No string, no allocation: this runs on every unbound call.
#pragma once

#include <rayo/plugin.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "registry/ops.hpp"

namespace rayo {

// Shape classes by shape rule. Elementwise, quantise, eigh, vendor: 0. Along an axis (reduce, softmax, norms): 0 lines
// are contiguous, 1 they are strided, 2 one line alone. Transpose: 0 the last axis moves, 1 it stays. Products: 0
// square, 1 m smallest, 2 n smallest, 3 k smallest, and with that extent 1: 4, 5, 6.
constexpr uint32_t kShapeClasses = 7;

struct Features {
  uint32_t shape_class = 0;
  int32_t level = 0;    // in half octaves: of the line's length along an axis; of cbrt(mnk) / smallest for products
  uint64_t volume = 1;  // elements, or multiply-adds of a product, or n^3; at least 1
};

// `desc` as the kernel sees it (BoundCall::desc).
Features features_of(ShapeRule rule, const rayo_op_desc &desc) noexcept;

// 2 * log2(x), rounded; 0 for 0.
int32_t half_octaves(uint64_t x) noexcept;

// How the operands lie in memory.
constexpr uint32_t kLayoutContiguous = 0;  // every operand compact row-major
constexpr uint32_t kLayoutBroadcast = 1;   // an input is repeated along an axis (stride 0)
constexpr uint32_t kLayoutStrided = 2;
constexpr uint32_t kLayouts = 3;
const char *layout_name(uint32_t layout) noexcept;
bool parse_layout(std::string_view name, uint32_t *out) noexcept;
uint32_t layout_of(const rayo_op_desc &desc, bool compact) noexcept;

// Values of up to two type variables as one small number, for arrays; the types beyond two do not count.
constexpr uint32_t kTypeIndices = 81;
using BoundTypes = std::vector<std::pair<std::string, DLDataType>>;
uint32_t type_index(const BoundTypes &types) noexcept;

}  // namespace rayo
