// SPDX-License-Identifier: Apache-2.0
#include "runner/certificate.hpp"

#include <fmt/format.h>
#include <rayo/rayo.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <filesystem>
#include <span>
#include <stdexcept>

#include "runner/output_file.hpp"
#include "runner/report.hpp"

namespace rayo::conform {
namespace {

namespace fs = std::filesystem;

std::string cache_path(const PluginReport &report) {
  std::array<char, PATH_MAX> path{};
  const std::size_t length = rayo_certificate_path(report.sha256.c_str(), path.data(), path.size());
  if (length == 0 || length >= path.size()) {
    throw std::runtime_error(
        "--record: there is no verdict cache: neither XDG_CACHE_HOME nor HOME is an absolute path");
  }
  return path.data();
}

// Only this user may put certificates there.
void make_private_folders(const fs::path &folder) {
  if (folder.empty() || fs::exists(folder)) return;
  make_private_folders(folder.parent_path());
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    throw std::runtime_error(fmt::format("--record: {} cannot be made: {}", folder.string(), std::strerror(errno)));
  }
}

}  // namespace

std::string record_verdict(const PluginReport &report, const RunInfo &run) {
  if (report.sha256.empty()) return fmt::format("nothing recorded for {}: it was not judged", report.file);
  const std::string path = cache_path(report);
  const std::size_t expected = report.count(State::expected_fail);
  if (!report.good() || expected > 0) {
    const bool had = ::unlink(path.c_str()) == 0;
    return fmt::format("nothing recorded for {}: {}{}", report.file,
                       report.good() ? fmt::format("{} failures were expected, and a certificate has none", expected)
                                     : "it did not pass",
                       had ? "; its earlier certificate is withdrawn" : "");
  }
  make_private_folders(fs::path(path).parent_path());
  OutputFile file(path);
  file.commit(json_report(std::span(&report, 1), run));
  return fmt::format("recorded {}", path);
}

}  // namespace rayo::conform
