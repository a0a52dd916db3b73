// SPDX-License-Identifier: Apache-2.0
//
// The operands and attributes of one case, made ready for the C API.
#pragma once

#include <rayo/rayo.h>

#include <memory>
#include <vector>

#include "oracle/oracle.hpp"
#include "runner/memory.hpp"

namespace rayo::conform {

// Attributes in the C API's form. Pointers reach into this object.
class AttrPack {
 public:
  AttrPack(const Case &c, const OpInfo &op);
  const rayo_attr *list() const { return attrs_.data(); }

 private:
  std::vector<std::vector<std::int64_t>> ints_;
  std::vector<std::vector<double>> reals_;
  std::vector<std::string> texts_;
  std::vector<rayo_attr> attrs_;
};

struct Inputs {
  std::vector<std::unique_ptr<Operand>> operands;  // NULL where an optional input is left out
  std::vector<rayo_tensor> tensors;
  std::vector<const rayo_tensor *> pointers;
};

// Allocates, fills and describes the inputs.
void make_inputs(const Case &c, const OpInfo &op, Inputs &out);
// The same with these values, compact.
void make_inputs(const Case &c, const std::vector<Values> &values, Inputs &out);
// What they mean: values read back from memory (operands with stride 0 share elements).
Problem make_problem(const Case &c, const OpInfo &op, const Inputs &inputs);
Problem make_problem(const Case &c, const OpInfo &op, std::vector<Values> values, bool zero_mean);

}  // namespace rayo::conform
