// SPDX-License-Identifier: Apache-2.0
//
// Where certificates of conformance are kept, for those who write them.
#include <rayo/rayo.h>

#include <algorithm>
#include <cstring>

#include "base/error.hpp"
#include "loader/certificate.hpp"

extern "C" size_t rayo_certificate_path(const char *sha256, char *buf, size_t cap) {
  size_t length = 0;
  const rayo_status status = rayo::fence([&] {
    const std::string path = rayo::certificate_cache_path(sha256 != nullptr ? sha256 : "");
    length = path.size();
    if (buf == nullptr || cap == 0) return;
    const size_t copied = std::min(length, cap - 1);
    std::memcpy(buf, path.data(), copied);
    buf[copied] = '\0';
  });
  return status == RAYO_OK ? length : 0;
}
