// SPDX-License-Identifier: Apache-2.0
//
// Two results of one call, element by element.
#pragma once

#include <functional>
#include <vector>

#include "dispatch/shape_rules.hpp"
#include "guard/bounds.hpp"
#include "guard/finding.hpp"

namespace rayo {

// Compares dense bytes of one output. `tolerance` is asked for only where bits differ; without one the bits must agree
// (any NaN equals any NaN). Fills *finding but for kind and output; true if something is wrong.
bool differs(const OperandDesc &operand, const std::vector<char> &actual, const std::vector<char> &expected,
             const std::function<Tolerance()> &tolerance, Finding *finding);

}  // namespace rayo
