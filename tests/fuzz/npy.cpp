// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "command.hpp"
#include "npy_header.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const std::string_view text(reinterpret_cast<const char *>(data), size);
  // The first byte says how much longer than the prefix the file is.
  if (text.empty()) return 0;
  const std::string_view prefix = text.substr(1);
  const uint64_t file_size = prefix.size() + uint64_t{data[0]} * 64;
  try {
    const rayo::tools::NpyHeader header = rayo::tools::parse_npy_header(prefix, file_size, "fuzz.npy", false);
    // What it accepts lies inside the file.
    const uint64_t bytes = header.count * (header.dtype.bits / 8u);
    if (header.data_offset > file_size || bytes > file_size - header.data_offset) __builtin_trap();
    uint64_t count = 1;
    for (const int64_t extent : header.shape) count *= static_cast<uint64_t>(extent);
    if (count != header.count) __builtin_trap();
  } catch (const rayo::tools::CommandError &) {
    return 0;
  }
  return 0;
}
