// SPDX-License-Identifier: Apache-2.0
//
// Lists on command lines: texts with a separator, and shapes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace rayo::tools {

// "a,b" -> {a, b}; "" has no parts.
std::vector<std::string> split_list(const std::string &text, char separator);

// "1000x3" -> {1000, 3}; "scalar" and "" are rank 0. Throws a usage error that begins with `option`.
std::vector<int64_t> parse_shape(const std::string &option, const std::string &text);

}  // namespace rayo::tools
