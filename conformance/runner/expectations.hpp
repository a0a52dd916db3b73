// SPDX-License-Identifier: Apache-2.0
//
// Known failures, each with its reason. A listed case that fails is expected_fail; a listed case that passes fails
// the run, so that a mended bug does not stay on the list. A file has one line per known failure:
//
//   PLUGIN | CASE | REASON
//   acme*  | exp f32 subnormal           | flushes subnormals; ACME-123
//   acme   | gemm * @threads=7           | races in the last panel; ACME-140
//   acme   | add f32 9,9 - 0 uniform 1   | a whole case line stands for that case alone
//
// PLUGIN and the words of CASE may hold * and ?. The first word is the op, the second the types; every further word
// must equal some field, attribute or condition of the case line. Empty lines and those that begin with # are skipped.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runner/run_info.hpp"
#include "runner/state.hpp"

namespace rayo::conform {

// Throws UsageError with file and line number.
std::vector<Expectation> parse_expectations(std::string_view text, const std::string &file);
std::vector<Expectation> load_expectations(const std::string &file);

bool matches(const Expectation &expectation, std::string_view plugin, std::string_view case_line);

// Rewrites verdicts and counts what each line matched. Only executed cases count; crashed and hung stay what they are:
// bringing down a process is never expected.
void apply_expectations(std::span<Expectation> expectations, std::span<PluginReport> reports);

}  // namespace rayo::conform
