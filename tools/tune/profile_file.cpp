// SPDX-License-Identifier: Apache-2.0
#include "profile_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include <fmt/core.h>

#include "tools/command.hpp"

namespace rayo::tools::tune {
namespace {

std::string folder_of(const std::string &path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

CommandError cannot_write(const std::string &path, int error, const std::string &what = "profile") {
  return CommandError(RAYO_IO, fmt::format("{} {}: cannot be written: {}; choose another place with {} FILE", what,
                                           path, std::strerror(error), what == "profile" ? "-o" : "--" + what));
}

class TempFile {
 public:
  explicit TempFile(const std::string &beside, const std::string &what = "profile")
      : path_(fmt::format("{}/.rayo-profile-XXXXXX", folder_of(beside))) {
    fd_ = ::mkostemp(path_.data(), O_CLOEXEC);
    if (fd_ < 0) throw cannot_write(beside, errno, what);
  }
  ~TempFile() {
    if (fd_ >= 0) ::close(fd_);
    if (!path_.empty()) ::unlink(path_.c_str());
  }
  TempFile(const TempFile &) = delete;
  TempFile &operator=(const TempFile &) = delete;

  bool write(const std::string &content) const {
    std::size_t done = 0;
    while (done < content.size()) {
      const ssize_t wrote = ::write(fd_, content.data() + done, content.size() - done);
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote <= 0) return false;
      done += static_cast<std::size_t>(wrote);
    }
    return ::fchmod(fd_, 0644) == 0 && ::fsync(fd_) == 0;
  }
  bool rename_to(const std::string &path) {
    if (::rename(path_.c_str(), path.c_str()) != 0) return false;
    path_.clear();
    return true;
  }

 private:
  std::string path_;
  int fd_ = -1;
};

}  // namespace

ProfileLock::ProfileLock(const std::string &profile) : path_(profile + ".lock") {
  for (;;) {
    fd_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd_ < 0) throw cannot_write(profile, errno);
    if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
      char holder[32] = {};
      const ssize_t got = ::pread(fd_, holder, sizeof holder - 1, 0);
      ::close(fd_);
      fd_ = -1;
      throw CommandError(RAYO_PRECONDITION,
                         fmt::format("profile {}: another rayo tune (process {}) is writing it; wait for it, or choose "
                                     "another file with -o",
                                     profile, got > 0 ? holder : "unknown"));
    }
    // Whoever held it may have removed the file between open and flock.
    struct stat mine {};
    struct stat there {};
    if (::fstat(fd_, &mine) == 0 && ::stat(path_.c_str(), &there) == 0 && mine.st_ino == there.st_ino) break;
    ::close(fd_);
  }
  const std::string pid = fmt::format("{}", ::getpid());
  if (::ftruncate(fd_, 0) != 0 || ::pwrite(fd_, pid.data(), pid.size(), 0) < 0) {
    // The number is for a message only.
  }
}

ProfileLock::~ProfileLock() {
  if (fd_ < 0) return;
  ::unlink(path_.c_str());
  ::close(fd_);
}

void prepare_folder(const std::string &profile) {
  std::error_code error;
  std::filesystem::create_directories(folder_of(profile), error);
  if (error) throw cannot_write(profile, error.value());
  if (std::filesystem::is_directory(profile, error)) throw cannot_write(profile, EISDIR);
  const TempFile probe(profile);
  if (!probe.write("")) throw cannot_write(profile, errno);
}

void check_writable(const std::string &what, const std::string &path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) throw cannot_write(path, EISDIR, what);
  const TempFile probe(path, what);
  if (!probe.write("")) throw cannot_write(path, errno, what);
}

void write_whole(const std::string &path, const std::string &content, const std::string &what) {
  TempFile file(path, what);
  if (!file.write(content) || !file.rename_to(path)) throw cannot_write(path, errno, what);
  const int folder = ::open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return;
  ::fsync(folder);
  ::close(folder);
}

}  // namespace rayo::tools::tune
