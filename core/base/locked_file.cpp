// SPDX-License-Identifier: Apache-2.0
#include "base/locked_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "base/descriptor.hpp"
#include "base/uninterrupted.hpp"

namespace rayo {
namespace {

namespace fs = std::filesystem;

bool take_lock(int fd) {
  constexpr int kTries = 50;
  for (int i = 0; i < kTries; ++i) {
    if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return true;
    if (errno != EWOULDBLOCK && errno != EINTR) return false;
    ::usleep(5000);
  }
  return false;
}

bool write_all(int fd, const std::string &text) {
  size_t done = 0;
  while (done < text.size()) {
    const ssize_t wrote = uninterrupted([&] { return ::write(fd, text.data() + done, text.size() - done); });
    if (wrote <= 0) return false;
    done += static_cast<size_t>(wrote);
  }
  return true;
}

std::string failed(const char *what) { return fmt::format("{}: {}", what, std::strerror(errno)); }

}  // namespace

bool make_private_folders(const std::string &folder) {
  if (::mkdir(folder.c_str(), 0700) == 0 || errno == EEXIST) return true;
  const std::string above = fs::path(folder).parent_path().string();
  if (errno != ENOENT || above == folder) return false;
  return make_private_folders(above) && (::mkdir(folder.c_str(), 0700) == 0 || errno == EEXIST);
}

std::string update_file(const std::string &path, const std::function<std::string()> &text) {
  if (!make_private_folders(fs::path(path).parent_path().string())) return failed("has no folder");
  const std::string lock_path = path + ".lock";
  const Descriptor lock(::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600));
  if (lock.get() < 0) return failed("cannot be locked");
  if (!take_lock(lock.get())) return failed("is locked by another process");
  const std::string fresh = text();
  std::string temporary = path + ".XXXXXX";
  const Descriptor out(::mkostemp(temporary.data(), O_CLOEXEC));
  if (out.get() < 0) return failed("cannot be written");
  if (!write_all(out.get(), fresh) || ::rename(temporary.c_str(), path.c_str()) != 0) {
    std::string problem = failed("cannot be written");
    ::unlink(temporary.c_str());
    return problem;
  }
  return "";
}

}  // namespace rayo
