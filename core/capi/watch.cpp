// SPDX-License-Identifier: Apache-2.0
//
// Trace and counters at the C boundary.
#include <rayo/rayo.h>

#include <algorithm>
#include <cstring>

#include "base/error.hpp"
#include "capi/runtime.hpp"

namespace {

using namespace rayo;

// The counters, and what a runtime is made of.
std::string metrics_of(const rayo_runtime &runtime) {
  std::string text = runtime.plans->watch().metrics.text();
  text += "# HELP rayo_plugins Plugin files found, by verdict.\n# TYPE rayo_plugins gauge\n";
  constexpr const char *kStates[] = {"ready", "rejected", "quarantined", "unloaded"};
  for (const uint32_t state :
       {RAYO_PLUGIN_READY, RAYO_PLUGIN_REJECTED, RAYO_PLUGIN_QUARANTINED, RAYO_PLUGIN_UNLOADED}) {
    const auto &plugins = runtime.registry->plugins();
    const auto count =
        std::count_if(plugins.begin(), plugins.end(), [state](const auto &each) { return each->state_now() == state; });
    text += fmt::format("rayo_plugins{{state=\"{}\"}} {}\n", kStates[state], count);
  }
  text += fmt::format("# HELP rayo_threads Threads that a call may use.\n# TYPE rayo_threads gauge\nrayo_threads {}\n",
                      runtime.threads.load(std::memory_order_relaxed));
  if (const Trace *trace = runtime.plans->watch().trace; trace != nullptr) {
    text += fmt::format(
        "# HELP rayo_trace_dropped_total Spans that found their buffer full.\n# TYPE rayo_trace_dropped_total counter\n"
        "rayo_trace_dropped_total {}\n",
        trace->dropped());
  }
  return text;
}

}  // namespace

extern "C" {

rayo_status rayo_trace_flush(rayo_runtime *runtime) {
  return fence([&] {
    if (runtime == nullptr) fail(RAYO_INVALID_ARGUMENT, "runtime is NULL");
    if (runtime->plans->watch().trace != nullptr) runtime->plans->watch().trace->flush();
  });
}

size_t rayo_metrics_text(const rayo_runtime *runtime, char *buf, size_t cap) {
  if (buf != nullptr && cap > 0) buf[0] = '\0';
  if (runtime == nullptr) return 0;
  std::string text;
  if (fence([&] { text = metrics_of(*runtime); }) != RAYO_OK) return 0;
  if (buf != nullptr && cap > 0) {
    const size_t length = std::min(text.size(), cap - 1);
    std::memcpy(buf, text.data(), length);
    buf[length] = '\0';
  }
  return text.size();
}

}  // extern "C"
