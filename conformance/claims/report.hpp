// SPDX-License-Identifier: Apache-2.0
//
// What became of the claims, for a person and for a program; and the command line's part of it.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "claims/run.hpp"

namespace rayo::conform::claims {

std::string text_report(std::span<const Finding> findings);
// {"claims":[{"id","title","verdict","evidence","command","seconds"}],"summary":{"upheld","refuted","not_evaluated"}}
std::string json_report(std::span<const Finding> findings);

// "A-001,C-036" to rows, all for "". Throws UsageError naming the unknown id.
std::vector<const Claim *> choose_claims(const std::string &list);

bool any_refuted(std::span<const Finding> findings);

}  // namespace rayo::conform::claims
