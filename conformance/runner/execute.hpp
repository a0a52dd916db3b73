// SPDX-License-Identifier: Apache-2.0
//
// Runs one case on a plugin and judges it: result against the oracle, bits against the scalar reference and against
// the second implementation of the contract, memory around the operands, the call again under other circumstances.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "runner/digest.hpp"
#include "runner/state.hpp"
#include "runner/subject.hpp"
#include "suites/case.hpp"

namespace rayo::conform {

struct Execution {
  Verdict verdict;
  std::string digest;               // of the (last) result; empty if there was none
  std::vector<KnownResult> passed;  // results that were judged right
};

// `reference` may be NULL or the same file as `subject`: then bits are compared with the contract alone. `known`:
// what other plugins of this run, judged with the same reference, passed this very case with. Throws CaseError if the
// case itself is malformed (unknown op, wrong attribute, strides of the wrong rank).
Execution execute(const Case &c, const Subject &subject, const Subject *reference,
                  std::span<const KnownResult> known = {});

}  // namespace rayo::conform
