// SPDX-License-Identifier: Apache-2.0
//
// Do two strided operands share memory? Partial overlap is refused rather than computed wrongly.
#pragma once

#include <cstdint>

#include "dispatch/shape_rules.hpp"

namespace rayo {

// Bytes [low, high) that an operand touches, relative to its logical element 0. Empty if it has no elements.
struct ByteSpan {
  int64_t low = 0;
  int64_t high = 0;
};
ByteSpan byte_span(const OperandDesc &operand);

// True when no byte of `a` at address `a_at` is a byte of `b` at `b_at`. Exact, except for pairs with more than 65,536
// separate runs whose spans interleave: those count as overlapping unless their strides prove otherwise.
bool disjoint(const OperandDesc &a, uintptr_t a_at, const OperandDesc &b, uintptr_t b_at);

// True when no two elements of the operand share memory (what an output needs).
bool distinct_elements(const OperandDesc &operand);

}  // namespace rayo
