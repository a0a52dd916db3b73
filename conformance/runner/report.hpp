// SPDX-License-Identifier: Apache-2.0
//
// Reports of a run, each bound to the SHA-256 of the file that was judged.
#pragma once

#include <span>
#include <string>

#include "runner/state.hpp"

namespace rayo::conform {

std::string text_report(std::span<const PluginReport> reports);
// {"reports":[{"plugin","sha256","seed","summary":{..},"cases":[{"case","state","error_ulp","bound","message"}]}]}
std::string json_report(std::span<const PluginReport> reports);
std::string junit_report(std::span<const PluginReport> reports);

}  // namespace rayo::conform
