// SPDX-License-Identifier: Apache-2.0
//
// One call of a plugin run again from its line (dispatch/call_line.hpp), as it was when a process died in it, but on
// memory and data of our own: a plugin that dies once more cannot blame the application.
#pragma once

#include <string>

#include "probe/report.hpp"
#include "registry/registry.hpp"

namespace rayo::probe {

// `registry` holds one ready plugin. Inputs hold whole numbers from -8 to 8 drawn by seeds, one round for each seed;
// operands end at a page that nobody may touch. Statuses and results are not judged. Throws Error when the call cannot
// be run: no such kernel, one that declines it, or operands above 1 GiB.
void replay_call(const Registry &registry, const std::string &line, TrialReport *report);

}  // namespace rayo::probe
