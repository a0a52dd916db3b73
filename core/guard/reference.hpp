// SPDX-License-Identifier: Apache-2.0
//
// A call, or a piece of one, run again on the scalar plugin into memory of its own.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "dispatch/bind.hpp"
#include "dispatch/plan.hpp"
#include "guard/cut.hpp"

namespace rayo {

class Reference {
 public:
  // Of the whole call; with `cut`, of a piece of it. All but `cut` outlive the reference.
  Reference(const Registry &registry, std::shared_ptr<PlanSet> plans, const BoundCall &call, const KernelRecord &judged,
            const Cut *cut = nullptr);

  // Why this call has no reference; "" if it has one. Binds on first use. Throws bad_alloc.
  const std::string &missing();
  // From here on, after missing() has returned "".
  uint32_t numerics() const { return plan_->kernel().kernel->numerics; }
  // The call as it is bound: the inputs as below, the outputs compact.
  const BoundCall &bound() const { return plan_->call(); }

  // Operands in the layouts of the judged call.
  const std::vector<OperandDesc> &inputs() const { return inputs_; }
  const std::vector<OperandDesc> &outputs() const { return outputs_; }

  // The outputs as dense bytes. Throws Error, bad_alloc.
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
  std::vector<OperandDesc> inputs_;
  std::vector<OperandDesc> outputs_;
  std::once_flag bound_;
  std::string missing_;
  std::unique_ptr<Plan> plan_;
};

}  // namespace rayo
