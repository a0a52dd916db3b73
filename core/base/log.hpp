// SPDX-License-Identifier: Apache-2.0
//
// The runtime's log: one line per event to the application's function, or to stderr. Thread-safe.
#pragma once

#include <fmt/format.h>
#include <rayo/types.h>

#include <new>
#include <string_view>
#include <utility>

namespace rayo {

class Log {
 public:
  using Function = void (*)(void *ctx, int32_t level, const char *text);

  Log() = default;
  // Lines above `level` are dropped; level < 0 drops all. function == nullptr writes to stderr "rayo: warn: text", or
  // with `json` {"time":..., "level":"warn", "pid":..., "text":...} in one line.
  Log(int32_t level, Function function, void *ctx, bool json = false)
      : level_(level), function_(function), ctx_(ctx), json_(json) {}

  bool enabled(int32_t level) const noexcept { return level <= level_; }
  void write(int32_t level, const char *text) const noexcept;

  template <class... Args>
  void operator()(int32_t level, fmt::format_string<Args...> format, Args &&...args) const {
    if (!enabled(level)) return;
    try {
      write(level, fmt::format(format, std::forward<Args>(args)...).c_str());
    } catch (const std::bad_alloc &) {  // a line is no reason for what it tells of to fail
      write(level, "(out of memory while logging)");
    }
  }

 private:
  int32_t level_ = RAYO_LOG_WARN;
  Function function_ = nullptr;
  void *ctx_ = nullptr;
  bool json_ = false;
};

}  // namespace rayo
