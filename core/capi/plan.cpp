// SPDX-License-Identifier: Apache-2.0
//
// Plans at the C boundary.
#include <rayo/rayo.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "base/error.hpp"
#include "capi/call_desc.hpp"
#include "capi/plan.hpp"
#include "capi/runtime.hpp"
#include "dispatch/plan_fast.hpp"

namespace {

// Every other call.
[[gnu::noinline]] rayo_status run_plan(rayo_plan *plan, const rayo_tensor *const *inputs,
                                       const rayo_tensor *const *outputs) noexcept {
  if (plan == nullptr || inputs == nullptr || outputs == nullptr) {
    rayo::set_last_error(plan == nullptr ? "plan is NULL" : "inputs or outputs is NULL");
    return RAYO_INVALID_ARGUMENT;
  }
  const rayo::Plan &bound = plan->plan;
  if (bound.closed()) {
    rayo::set_last_error("the plan's runtime was destroyed");
    return RAYO_PRECONDITION;
  }
  const auto input_count = static_cast<uint32_t>(bound.call().inputs().size());
  const auto output_count = static_cast<uint32_t>(bound.call().outputs().size());
  bool rebind = false;
  if (bound.matches(inputs, input_count, outputs, output_count)) {
    const rayo_status status =
        bound.run(inputs, outputs, plan->runtime->executor.load(std::memory_order_relaxed), &rebind);
    if (!rebind) return status;
  }
  return rayo::fence([&] {
    bound.check_usable();
    rayo::fail(RAYO_PRECONDITION, "{}: {}; create another plan for these operands", bound.call().schema().raw->name,
               rebind ? "the plan's kernel cannot work on these addresses (in place or alignment)"
                      : "type, shape or strides of an operand differ from what the plan was bound to");
  });
}

}  // namespace

extern "C" {

rayo_status rayo_plan_create(rayo_runtime *runtime, const rayo_call_desc *desc, rayo_plan **out_plan) {
  return rayo::fence([&] {
    if (out_plan == nullptr) rayo::fail(RAYO_INVALID_ARGUMENT, "out_plan is NULL");
    const rayo::CallRequest request = rayo::read_call_desc(runtime, desc);
    const rayo::Addressing addressing =
        rayo::addressing_of(request.inputs, request.inputs == nullptr ? 0 : request.input_count, request.outputs,
                            request.outputs == nullptr ? 0 : request.output_count);
    auto plan = std::make_shared<rayo_plan>(runtime, *request.registry, runtime->plans, request, addressing);
    *out_plan = plan.get();
    plan->self = std::move(plan);
  });
}

void rayo_plan_destroy(rayo_plan *plan) {
  if (plan != nullptr) plan->self.reset();
}

rayo_status rayo_plan_run(rayo_plan *plan, const rayo_tensor *const *inputs, const rayo_tensor *const *outputs) {
  if (plan != nullptr && inputs != nullptr && outputs != nullptr && !plan->plan.closed()) [[likely]] {
    rayo_status status = RAYO_OK;
    const rayo_executor *executor = plan->runtime->executor.load(std::memory_order_relaxed);
    if (plan->plan.run_fast(inputs, plan->plan.fast_inputs(), outputs, 1, executor, &status)) return status;
  }
  return run_plan(plan, inputs, outputs);
}

}  // extern "C"
