// SPDX-License-Identifier: Apache-2.0
#include "dispatch/isolated_fallback.hpp"

#include "base/error.hpp"
#include "device/device_set.hpp"
#include "dispatch/host_call.hpp"
#include "dispatch/plan.hpp"

namespace rayo {
namespace {

bool may_fall_back(std::string_view device) {
  const DeviceChoice choice = read_choice(device);
  return choice.fallback || choice.name == "host";
}

}  // namespace

IsolatedFallback::IsolatedFallback(const Registry &registry, std::shared_ptr<PlanSet> set, const CallRequest &request,
                                   const BoundCall &call, const KernelRecord &failed)
    : registry_(registry),
      set_(std::move(set)),
      call_(call),
      failed_(failed),
      devices_(request.devices),
      threads_(request.threads),
      policy_(request.policy),
      allowed_(may_fall_back(request.device)) {}

rayo_status IsolatedFallback::run(rayo_status status, std::string_view why, const void *const *inputs,
                                  void *const *outputs, const rayo_executor *executor) const {
  const char *op = call_.schema().raw->name;
  if (!allowed_) fail(status, "{} on {} ({}): {}", op, failed_.owner->name, failed_.kernel->name, why);
  HostCall host(call_);
  for (size_t i = 0; i < call_.inputs().size(); ++i) {
    if (!call_.inputs()[i].absent()) host.put(i, false, const_cast<void *>(inputs[i]));
  }
  for (size_t o = 0; o < call_.outputs().size(); ++o) host.put(o, true, outputs[o]);
  CallRequest request = host.request(call_);
  request.threads = threads_;
  request.policy = policy_;
  request.devices = devices_;
  request.without = failed_.owner;
  const Plan plan(registry_, set_, request,
                  addressing_of(request.inputs, request.input_count, request.outputs, request.output_count));
  if (devices_ != nullptr) devices_->fallbacks().count(call_.desc().op, failed_.owner->name, RAYO_FALLBACK_WORKER, why);
  set_->watch().metrics.count(Metric::fallbacks,
                              {op, failed_.owner->name, plan.kernel().owner->name, "isolated process failed"});
  bool rebind = false;
  status = plan.run(host.in(), host.out(), executor, &rebind);
  if (rebind)
    fail(RAYO_INTERNAL, "{}: the kernel chosen in place of {}'s refuses its addresses", op, failed_.owner->name);
  return status;
}

}  // namespace rayo
