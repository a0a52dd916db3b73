// SPDX-License-Identifier: Apache-2.0
//
// A work item: one call of one op that is worth timing, with what it has to do at least, so that its time can be
// compared with the machine's limits.
#pragma once

#include <rayo/types.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace rayo::bench {

// What an operand is filled with: `usual` is uniform in [-3, 5) (no sum of it vanishes), `positive` in [1/16, 5),
// `flag` 0 or 1. Integers take every value of their type. Fixed seeds: every run has the same numbers.
enum class Values { usual, positive, flag };

struct OperandSpec {
  DLDataType dtype{};
  std::vector<int64_t> shape;
  Values values = Values::usual;
};

struct WorkItem {
  std::string op;
  std::string family;
  std::string dtype;  // values of the op's type variables: "f32", "u8,i8"
  nlohmann::json attributes = nlohmann::json::object();
  std::vector<OperandSpec> inputs;
  double operations = 0;  // arithmetic the call cannot avoid; elementary functions count as one; 0: set from outputs
  bool bounded = true;    // operands' bytes and operations say what it must cost at least
  double chain = 0;       // length of its longest chain of dependent FMAs (matmul's contract)

  // "1000x1000,1000x1000" of the inputs given; 'scalar' for rank 0.
  std::string shape_text() const;
  // "transA=1", "axes=0"; "" for none.
  std::string attribute_text() const;
};

// How many shapes: `smoke` one tiny shape per op, for tests; `quick` a few; `full` the standing record's.
enum class Depth { smoke, quick, full };

}  // namespace rayo::bench
