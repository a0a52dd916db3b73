// SPDX-License-Identifier: Apache-2.0
//
// What action=report leaves behind for a finding: a JSON file and, where libpng is installed, a heat map beside it.
#pragma once

#include <string>

#include "dispatch/bind.hpp"
#include "guard/finding.hpp"

namespace rayo {

struct RuntimeWatch;

// At most this many files of each kind by one runtime; later findings are logged only.
constexpr uint32_t kMostReports = 100;

// Writes OP-GUARD-PID-N.json (and .png) into `folder`, or into $XDG_CACHE_HOME/rayo/reports (by default below ~/.cache)
// where that is "". Returns "report: FILE", or why there is none. Throws bad_alloc.
std::string write_report(const Finding &finding, const BoundCall &call, const KernelRecord &kernel,
                         const std::string &folder, RuntimeWatch *runtime);

}  // namespace rayo
