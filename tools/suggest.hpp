// SPDX-License-Identifier: Apache-2.0
//
// Near names for a mistyped one, so that an error message can say what was probably meant.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace rayo::tools {

// At most three of `names` within a small edit distance of `name`, or that contain it; nearest first.
std::vector<std::string> near_names(std::string_view name, const std::vector<std::string> &names);

// " (did you mean 'a' or 'b'?)", or "" when nothing is near.
std::string did_you_mean(std::string_view name, const std::vector<std::string> &names);

// "a, b, c"; "none" for an empty list.
std::string join_names(const std::vector<std::string> &names);

}  // namespace rayo::tools
