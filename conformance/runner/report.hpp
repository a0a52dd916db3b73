// SPDX-License-Identifier: Apache-2.0
//
// Reports of a run, each bound to the SHA-256 of the files that were judged: for a terminal, for programs, for CI
// systems and for people.
#pragma once

#include <span>
#include <string>

#include "runner/run_info.hpp"
#include "runner/state.hpp"

namespace rayo::conform {

std::string text_report(std::span<const PluginReport> reports, const RunInfo &run = {});
// {"schema","run":{..},"reports":[{"plugin","sha256","seed","summary":{..},
//   "cases":[{"case","state","error_ulp","bound","message"}]}]}; described by conformance/schema/conform.schema.json.
std::string json_report(std::span<const PluginReport> reports, const RunInfo &run = {});
std::string junit_report(std::span<const PluginReport> reports, const RunInfo &run = {});
// One self-contained page (html/).
std::string html_report(std::span<const PluginReport> reports, const RunInfo &run = {});

}  // namespace rayo::conform
