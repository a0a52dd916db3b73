// SPDX-License-Identifier: Apache-2.0
//
// The one object that mutants do not share: which bug is planted (RAYO_MUTANT).
#include "mutant.hpp"

namespace mutant {
const Bug planted = Bug::RAYO_MUTANT;
}  // namespace mutant

// A second way in; only rayo_plugin_query may be exported.
#ifdef RAYO_MUTANT_SECOND_SYMBOL
extern "C" RAYO_EXPORT int rayo_mutant_backdoor() { return 1; }
#endif
