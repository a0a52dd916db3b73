// SPDX-License-Identifier: Apache-2.0
#include "loader/certificate.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "base/env.hpp"
#include "base/error.hpp"
#include "loader/search.hpp"

namespace rayo {
namespace {

constexpr size_t kLargestCertificate = size_t{64} << 20;  // a full report of one plugin has some 5 MiB

// Reads a regular file up to the limit. Returns what went wrong; "" = fine.
std::string read_bounded(const std::string &path, std::string *out) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
  if (fd < 0) return fmt::format("cannot be opened: {}", std::strerror(errno));
  struct stat info {};
  std::string reason;
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    reason = "is not a regular file";
  } else if (info.st_size < 0 || static_cast<uintmax_t>(info.st_size) > kLargestCertificate) {
    reason = fmt::format("has {} bytes; the limit is {}", info.st_size, kLargestCertificate);
  } else {
    out->resize(static_cast<size_t>(info.st_size));
    size_t done = 0;
    while (done < out->size()) {
      const ssize_t got = ::read(fd, out->data() + done, out->size() - done);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) break;
      done += static_cast<size_t>(got);
    }
    out->resize(done);
  }
  ::close(fd);
  return reason;
}

// Why the file at `path` is no certificate; "" = it is one.
std::string look_at(const std::string &path, const std::string &sha256) {
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr), &std::free);
  if (!real) return errno == ENOENT ? "does not exist" : fmt::format("cannot be opened: {}", std::strerror(errno));
  if (std::string reason = distrust(real.get()); !reason.empty()) return reason;
  std::string text;
  if (std::string reason = read_bounded(real.get(), &text); !reason.empty()) return reason;
  return judge_certificate(text, sha256);
}

const char *absolute_folder(const char *variable) {
  const char *text = env_text(variable);
  return text != nullptr && text[0] == '/' ? text : nullptr;
}

}  // namespace

std::string certificate_cache_path(std::string_view sha256) {
  const auto hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  if (sha256.size() != 64 || !std::all_of(sha256.begin(), sha256.end(), hex) || privileged_process()) return "";
  const char *cache = absolute_folder("XDG_CACHE_HOME");
  const char *home = absolute_folder("HOME");
  if (cache == nullptr && home == nullptr) return "";
  const std::string folder = cache != nullptr ? std::string(cache) : std::string(home) + "/.cache";
  return fmt::format("{}/rayo/conformance/{}.json", folder, sha256);
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
