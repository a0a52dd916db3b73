// SPDX-License-Identifier: Apache-2.0
//
// An open file descriptor with one owner: closed on every way out, a failed allocation included.
#pragma once

#include <unistd.h>

namespace rayo {

class Descriptor {
 public:
  explicit Descriptor(int fd) noexcept : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor &) = delete;
  Descriptor &operator=(const Descriptor &) = delete;

  int get() const noexcept { return fd_; }
  bool ok() const noexcept { return fd_ >= 0; }

 private:
  int fd_;
};

}  // namespace rayo
