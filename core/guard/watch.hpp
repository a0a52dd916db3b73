// SPDX-License-Identifier: Apache-2.0
//
// What looks at calls while they run: trace, counters, guards. A runtime has one RuntimeWatch; a plan has a CallWatch
// if any of it is on, and otherwise pays for a null pointer.
#pragma once

#include <rayo/plugin.h>

#include <atomic>
#include <memory>

#include "base/log.hpp"
#include "guard/verify_rules.hpp"
#include "trace/metrics.hpp"
#include "trace/trace.hpp"

namespace rayo {

class BoundCall;
class Guard;
class PlanSet;
class Registry;
struct CallRequest;
struct KernelRecord;

struct RuntimeWatch {
  Log log;
  Trace *trace = nullptr;    // nullptr = off
  bool count_calls = false;  // calls and their time; the rarer events are always counted
  Metrics metrics;
  VerifyRules verify;                // of calls that bring none of their own
  std::atomic<uint64_t> seeds{0};    // of samplers
  std::atomic<uint32_t> reports{0};  // written so far
};

// Runs a plan's kernel under the eyes of its runtime. Thread-safe.
class CallWatch {
 public:
  // nullptr when nothing is to be watched. `call` and `kernel` outlive the result. Throws Error for a wrong
  // request.verify.
  static std::unique_ptr<CallWatch> make(const Registry &registry, const std::shared_ptr<PlanSet> &plans,
                                         const CallRequest &request, const BoundCall &call, const KernelRecord &kernel);
  ~CallWatch();

  // Nobody looks at the next call: it may run as it is, and this counts as run() of it.
  bool passes() noexcept {
    const uint32_t left = passing_.load(std::memory_order_relaxed);
    if (left == 0) return false;
    passing_.store(left - 1, std::memory_order_relaxed);
    return true;
  }
  rayo_status run(rayo_kernel_fn fn, const rayo_call &packet) noexcept;

 private:
  CallWatch(RuntimeWatch &runtime, const BoundCall &call, const KernelRecord &kernel);
  void count(int64_t ns, rayo_status status) noexcept;

  std::atomic<uint32_t> passing_{0};  // calls that nobody will look at
  RuntimeWatch &runtime_;
  const BoundCall &call_;
  const KernelRecord &kernel_;
  Counter *calls_ = nullptr;  // nullptr = not counted
  Counter *call_ns_ = nullptr;
  Counter *failures_ = nullptr;
  std::unique_ptr<Guard> guard_;  // null = none
  bool only_samples_ = false;     // nobody but sampled guards looks
};

}  // namespace rayo
