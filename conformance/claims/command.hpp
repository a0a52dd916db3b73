// SPDX-License-Identifier: Apache-2.0
//
// `rayo conform --claims`: what the command does once plugins are found.
#pragma once

#include <span>
#include <string>

#include "runner/options.hpp"
#include "runner/session.hpp"

namespace rayo::conform::claims {

// Decides the claims that the options choose, on `files` and with what `found` says of files that are not ready.
// Returns whether none was refuted; `out_report` is the text or JSON that was asked for.
bool judge_claims(const Options &options, std::span<const std::string> files, const std::string &reference,
                  const Discovery &found, std::string &out_report);

}  // namespace rayo::conform::claims
