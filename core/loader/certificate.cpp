// SPDX-License-Identifier: Apache-2.0
#include "loader/certificate.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "base/env.hpp"
#include "base/error.hpp"
#include "base/read_file.hpp"
#include "loader/search.hpp"

namespace rayo {
namespace {

constexpr size_t kLargestCertificate = size_t{64} << 20;  // a full report of one plugin has some 5 MiB

// Why the file at `path` is no certificate; "" = it is one.
std::string look_at(const std::string &path, const std::string &sha256) {
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr), &std::free);
  if (!real) return errno == ENOENT ? "does not exist" : fmt::format("cannot be opened: {}", std::strerror(errno));
  if (std::string reason = distrust(real.get()); !reason.empty()) return reason;
  std::string text;
  if (std::string reason = read_file_bounded(real.get(), kLargestCertificate, &text); !reason.empty()) return reason;
  return judge_certificate(text, sha256);
}

}  // namespace

std::string certificate_cache_path(std::string_view sha256) {
  const auto hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  if (sha256.size() != 64 || !std::all_of(sha256.begin(), sha256.end(), hex)) return "";
  const std::string folder = user_cache_folder();
  return folder.empty() ? folder : fmt::format("{}/conformance/{}.json", folder, sha256);
}

std::string lacks_certificate(const std::string &real_path, const std::string &sha256) {
  if (sha256.empty()) return "cannot be read to take its SHA-256, and a certificate of conformance is required";
  std::string looked;
  for (const std::string &place : {real_path + ".conformance.json", certificate_cache_path(sha256)}) {
    if (place.empty()) continue;
    const std::string reason = look_at(place, sha256);
    if (reason.empty()) return "";
    looked += fmt::format("{}{} {}", looked.empty() ? "" : ", ", place, reason);
  }
  return fmt::format(
      "has no certificate of conformance, which is required here ({}); next: rayo conform --record --plugin {}", looked,
      real_path);
}

}  // namespace rayo
