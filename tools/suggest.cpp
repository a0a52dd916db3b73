// SPDX-License-Identifier: Apache-2.0
//
// Near names by edit distance (insert, delete, replace, each 1).
#include "suggest.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace rayo::tools {
namespace {

constexpr std::size_t kLongestName = 64;  // longer names are no typing mistakes
constexpr std::size_t kMostNames = 3;

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row[b.size()];
}

}  // namespace

std::vector<std::string> near_names(std::string_view name, const std::vector<std::string> &names) {
  if (name.empty() || name.size() > kLongestName) return {};
  std::vector<std::pair<std::size_t, std::string>> scored;
  for (const std::string &candidate : names) {
    const std::size_t limit = std::max<std::size_t>(1, std::min(name.size(), candidate.size()) / 3);
    const std::size_t distance = edit_distance(name, candidate);
    const bool contains = name.size() >= 3 && candidate.find(name) != std::string::npos;
    if (distance <= limit || contains) scored.emplace_back(distance, candidate);
  }
  std::sort(scored.begin(), scored.end());
  std::vector<std::string> nearest;
  for (std::size_t i = 0; i < std::min(scored.size(), kMostNames); ++i) nearest.push_back(scored[i].second);
  return nearest;
}

std::string did_you_mean(std::string_view name, const std::vector<std::string> &names) {
  std::string text;
  for (const std::string &near : near_names(name, names)) {
    text += text.empty() ? " (did you mean '" : " or '";
    text += near + "'";
  }
  return text.empty() ? text : text + "?)";
}

std::string join_names(const std::vector<std::string> &names) {
  std::string text;
  for (const std::string &name : names) text += (text.empty() ? "" : ", ") + name;
  return text.empty() ? "none" : text;
}

}  // namespace rayo::tools
