// SPDX-License-Identifier: Apache-2.0
//
// The header of an .npy file (NumPy's format 1.0, 2.0 and 3.0), parsed from a bounded prefix without evaluating
// anything: type, order and shape, and where the data begins.
#pragma once

#include <rayo/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rayo::tools {

// A header longer than this is refused: NumPy's own headers have about 120 bytes.
constexpr uint64_t kNpyLongestHeader = 64 * 1024;
// The longest prefix of a file that parsing needs: magic, version, length, header.
constexpr uint64_t kNpyPrefix = 12 + kNpyLongestHeader;

struct NpyHeader {
  DLDataType dtype{};
  bool boolean = false;     // '|b1': u8 with values 0 and 1
  bool big_endian = false;  // elements must be swapped after reading
  bool fortran_order = false;
  std::vector<int64_t> shape;
  uint64_t count = 0;        // elements
  uint64_t data_offset = 0;  // bytes before the first element
};

// Parses the first bytes of `file` (its name, for messages), `file_size` bytes long; `prefix` is all of it or at least
// kNpyPrefix bytes. `u2_is_bf16` reads '<u2' as bf16. Throws CommandError: RAYO_IO for a file that is no sound .npy
// file, RAYO_REFUSED for pickled objects, RAYO_UNSUPPORTED for a type or rank that Rayo does not have.
NpyHeader parse_npy_header(std::string_view prefix, uint64_t file_size, const std::string &file, bool u2_is_bf16);

// The bytes before the data of a row-major file: version 1.0, padded so that data begins at a multiple of 64.
std::string make_npy_header(DLDataType dtype, const std::vector<int64_t> &shape);

}  // namespace rayo::tools
