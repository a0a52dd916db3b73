// SPDX-License-Identifier: Apache-2.0
#include "trace/metrics.hpp"

#include <array>
#include <mutex>

#include "base/error.hpp"

namespace rayo {
namespace {

struct Family {
  const char *name;
  std::array<const char *, 4> labels;  // ended by nullptr where there are fewer
  const char *help;
  bool nanoseconds = false;  // shown in seconds
};

// In the order of Metric.
constexpr Family kFamilies[kMetrics] = {
    {"rayo_calls_total", {"op", "device", "kernel"}, "Calls that reached a kernel."},
    {"rayo_call_seconds_total", {"op", "device", "kernel"}, "Time spent in kernels.", true},
    {"rayo_call_failures_total", {"op", "device", "kernel"}, "Calls whose kernel answered with an error."},
    {"rayo_fallbacks_total", {"op", "from", "to", "reason"}, "Calls that ran elsewhere than on the first choice."},
    {"rayo_guard_checks_total", {"guard", "op", "device"}, "Calls that a run-time guard looked at."},
    {"rayo_guard_findings_total", {"guard", "op", "device"}, "Calls that a run-time guard objected to."},
    {"rayo_guard_skipped_total", {"guard", "op", "reason"}, "Calls that a run-time guard could not judge."},
    {"rayo_guard_partial_total", {"guard", "op", "device"}, "Calls of which a run-time guard judged a part."},
};

}  // namespace

std::string prometheus_label(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

Counter *Metrics::counter(Metric metric, std::initializer_list<std::string_view> labels) {
  std::vector<std::string> key(labels.begin(), labels.end());
  const std::lock_guard lock(mutex_);
  auto &series = series_[static_cast<size_t>(metric)];
  auto at = series.find(key);
  if (at == series.end() && series.size() >= kMostSeries) {
    key.assign(key.size(), "other");
    at = series.find(key);
  }
  if (at == series.end()) at = series.emplace(std::move(key), std::make_unique<Counter>(0)).first;
  return at->second.get();
}

void Metrics::count(Metric metric, std::initializer_list<std::string_view> labels) noexcept {
  try {
    counter(metric, labels)->fetch_add(1, std::memory_order_relaxed);
  } catch (...) {
    return;
  }
}

std::string Metrics::text() const {
  std::string out;
  const std::lock_guard lock(mutex_);
  for (size_t i = 0; i < kMetrics; ++i) {
    const Family &family = kFamilies[i];
    bool headed = false;
    for (const auto &[labels, counter] : series_[i]) {
      const uint64_t value = counter->load(std::memory_order_relaxed);
      if (value == 0) continue;
      if (!headed) out += fmt::format("# HELP {0} {1}\n# TYPE {0} counter\n", family.name, family.help);
      headed = true;
      out += family.name;
      for (size_t l = 0; l < labels.size(); ++l) {
        out += fmt::format("{}{}=\"{}\"", l == 0 ? "{" : ",", family.labels[l], prometheus_label(labels[l]));
      }
      out += family.nanoseconds ? fmt::format("}} {:.9f}\n", static_cast<double>(value) * 1e-9)
                                : fmt::format("}} {}\n", value);
    }
  }
  return out;
}

}  // namespace rayo
