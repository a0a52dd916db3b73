// SPDX-License-Identifier: Apache-2.0
#include "base/log.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <string>

#include "base/json_text.hpp"

namespace rayo {
namespace {

// "2026-01-31T12:00:00.123Z"
std::string utc_now() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  tm parts{};
  ::gmtime_r(&now.tv_sec, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, now.tv_nsec / 1'000'000);
}

std::string json_line(const char *level, const char *text) {
  return fmt::format(R"({{"time":"{}","level":"{}","source":"rayo","pid":{},"text":{}}})", utc_now(), level, ::getpid(),
                     json_string(text));
}

}  // namespace

void Log::write(int32_t level, const char *text) const noexcept {
  if (!enabled(level)) return;
  if (function_ != nullptr) {
    function_(ctx_, level, text);
    return;
  }
  static constexpr const char *kNames[] = {"error", "warn", "info", "debug"};
  const char *name = kNames[std::clamp<int32_t>(level, 0, 3)];
  try {
    if (json_) {
      std::fprintf(stderr, "%s\n", json_line(name, text).c_str());
      return;
    }
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
