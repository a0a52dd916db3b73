// SPDX-License-Identifier: Apache-2.0
//
// Calls that ran elsewhere than where they belong, counted per op, device and reason. A counter is found once, when a
// call is bound or first fails, and then costs one relaxed addition.
#pragma once

#include <rayo/device.h>

#include <atomic>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "base/fork_mutex.hpp"
#include "base/log.hpp"

namespace rayo {

struct FallbackCounter {
  rayo_op op = RAYO_OP_NONE;
  std::string device;
  uint32_t reason = 0;  // RAYO_FALLBACK_*
  std::string text;     // of the first time
  std::atomic<uint64_t> count{0};
};

const char *fallback_name(uint32_t reason) noexcept;  // "out_of_memory"

// Thread-safe. Entries keep their addresses and are never removed.
class FallbackCounters {
 public:
  explicit FallbackCounters(const Log &log) : log_(log) {}

  // Counts one call. The first of its kind is logged with its text.
  void count(rayo_op op, std::string_view device, uint32_t reason, std::string_view text);

  uint32_t size() const;
  const FallbackCounter *at(uint32_t index) const;  // nullptr beyond the end
  // "3 calls fell back: out_of_memory (...)" for explain; empty if none did.
  std::string summary(rayo_op op, std::string_view device) const;

 private:
  const Log &log_;
  mutable ForkMutex mutex_{ForkMutex::Kind::inner};
  std::deque<FallbackCounter> counters_;
};

}  // namespace rayo
