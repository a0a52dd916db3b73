// SPDX-License-Identifier: Apache-2.0
//
// How a call divides into smaller calls of the same op: along one axis of its output, each piece reading its part of
// the inputs that have the axis too, and all of the others. A guard that may not spend the time of a whole scalar run
// judges some of the pieces.
#pragma once

#include <rayo/plugin.h>

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "dispatch/bind.hpp"

namespace rayo {

struct Cut {
  int32_t output_axis = 0;
  int64_t extent = 0;                                      // of that axis
  std::array<int32_t, RAYO_MAX_OPERANDS> input_axes = {};  // the axis of each input that goes with it; -1 = read whole
  int64_t rows = 1;                                        // extent of a piece along the axis

  // Pieces cover the axis; the last one begins early where `rows` does not divide it.
  int64_t pieces() const { return (extent + rows - 1) / rows; }
  int64_t begin_of(int64_t piece) const { return piece == pieces() - 1 ? extent - rows : piece * rows; }
};

// nullopt: the op has no such axis, or none with an extent above 1. The pieces are as small as is worth a call.
std::optional<Cut> find_cut(const BoundCall &call);

// A piece's operand: the extent of `axis` is `rows`, strides as they were. Axis -1: the operand itself.
OperandDesc piece_of(const OperandDesc &operand, int32_t axis, int64_t rows);
// Its address, where it begins at index `begin` of the axis.
const void *piece_at(const OperandDesc &operand, int32_t axis, int64_t begin, const void *data);

}  // namespace rayo
