// SPDX-License-Identifier: Apache-2.0
//
// A call run again on the scalar plugin, into memory of its own.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "dispatch/bind.hpp"
#include "dispatch/plan.hpp"

namespace rayo {

class Reference {
 public:
  // All outlive the reference.
  Reference(const Registry &registry, std::shared_ptr<PlanSet> plans, const BoundCall &call, const KernelRecord &judged)
      : registry_(registry), plans_(std::move(plans)), call_(call), judged_(judged) {}

  // Why this call has no reference; "" if it has one. Binds on first use. Throws bad_alloc.
  const std::string &missing();
  uint32_t numerics() const { return plan_->kernel().kernel->numerics; }

  // The outputs as dense bytes. The inputs have the layouts that the call was bound with. Throws Error, bad_alloc.
  std::vector<std::vector<char>> run(const void *const *inputs, const rayo_executor *executor) const;
  // The same on the magnitudes of the inputs and of the real attributes: sum |a||b| of ops that accumulate.
  std::vector<char> magnitudes(const void *const *inputs, const rayo_executor *executor) const;

 private:
  std::unique_ptr<Plan> bind(bool magnitudes) const;
  std::vector<std::vector<char>> run_plan(const Plan &plan, const void *const *inputs,
                                          const rayo_executor *executor) const;

  const Registry &registry_;
  std::shared_ptr<PlanSet> plans_;
  const BoundCall &call_;
  const KernelRecord &judged_;
  std::once_flag bound_;
  std::string missing_;
  std::unique_ptr<Plan> plan_;
};

}  // namespace rayo
