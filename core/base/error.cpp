// SPDX-License-Identifier: Apache-2.0
//
// The text of each thread's last failure: a fixed buffer, so that reporting out-of-memory needs no memory.
#include "base/error.hpp"

#include <algorithm>
#include <cstring>

namespace rayo {
namespace {

struct LastError {
  size_t length;
  char text[RAYO_ERROR_TEXT];
};
thread_local constinit LastError t_last{};

}  // namespace

void set_last_error(std::string_view text) noexcept {
  size_t length = std::min(text.size(), sizeof t_last.text - 1);
  // A cut never leaves half of a UTF-8 sequence behind.
  if (length < text.size()) {
    while (length > 0 && (static_cast<unsigned char>(text[length]) & 0xC0u) == 0x80u) --length;
  }
  std::memmove(t_last.text, text.data(), length);
  t_last.text[length] = '\0';
  t_last.length = length;
}

std::string_view last_error() noexcept { return {t_last.text, t_last.length}; }

}  // namespace rayo
