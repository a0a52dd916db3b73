// SPDX-License-Identifier: Apache-2.0
#include "probe/output.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace rayo::probe {
namespace {

constexpr size_t kKept = 160;

}  // namespace

OutputPipe::OutputPipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return;
  read_ = ends[0];
  write_ = ends[1];
  ::fcntl(read_, F_SETFL, O_NONBLOCK);
}

OutputPipe::~OutputPipe() {
  close_write();
  if (read_ >= 0) ::close(read_);
}

void OutputPipe::become(int fd) const {
  if (write_ >= 0) ::dup2(write_, fd);
}

void OutputPipe::close_write() {
  if (write_ >= 0) ::close(write_);
  write_ = -1;
}

void OutputPipe::drain() {
  std::array<char, 16384> buffer;
  while (read_ >= 0) {
    const ssize_t got = ::read(read_, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) {
      ::close(read_);
      read_ = -1;
      return;
    }
    bytes_ += static_cast<uint64_t>(got);
    if (kept_.size() < kKept) kept_.append(buffer.data(), std::min(static_cast<size_t>(got), kKept - kept_.size()));
  }
}

std::string OutputPipe::text() const {
  std::string line = kept_;
  while (!line.empty() && (line.back() == '\n' || line.back() == ' ')) line.pop_back();
  for (char &c : line) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  return bytes_ > kKept ? line + "..." : line;
}

}  // namespace rayo::probe
