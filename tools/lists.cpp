// SPDX-License-Identifier: Apache-2.0
//
// Splitting and reading.
#include "lists.hpp"

#include <charconv>

#include <fmt/core.h>

#include "command.hpp"

namespace rayo::tools {

std::vector<std::string> split_list(const std::string &text, char separator) {
  std::vector<std::string> parts;
  if (text.empty()) return parts;
  std::size_t begin = 0;
  for (std::size_t end = text.find(separator); end != std::string::npos; end = text.find(separator, begin)) {
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  parts.push_back(text.substr(begin));
  return parts;
}

std::vector<int64_t> parse_shape(const std::string &option, const std::string &text) {
  std::vector<int64_t> shape;
  if (text == "scalar" || text.empty()) return shape;
  const char *position = text.data();
  const char *const end = text.data() + text.size();
  while (true) {
    int64_t extent = 0;
    const auto [next, error] = std::from_chars(position, end, extent);
    if (error != std::errc() || extent < 0 || (next != end && *next != 'x')) break;
    shape.push_back(extent);
    if (next == end) return shape;
    position = next + 1;
  }
  throw usage_error(fmt::format("{} '{}': legal: extents such as 1000x1000, 'scalar', or '-'", option, text));
}

}  // namespace rayo::tools
