// SPDX-License-Identifier: Apache-2.0
//
// Reading and writing the growable structs of the API: callers may be older or newer than this library.
#pragma once

#include <rayo/types.h>

#include <algorithm>
#include <cstring>

#include "base/error.hpp"

namespace rayo {

// Walks the chain behind a struct: unknown extensions are skipped, unless they insist on being understood.
inline void check_extensions(const void *next, const char *what) {
  const auto *extension = static_cast<const rayo_struct *>(next);
  for (int i = 0; extension != nullptr; ++i) {
    if ((extension->struct_type & RAYO_MUST_UNDERSTAND) != 0) {
      fail(RAYO_UNSUPPORTED, "{}.next holds extension {:#x}, which this version does not know", what,
           extension->struct_type);
    }
    if (i == 64) fail(RAYO_INVALID_ARGUMENT, "{}.next is a chain of more than 64 structs, or a circle", what);
    extension = static_cast<const rayo_struct *>(extension->next);
  }
}

template <class T>
void check_struct_header(const T *given, uint32_t type, const char *what) {
  if (given == nullptr) fail(RAYO_INVALID_ARGUMENT, "{} is NULL", what);
  if (given->struct_size < sizeof(rayo_struct) || given->struct_type != type) {
    fail(RAYO_INVALID_ARGUMENT,
         "{} has struct_size {} and struct_type {}; set them to sizeof (here {}) and {} before the call", what,
         given->struct_size, given->struct_type, sizeof(T), type);
  }
  check_extensions(given->next, what);
}

// A copy of what the caller gave: members beyond its struct_size are zero, members beyond ours are ignored.
template <class T>
T read_struct(const T *given, uint32_t type, const char *what) {
  check_struct_header(given, type, what);
  T copy{};
  std::memcpy(static_cast<void *>(&copy), given, std::min<size_t>(given->struct_size, sizeof copy));
  return copy;
}

// Fills an out-struct: the header stays the caller's, nothing is written beyond its struct_size.
template <class T>
void write_struct(T *out, const T &value, uint32_t type, const char *what) {
  check_struct_header(out, type, what);
  const size_t bytes = std::min<size_t>(out->struct_size, sizeof value) - sizeof(rayo_struct);
  std::memcpy(reinterpret_cast<char *>(out) + sizeof(rayo_struct),
              reinterpret_cast<const char *>(&value) + sizeof(rayo_struct), bytes);
}

}  // namespace rayo
