// SPDX-License-Identifier: Apache-2.0
//
// Errors inside the core: thrown as Error, turned into a status and a thread-local text at the C boundary (fence).
#pragma once

#include <fmt/format.h>
#include <rayo/types.h>

#include <exception>
#include <new>
#include <string>
#include <string_view>
#include <utility>

namespace rayo {

class Error : public std::exception {
 public:
  Error(rayo_status status, std::string text) : status_(status), text_(std::move(text)) {}
  rayo_status status() const noexcept { return status_; }
  const char *what() const noexcept override { return text_.c_str(); }

 private:
  rayo_status status_;
  std::string text_;
};

// Throws Error. The message names the thing, the value, the legal values and the next step.
template <class... Args>
[[noreturn]] void fail(rayo_status status, fmt::format_string<Args...> format, Args &&...args) {
  throw Error(status, fmt::format(format, std::forward<Args>(args)...));
}

// Text behind rayo_last_error(), per thread. Never throws; the text is cut to RAYO_ERROR_TEXT - 1 bytes.
void set_last_error(std::string_view text) noexcept;
std::string_view last_error() noexcept;

// Runs `body` (returning nothing) and maps what it throws to a status, leaving the text for rayo_last_error().
template <class Body>
rayo_status fence(Body &&body) noexcept {
  try {
    std::forward<Body>(body)();
    return RAYO_OK;
  } catch (const Error &error) {
    set_last_error(error.what());
    return error.status();
  } catch (const std::bad_alloc &) {
    set_last_error("out of host memory; smaller work may succeed");
    return RAYO_OUT_OF_MEMORY;
  } catch (const std::exception &error) {
    set_last_error(error.what());
    return RAYO_INTERNAL;
  } catch (...) {
    set_last_error("unknown exception; please report it");
    return RAYO_INTERNAL;
  }
}

}  // namespace rayo
