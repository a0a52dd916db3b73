// SPDX-License-Identifier: Apache-2.0
#include "base/read_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/descriptor.hpp"
#include "base/uninterrupted.hpp"

namespace rayo {

std::string read_file_bounded(const std::string &path, size_t limit, std::string *out) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW));
  if (!file.ok()) return fmt::format("cannot be opened: {}", std::strerror(errno));
  struct stat info {};
  if (::fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode)) return "is not a regular file";
  if (info.st_size < 0 || static_cast<uintmax_t>(info.st_size) > limit) {
    return fmt::format("has {} bytes; the limit is {}", info.st_size, limit);
  }
  out->resize(static_cast<size_t>(info.st_size));
  size_t done = 0;
  while (done < out->size()) {
    const ssize_t got = uninterrupted([&] { return ::read(file.get(), out->data() + done, out->size() - done); });
    if (got <= 0) break;
    done += static_cast<size_t>(got);
  }
  out->resize(done);
  return "";
}

}  // namespace rayo
