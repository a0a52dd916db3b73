// SPDX-License-Identifier: Apache-2.0
#include <string_view>

#include "base/error.hpp"
#include "tuner/profile.hpp"

// A profile that is taken is written so that it reads as the same profile. Its checksum, which would keep most inputs
// out, is left away: a file without one is legal.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const std::string_view text(reinterpret_cast<const char *>(data), size);
  if (text.find("\"checksum\"") != std::string_view::npos) return 0;
  rayo::Profile profile;
  try {
    profile = rayo::parse_profile(text);
  } catch (const rayo::Error &) {
    return 0;
  }
  const std::string once = rayo::profile_text(profile);
  if (rayo::profile_text(rayo::parse_profile(once)) != once) __builtin_trap();
  return 0;
}
