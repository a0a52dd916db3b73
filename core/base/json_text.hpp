// SPDX-License-Identifier: Apache-2.0
//
// JSON strings for what the core writes line by line: log lines, traces, reports.
#pragma once

#include <string>
#include <string_view>

namespace rayo {

// `text` as a JSON string, quotes included. Bytes that are no UTF-8 become U+FFFD.
std::string json_string(std::string_view text);

}  // namespace rayo
