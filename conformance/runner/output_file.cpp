// SPDX-License-Identifier: Apache-2.0
#include "runner/output_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <stdexcept>

namespace rayo::conform {
namespace {

namespace fs = std::filesystem;

bool write_all(int descriptor, const std::string &text) {
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t n = ::write(descriptor, text.data() + done, text.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    done += static_cast<std::size_t>(n);
  }
  return true;
}

}  // namespace

OutputFile::OutputFile(const std::string &path) : path_(path) {
  if (path.empty()) {
    descriptor_ = STDOUT_FILENO;
    return;
  }
  std::error_code error;
  target_ = fs::weakly_canonical(path, error).string();
  if (error) target_ = path;
  const fs::file_status status = fs::status(target_, error);
  if (fs::is_directory(status)) fail(EISDIR);
  if (fs::exists(status) && !fs::is_regular_file(status)) return;
  std::string name = fmt::format("{}.{}.tmp", target_, ::getpid());
  descriptor_ = ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor_ < 0) fail(errno);
  temporary_ = std::move(name);
}

OutputFile::~OutputFile() {
  if (descriptor_ > STDERR_FILENO) ::close(descriptor_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void OutputFile::commit(const std::string &text) {
  if (descriptor_ < 0) descriptor_ = ::open(target_.c_str(), O_WRONLY | O_CLOEXEC);
  if (descriptor_ < 0 || !write_all(descriptor_, text)) fail(errno);
  if (path_.empty()) return;
  const int descriptor = descriptor_;
  descriptor_ = -1;
  if (::close(descriptor) != 0) fail(errno);
  if (temporary_.empty()) return;
  if (::rename(temporary_.c_str(), target_.c_str()) != 0) fail(errno);
  temporary_.clear();
}

void OutputFile::fail(int error) const {
  throw std::runtime_error(
      fmt::format("{}: cannot be written: {}", path_.empty() ? "stdout" : path_, std::strerror(error)));
}

}  // namespace rayo::conform
