// SPDX-License-Identifier: Apache-2.0
#include "base/sha256.hpp"

#include <fcntl.h>
#include <sha2.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

namespace rayo {

std::string sha256_of_file(const std::string &path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) return "";
  struct stat info {};
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    ::close(fd);
    return "";
  }
  constexpr size_t kChunk = size_t{1} << 16;
  const auto chunk = std::make_unique<unsigned char[]>(kChunk);
  SHA2_CTX context;
  SHA256Init(&context);
  ssize_t got = 0;
  while ((got = ::read(fd, chunk.get(), kChunk)) != 0) {
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) break;
    SHA256Update(&context, chunk.get(), static_cast<size_t>(got));
  }
  ::close(fd);
  if (got < 0) return "";
  char hex[SHA256_DIGEST_STRING_LENGTH];
  return SHA256End(&context, hex) != nullptr ? std::string(hex) : std::string();
}

}  // namespace rayo
