// SPDX-License-Identifier: Apache-2.0
#include "base/log.hpp"

#include <algorithm>
#include <cstdio>
#include <string>

namespace rayo {

void Log::write(int32_t level, const char *text) const noexcept {
  if (!enabled(level)) return;
  if (function_ != nullptr) {
    function_(ctx_, level, text);
    return;
  }
  static constexpr const char *kNames[] = {"error", "warn", "info", "debug"};
  const char *name = kNames[std::clamp<int32_t>(level, 0, 3)];
  try {
    // A file name may hold control characters; one event stays one line.
    std::string line(text);
    for (char &c : line) {
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
    }
    std::fprintf(stderr, "rayo: %s: %s\n", name, line.c_str());
  } catch (...) {
    std::fprintf(stderr, "rayo: %s: (out of memory while logging)\n", name);
  }
}

}  // namespace rayo
