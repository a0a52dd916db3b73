// SPDX-License-Identifier: Apache-2.0
//
// Writing a growable struct into the caller's memory, which may have been compiled against an older or newer header.
#pragma once

#include <rayo/types.h>

#include <algorithm>
#include <cstring>

#include "base/error.hpp"

namespace rayo {

// Copies `value` to `*out`, no more than the caller's struct_size says it has; struct_size and next stay the caller's.
template <class Struct>
void write_struct(const Struct &value, Struct *out) {
  if (out->struct_size < sizeof(rayo_struct) || out->struct_type != value.struct_type) {
    fail(RAYO_INVALID_ARGUMENT, "set struct_size = sizeof and struct_type = {} before the call (found {} and {})",
         value.struct_type, out->struct_size, out->struct_type);
  }
  constexpr size_t kHeader = sizeof(rayo_struct);
  const size_t size = std::min<size_t>(out->struct_size, sizeof(Struct));
  std::memcpy(reinterpret_cast<char *>(out) + kHeader, reinterpret_cast<const char *>(&value) + kHeader,
              size - kHeader);
}

}  // namespace rayo
