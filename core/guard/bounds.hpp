// SPDX-License-Identifier: Apache-2.0
//
// How far a kernel's result may lie from scalar's: the sum of both kernels' distances from the true value by
// ops/bounds.def. Where a bound needs a quantity that only an oracle has, a larger one is taken that follows from the
// operands, so that a legal result is never objected to.
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "dispatch/bind.hpp"

namespace rayo {

// Allowed distance at logical element i of output 0, given both values.
using Tolerance = std::function<double(size_t i, double actual, double expected)>;

struct ToleranceInputs {
  const BoundCall &call;
  uint32_t judged;                        // RAYO_NUMERICS_* of the kernel
  uint32_t reference;                     // and of scalar's
  bool flushes;                           // subnormals count as zero
  std::vector<std::vector<char>> inputs;  // dense; empty for absent ones
  // Result of the op on the inputs' magnitudes, dense: sum |a||b|. Only asked for where a bound needs it.
  std::function<std::vector<char>()> magnitudes;
};

// nullptr: the op has no bound that a comparison could use (eigh, a vendor's op).
Tolerance make_tolerance(ToleranceInputs inputs);
bool has_bound(std::string_view op);

}  // namespace rayo
