// SPDX-License-Identifier: Apache-2.0
#include "guard/watch.hpp"

#include "dispatch/bind.hpp"
#include "dispatch/plan.hpp"
#include "guard/guard.hpp"

namespace rayo {

std::unique_ptr<CallWatch> CallWatch::make(const Registry &registry, const std::shared_ptr<PlanSet> &plans,
                                           const CallRequest &request, const BoundCall &call,
                                           const KernelRecord &kernel) {
  RuntimeWatch &runtime = plans->watch();
  if (!request.watched) return nullptr;
  const VerifyRules rules = request.verify != nullptr ? parse_verify("options.verify", request.verify) : runtime.verify;
  if (runtime.trace == nullptr && !runtime.count_calls && !rules.any()) return nullptr;
  std::unique_ptr<CallWatch> watch(new CallWatch(runtime, call, kernel));
  if (rules.any()) watch->guard_ = std::make_unique<Guard>(runtime, rules, registry, plans, call, kernel);
  watch->only_samples_ = runtime.trace == nullptr && !runtime.count_calls && !watch->guard_->times_calls();
  return watch;
}

CallWatch::~CallWatch() = default;

CallWatch::CallWatch(RuntimeWatch &runtime, const BoundCall &call, const KernelRecord &kernel)
    : runtime_(runtime), call_(call), kernel_(kernel) {
  if (!runtime_.count_calls) return;
  const char *op = call.schema().raw->name;
  const std::string &device = kernel.owner->name;
  calls_ = runtime_.metrics.counter(Metric::calls, {op, device, kernel.kernel->name});
  call_ns_ = runtime_.metrics.counter(Metric::call_ns, {op, device, kernel.kernel->name});
  failures_ = runtime_.metrics.counter(Metric::failures, {op, device, kernel.kernel->name});
}

void CallWatch::count(int64_t ns, rayo_status status) noexcept {
  calls_->fetch_add(1, std::memory_order_relaxed);
  call_ns_->fetch_add(static_cast<uint64_t>(ns), std::memory_order_relaxed);
  if (status != RAYO_OK) failures_->fetch_add(1, std::memory_order_relaxed);
}

rayo_status CallWatch::run(rayo_kernel_fn fn, const rayo_call &packet) noexcept {
  uint32_t due = 0;
  if (guard_ != nullptr) {
    due = guard_->due();
    if (only_samples_) {
      passing_.store(guard_->pass(), std::memory_order_relaxed);
      if (due == 0) return fn(&packet);
    }
  }
  std::unique_ptr<Guard::Round> round;
  if (due != 0) {
    if (const rayo_status status = guard_->begin(due, packet, &round); status != RAYO_OK) return status;
  }
  const bool timed = calls_ != nullptr || (guard_ != nullptr && guard_->times(due));
  int64_t ns = 0;
  rayo_status status = RAYO_OK;
  {
    const Span span(runtime_.trace, SpanKind::call, call_.schema().raw->name, kernel_.owner->name, kernel_.kernel->name,
                    packet.max_threads);
    const int64_t begin = timed ? trace_now() : 0;
    status = fn(&packet);
    if (timed) ns = trace_now() - begin;
  }
  if (calls_ != nullptr) count(ns, status);
  if (status != RAYO_OK || guard_ == nullptr || (round == nullptr && !guard_->times_calls())) return status;
  return guard_->finish(fn, packet, ns, round.get());
}

}  // namespace rayo
