// SPDX-License-Identifier: Apache-2.0
#include "base/sha256.hpp"

#include <fcntl.h>
#include <sha2.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>

#include "base/descriptor.hpp"
#include "base/uninterrupted.hpp"

namespace rayo {

namespace {

// The rest of an open file, in hex; "" when it cannot be read.
std::string hash_of(int fd) {
  constexpr size_t kChunk = size_t{1} << 16;
  const auto chunk = std::make_unique<unsigned char[]>(kChunk);
  SHA2_CTX context;
  SHA256Init(&context);
  ssize_t got = 0;
  while ((got = uninterrupted([&] { return ::read(fd, chunk.get(), kChunk); })) > 0) {
    SHA256Update(&context, chunk.get(), static_cast<size_t>(got));
  }
  if (got < 0) return "";
  char hex[SHA256_DIGEST_STRING_LENGTH];
  return SHA256End(&context, hex) != nullptr ? std::string(hex) : std::string();
}

}  // namespace

bool same_file(const struct stat &a, const struct stat &b) noexcept {
  const auto same_time = [](const timespec &x, const timespec &y) {
    return x.tv_sec == y.tv_sec && x.tv_nsec == y.tv_nsec;
  };
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino && a.st_size == b.st_size && same_time(a.st_mtim, b.st_mtim) &&
         same_time(a.st_ctim, b.st_ctim);
}

std::string sha256_of_file(const std::string &path, const struct stat *expected) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file.ok()) return "";
  struct stat info {};
  if (::fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode)) return "";
  if (expected != nullptr && !same_file(info, *expected)) return "";
  std::string hash = hash_of(file.get());
  if (expected != nullptr && (::fstat(file.get(), &info) != 0 || !same_file(info, *expected))) return "";
  return hash;
}

}  // namespace rayo
