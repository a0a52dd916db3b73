// SPDX-License-Identifier: Apache-2.0
//
// What a nightly run found, summed up per function and kept for later reports (nightly_cache.hpp).
#pragma once

#include <span>
#include <string>
#include <vector>

#include "runner/nightly_cache.hpp"
#include "runner/state.hpp"

namespace rayo::conform {

// One entry per op, type and attributes of a report, all pieces taken together: the worst share of the bound, or the
// first defect. Functions of which a piece was not executed are left out.
std::vector<std::pair<NightlyKey, NightlyVerdict>> sum_up_nightly(const PluginReport &report);

// Keeps them; one line of text each. Throws std::runtime_error naming a file that cannot be written.
std::vector<std::string> keep_nightly(const PluginReport &report);

}  // namespace rayo::conform
