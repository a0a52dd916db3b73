// SPDX-License-Identifier: Apache-2.0
//
// Reading and writing of .npy data. Files are read fully, not mapped: a file that shrinks while it is used is then a
// message and not a SIGBUS, and the peak is the tensors' own size.
#include "npy.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <utility>

#include <fmt/core.h>

#include "command.hpp"
#include "dtypes.hpp"
#include "npy_header.hpp"

namespace rayo::tools {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(const Descriptor &) = delete;
  Descriptor &operator=(const Descriptor &) = delete;
  int get() const { return value_; }

 private:
  int value_;
};

CommandError cannot_read(const std::string &file, const std::string &why, const char *next) {
  return CommandError(RAYO_IO, fmt::format("{}: cannot be read: {}; {}", file, why, next));
}

// Fills `data`; the file was `size` bytes longer than `offset` a moment ago.
void read_exactly(int descriptor, void *data, uint64_t size, uint64_t offset, const std::string &file) {
  auto *bytes = static_cast<std::byte *>(data);
  while (size > 0) {
    const ssize_t got = ::pread(descriptor, bytes, size, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw cannot_read(file, std::strerror(errno), "check the disk and the file's permissions");
    if (got == 0) throw cannot_read(file, "it became shorter while being read", "try again when it is complete");
    bytes += got;
    size -= static_cast<uint64_t>(got);
    offset += static_cast<uint64_t>(got);
  }
}

void swap_bytes(std::byte *data, uint64_t count, uint64_t size) {
  for (uint64_t i = 0; i < count; ++i) std::reverse(data + i * size, data + (i + 1) * size);
}

void check_booleans(const HostTensor &tensor, const std::string &file) {
  const auto *begin = static_cast<const uint8_t *>(tensor.data.get());
  const auto *bad = std::find_if(begin, begin + tensor.count, [](uint8_t value) { return value > 1; });
  if (bad == begin + tensor.count) return;
  throw CommandError(
      RAYO_IO, fmt::format("{}: bool element {} holds {}; legal: 0, 1; write the file again", file, bad - begin, *bad));
}

void write_exactly(int descriptor, const void *data, uint64_t size, const std::string &name) {
  const auto *bytes = static_cast<const std::byte *>(data);
  while (size > 0) {
    const ssize_t put = ::write(descriptor, bytes, size);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) {
      throw CommandError(RAYO_IO, fmt::format("{}: cannot be written: {}; free space on the disk or choose another "
                                              "folder",
                                              name, std::strerror(errno)));
    }
    bytes += put;
    size -= static_cast<uint64_t>(put);
  }
}

}  // namespace

HostTensor read_npy(const std::string &file, bool u2_is_bf16) {
  // O_NONBLOCK: opening a FIFO that nobody writes to must not wait.
  const Descriptor descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (descriptor.get() < 0) throw cannot_read(file, std::strerror(errno), "check the path");
  struct stat status {};
  if (::fstat(descriptor.get(), &status) != 0) throw cannot_read(file, std::strerror(errno), "check the path");
  if (!S_ISREG(status.st_mode)) {
    throw cannot_read(file, S_ISDIR(status.st_mode) ? "it is a folder" : "it is not a regular file",
                      "name an .npy file");
  }
  const auto file_size = static_cast<uint64_t>(status.st_size);
  std::string prefix(std::min(file_size, kNpyPrefix), '\0');
  read_exactly(descriptor.get(), prefix.data(), prefix.size(), 0, file);
  const NpyHeader header = parse_npy_header(prefix, file_size, file, u2_is_bf16);

  HostTensor tensor = allocate_tensor(header.dtype, header.shape, header.fortran_order, file);
  read_exactly(descriptor.get(), tensor.data.get(), tensor.bytes, header.data_offset, file);
  if (header.big_endian) {
    swap_bytes(static_cast<std::byte *>(tensor.data.get()), tensor.count, dtype_size(tensor.dtype));
  }
  if (header.boolean) check_booleans(tensor, file);
  return tensor;
}

void write_npy(int descriptor, const HostTensor &tensor, const std::string &name) {
  const std::string header = make_npy_header(tensor.dtype, tensor.shape);
  write_exactly(descriptor, header.data(), header.size(), name);
  write_exactly(descriptor, tensor.data.get(), tensor.bytes, name);
}

}  // namespace rayo::tools
