// SPDX-License-Identifier: Apache-2.0
//
// Beside plugin.hpp: the trace of a device tier. Each queue has a row of its own, filled with pieces of work whose
// times the device took.
#ifndef RAYO_PLUGIN_TRACE_HPP
#define RAYO_PLUGIN_TRACE_HPP

#include <rayo/plugin.h>

#include <cstdint>
#include <ctime>
#include <set>
#include <span>
#include <string>

namespace rayo::plugin {

// CLOCK_MONOTONIC, which the trace is on.
inline int64_t monotonic_ns() noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

// The number of a point on a timeline, for the arrow from who signals it to who waits for it.
inline uint64_t point_number(const void *timeline, uint64_t value) noexcept {
  return ((reinterpret_cast<uintptr_t>(timeline) + value) * 0x9e3779b97f4a7c15u) ^ value;
}

// Numbers of what lives, the lowest free one first, so that rows are used again. Not thread-safe.
class Numbers {
 public:
  uint32_t take() {
    uint32_t number = 0;
    while (!used_.insert(number).second) ++number;
    return number;
  }
  void give_back(uint32_t number) noexcept { used_.erase(number); }

 private:
  std::set<uint32_t> used_;
};

// One row; false where nothing is traced, and then nothing needs to be timed. Thread-safe.
class TraceRow {
 public:
  TraceRow() = default;
  TraceRow(const rayo_host *host, const std::string &name) noexcept : host_(host) {
    if (RAYO_HAS(host, rayo_host, trace_work) && host->trace_track != nullptr && host->trace_work != nullptr)
      track_ = host->trace_track(host, name.c_str());
  }
  explicit operator bool() const noexcept { return track_ != 0; }
  void add(const char *name, int64_t begin_ns, int64_t end_ns, std::span<const uint64_t> waits,
           std::span<const uint64_t> signals) const noexcept {
    if (track_ == 0) return;
    const rayo_trace_work work{sizeof(rayo_trace_work),
                               RAYO_TYPE_TRACE_WORK,
                               nullptr,
                               name,
                               begin_ns,
                               end_ns,
                               waits.data(),
                               signals.data(),
                               static_cast<uint32_t>(waits.size()),
                               static_cast<uint32_t>(signals.size())};
    host_->trace_work(host_, track_, &work);
  }

 private:
  const rayo_host *host_ = nullptr;
  uint64_t track_ = 0;
};

}  // namespace rayo::plugin

#endif  // RAYO_PLUGIN_TRACE_HPP
