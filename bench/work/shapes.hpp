// SPDX-License-Identifier: Apache-2.0
//
// The table of default shapes: one entry per family of the catalogue.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "item.hpp"

namespace rayo::bench {

// What a table entry may look at: the op's operands and attributes as the catalogue declares them, never its name.
struct OpView {
  std::size_t required = 0;  // inputs that must be there
  std::size_t total = 0;     // with the optional ones
  std::function<bool(const char *)> has_attribute;
};

// Shapes of the inputs (optional ones included), attributes to set, and the least arithmetic.
struct ShapeCase {
  std::vector<std::vector<int64_t>> shapes;
  nlohmann::json attributes = nlohmann::json::object();
  double operations = 0;
  double chain = 0;
};

struct FamilyTable {
  const char *family;
  std::vector<ShapeCase> (*cases)(const OpView &op, Depth depth);
  bool vary_text;        // time every value of text attributes (gelu's approximations, cast's targets)
  bool bounded;          // its bytes and operations say what it must cost at least
  Values second_values;  // of inputs behind the first (a quantisation's scale is positive)
};

// nullptr: no family of that name.
const FamilyTable *find_family(const std::string &family);

// The same arithmetic counts for shapes that a user gives.
void count_arithmetic(const std::string &family, ShapeCase &shape_case);

}  // namespace rayo::bench
