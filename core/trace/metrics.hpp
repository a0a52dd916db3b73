// SPDX-License-Identifier: Apache-2.0
//
// Counters of a runtime, by label, and their text in Prometheus' format.
#pragma once

#include <atomic>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/fork_mutex.hpp"

namespace rayo {

// What is counted; metrics.cpp has each one's name, labels and help.
enum class Metric : uint8_t {
  calls,           // op, device, kernel
  call_ns,         // op, device, kernel
  failures,        // op, device, kernel
  fallbacks,       // op, from, to, reason
  guard_checks,    // guard, op, device
  guard_findings,  // guard, op, device
  guard_skipped,   // guard, op, reason
  guard_partial,   // guard, op, device
};
constexpr size_t kMetrics = 8;

using Counter = std::atomic<uint64_t>;

class Metrics {
 public:
  // The counter with these labels; it lives as long as the Metrics. Thread-safe; takes a lock, so keep the pointer. A
  // metric has at most kMostSeries of them: labels beyond count under "other".
  Counter *counter(Metric metric, std::initializer_list<std::string_view> labels);
  // One more, for rare events. Never throws: without memory the event is not counted.
  void count(Metric metric, std::initializer_list<std::string_view> labels) noexcept;
  // Every counter that is not 0.
  std::string text() const;

  static constexpr size_t kMostSeries = 4096;

 private:
  mutable ForkMutex mutex_{ForkMutex::Kind::inner};
  std::map<std::vector<std::string>, std::unique_ptr<Counter>> series_[kMetrics];
};

// `text` as a label's value: quotes, backslashes and line ends escaped.
std::string prometheus_label(std::string_view text);

}  // namespace rayo
