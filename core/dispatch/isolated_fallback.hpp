// SPDX-License-Identifier: Apache-2.0
//
// Where a call of an isolated plugin goes when its worker process failed: to the next kernel of the host, unless that
// plugin alone was asked for.
#pragma once

#include <memory>
#include <string_view>

#include "dispatch/bind.hpp"

namespace rayo {

class PlanSet;

class IsolatedFallback {
 public:
  IsolatedFallback(const Registry &registry, std::shared_ptr<PlanSet> set, const CallRequest &request,
                   const BoundCall &call, const KernelRecord &failed);

  // Runs the call on these operands (of logical element 0 each) and counts it with the reason. Throws Error: `status`
  // and the reason, where the call may not fall back, or that no other kernel takes it.
  rayo_status run(rayo_status status, std::string_view why, const void *const *inputs, void *const *outputs,
                  const rayo_executor *executor) const;

 private:
  const Registry &registry_;
  const std::shared_ptr<PlanSet> set_;
  const BoundCall &call_;
  const KernelRecord &failed_;
  DeviceSet *const devices_;
  const uint32_t threads_;
  const uint32_t policy_;
  const bool allowed_;
};

}  // namespace rayo
