// SPDX-License-Identifier: Apache-2.0
//
// Runs a case with @law=NAME: the law asks, the plugin answers, nothing else is judged.
#pragma once

#include "runner/execute.hpp"

namespace rayo::conform {

// `c.law` is not empty. Throws CaseError for an unknown law, or an op that it says nothing about.
Execution execute_law(const Case &c, const OpInfo &op, const Subject &subject);

}  // namespace rayo::conform
