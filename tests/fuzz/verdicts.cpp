// SPDX-License-Identifier: Apache-2.0
#include <string_view>

#include "loader/verdict_cache.hpp"

// What is read from a cache of verdicts is written in the same words: nothing in it grows or gets lost.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const std::string_view text(reinterpret_cast<const char *>(data), size);
  const rayo::VerdictCache cache = rayo::VerdictCache::from_text(text);
  const std::string once = cache.text();
  if (rayo::VerdictCache::from_text(once).text() != once) __builtin_trap();
  (void)cache.find("a", "b", 0);
  (void)cache.launch_crashes("a", "b");
  return 0;
}
