// SPDX-License-Identifier: Apache-2.0
//
// Column widths and word wrapping.
#include "table.hpp"

#include <algorithm>
#include <cmath>
#include <sstream>

#include <fmt/core.h>

namespace rayo::tools {
namespace {

constexpr std::size_t kColumns = 80;
constexpr std::size_t kGap = 2;
constexpr std::size_t kNarrowest = 24;  // room that the last column gets whatever the others need

}  // namespace

std::string wrap(const std::string &text, std::size_t width, std::size_t indent) {
  std::istringstream words(text);
  std::string word;
  std::string result;
  std::size_t used = 0;
  while (words >> word) {
    if (used > 0 && used + 1 + word.size() > width) {
      result += "\n" + std::string(indent, ' ');
      used = 0;
    } else if (used > 0) {
      result += ' ';
      ++used;
    }
    result += word;
    used += word.size();
  }
  return result;
}

std::string Table::text() const {
  const std::size_t last = rows_.front().size() - 1;
  std::vector<std::size_t> widths(last, 0);
  for (const auto &row : rows_) {
    for (std::size_t i = 0; i < last; ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::size_t indent = 0;
  for (const std::size_t width : widths) indent += width + kGap;
  const std::size_t room = std::max(kColumns - std::min(indent, kColumns), kNarrowest);
  std::string text;
  for (const auto &row : rows_) {
    std::string line;
    for (std::size_t i = 0; i < last; ++i) line += fmt::format("{:<{}}", row[i], widths[i] + kGap);
    line += wrap(row[last], room, indent);
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

std::string duration_text(double nanoseconds) {
  if (nanoseconds < 1e3) return fmt::format("{:.0f} ns", nanoseconds);
  if (nanoseconds < 1e6) return fmt::format("{:.3g} us", nanoseconds / 1e3);
  if (nanoseconds < 1e9) return fmt::format("{:.3g} ms", nanoseconds / 1e6);
  return fmt::format("{:.3f} s", nanoseconds / 1e9);
}

}  // namespace rayo::tools
