// SPDX-License-Identifier: Apache-2.0
#include <string_view>

#include "base/json_value.hpp"

// A document that is taken is written so that it reads as the same document, on one line and indented.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const std::string_view text(reinterpret_cast<const char *>(data), size);
  constexpr size_t kDeepest = 16;
  try {
    const rayo::JsonValue value = rayo::JsonValue::parse(text, kDeepest);
    const std::string once = value.dump();
    if (rayo::JsonValue::parse(once, kDeepest).dump() != once) __builtin_trap();
    if (rayo::JsonValue::parse(value.dump(2), kDeepest).dump() != once) __builtin_trap();
  } catch (const rayo::JsonError &) {
  }
  return 0;
}
