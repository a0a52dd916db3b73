// SPDX-License-Identifier: Apache-2.0
//
// How a host operand is laid out in its staged copy, and the copying of elements between two layouts.
#pragma once

#include <cstdint>

#include "dispatch/shape_rules.hpp"

namespace rayo {

struct StagedLayout {
  OperandDesc operand;  // strides in the copy
  uint64_t bytes = 0;   // of the copy
  uint64_t origin = 0;  // offset of logical element 0 in it
  // The copy is the operand's memory byte for byte; else its elements are picked, and no byte between them is touched.
  bool whole = false;
};

// Keeps strides where gaps are at most as large as the elements; else the copy is compact, with stride 0 where the
// operand has it.
StagedLayout staged_layout(const OperandDesc &operand);

// Copies every element; `from` and `to` point to logical element 0 of layouts with equal shapes. Where the source
// repeats elements (stride 0 on both sides) each is copied once.
void copy_elements(const OperandDesc &from_layout, const char *from, const OperandDesc &to_layout, char *to);

}  // namespace rayo
