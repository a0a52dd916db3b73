// SPDX-License-Identifier: Apache-2.0
#include "loader/manifest.hpp"

#include <algorithm>

#include "base/read_file.hpp"
#include "loader/search.hpp"

namespace rayo {
namespace {

constexpr size_t kLargest = size_t{1} << 20;
constexpr size_t kDigits = 64;

}  // namespace

Manifest::Manifest(std::string_view text) {
  const auto hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const std::string_view hash = line.substr(0, kDigits);
    if (hash.size() == kDigits && std::all_of(hash.begin(), hash.end(), hex) && line.substr(kDigits, 2) == "  ") {
      hashes_.emplace(hash);
    }
  }
}

Manifest read_manifest(const std::vector<std::string> &folders) {
  std::string all;
  for (const std::string &folder : folders) {
    const std::string file = real_path(folder + "/manifest.sha256");
    std::string text;
    if (file.empty() || !distrust(file).empty() || !read_file_bounded(file, kLargest, &text).empty()) continue;
    all += text + "\n";
  }
  return Manifest(all);
}

}  // namespace rayo
