// SPDX-License-Identifier: Apache-2.0
//
// Runs one case on a plugin and judges it: result against the oracle, bits against the scalar reference and against
// the second implementation of the contract, memory around the operands, repeats.
#pragma once

#include "runner/state.hpp"
#include "runner/subject.hpp"
#include "suites/case.hpp"

namespace rayo::conform {

// `reference` may be NULL or the same file as `subject`: then bits are compared with the contract alone. Throws
// CaseError if the case itself is malformed (unknown op, wrong attribute, strides of the wrong rank).
Verdict execute(const Case &c, const Subject &subject, const Subject *reference);

}  // namespace rayo::conform
