// SPDX-License-Identifier: Apache-2.0
#include "device/counters.hpp"

#include <fmt/format.h>

#include "registry/ops.hpp"

namespace rayo {

const char *fallback_name(uint32_t reason) noexcept {
  switch (reason) {
    case RAYO_FALLBACK_NO_DEVICE:
      return "no_device";
    case RAYO_FALLBACK_UNSUPPORTED:
      return "unsupported";
    case RAYO_FALLBACK_OUT_OF_MEMORY:
      return "out_of_memory";
    case RAYO_FALLBACK_TOO_LARGE:
      return "too_large";
    case RAYO_FALLBACK_DEVICE_LOST:
      return "device_lost";
    case RAYO_FALLBACK_WORKER:
      return "worker";
    case RAYO_FALLBACK_FORKED:
      return "forked";
    default:
      return "unknown";
  }
}

void FallbackCounters::count(rayo_op op, std::string_view device, uint32_t reason, std::string_view text) {
  {
    const std::lock_guard lock(mutex_);
    for (FallbackCounter &each : counters_) {
      if (each.op != op || each.reason != reason || each.device != device) continue;
      each.count.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    FallbackCounter &added = counters_.emplace_back();
    added.op = op;
    added.device = device;
    added.reason = reason;
    added.text = text;
    added.count.store(1, std::memory_order_relaxed);
  }
  log_(RAYO_LOG_WARN, "{}: fell back from {} to the host ({}): {}; said once, rayo_fallback_get counts on",
       op_name(op) == nullptr ? "?" : op_name(op), device, fallback_name(reason), text);
}

uint32_t FallbackCounters::size() const {
  const std::lock_guard lock(mutex_);
  return static_cast<uint32_t>(counters_.size());
}

const FallbackCounter *FallbackCounters::at(uint32_t index) const {
  const std::lock_guard lock(mutex_);
  return index < counters_.size() ? &counters_[index] : nullptr;
}

std::string FallbackCounters::summary(rayo_op op, std::string_view device) const {
  const std::lock_guard lock(mutex_);
  std::string text;
  for (const FallbackCounter &each : counters_) {
    if (each.op != op || each.device != device) continue;
    const uint64_t count = each.count.load(std::memory_order_relaxed);
    text += fmt::format("{}{} call{} fell back ({}: {})", text.empty() ? "" : "; ", count, count == 1 ? "" : "s",
                        fallback_name(each.reason), each.text);
  }
  return text;
}

}  // namespace rayo
