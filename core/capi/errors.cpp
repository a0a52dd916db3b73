// SPDX-License-Identifier: Apache-2.0
#include "base/error.hpp"

#include <rayo/rayo.h>

#include <algorithm>
#include <cstring>

extern "C" {

size_t rayo_last_error(char *buf, size_t cap) {
  const std::string_view text = rayo::last_error();
  if (buf != nullptr && cap > 0) {
    const size_t length = std::min(text.size(), cap - 1);
    std::memcpy(buf, text.data(), length);
    buf[length] = '\0';
  }
  return text.size();
}

const char *rayo_status_name(rayo_status status) {
  switch (status) {
#define RAYO_NAME(name) \
  case name:            \
    return #name
    RAYO_NAME(RAYO_OK);
    RAYO_NAME(RAYO_INVALID_ARGUMENT);
    RAYO_NAME(RAYO_NOT_FOUND);
    RAYO_NAME(RAYO_UNSUPPORTED);
    RAYO_NAME(RAYO_OUT_OF_MEMORY);
    RAYO_NAME(RAYO_PRECONDITION);
    RAYO_NAME(RAYO_RETRY);
    RAYO_NAME(RAYO_DEVICE_LOST);
    RAYO_NAME(RAYO_FORKED);
    RAYO_NAME(RAYO_CANCELLED);
    RAYO_NAME(RAYO_TIMEOUT);
    RAYO_NAME(RAYO_IO);
    RAYO_NAME(RAYO_REFUSED);
    RAYO_NAME(RAYO_GUARD);
    RAYO_NAME(RAYO_INTERNAL);
#undef RAYO_NAME
    default:
      return "unknown status";
  }
}

const char *rayo_version(void) { return RAYO_VERSION_STRING; }

}  // extern "C"
