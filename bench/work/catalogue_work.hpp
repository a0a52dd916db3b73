// SPDX-License-Identifier: Apache-2.0
//
// Work items of the catalogue's ops. The shapes are one table per family (shapes.cpp); which ops there are, their
// operands, types and attributes come from the catalogue alone.
#pragma once

#include <rayo/rayo.h>

#include <string>
#include <vector>

#include "item.hpp"

namespace rayo::bench {

struct Selection {
  Depth depth = Depth::full;
  std::vector<std::string> dtypes;                        // empty: f32 and f64, or the first type of ops without them
  std::vector<std::vector<std::vector<int64_t>>> shapes;  // of the inputs, instead of the table's
};

// Items of one op. Empty for a family without a table, and where no type was asked for that the op has. Throws a usage
// error when given shapes are more or fewer than the op's inputs.
std::vector<WorkItem> work_of(const rayo_op_info &op, const Selection &selection);

}  // namespace rayo::bench
