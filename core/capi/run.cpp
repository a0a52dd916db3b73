// SPDX-License-Identifier: Apache-2.0
//
// rayo_run and its kin: eager calls and shape inference at the C boundary.
#include <rayo/rayo.h>

#include <algorithm>

#include "base/error.hpp"
#include "capi/runtime.hpp"
#include "dispatch/eager.hpp"

namespace {

rayo_status no_runtime() noexcept {
  rayo::set_last_error("runtime is NULL: create one with rayo_runtime_create");
  return RAYO_INVALID_ARGUMENT;
}

}  // namespace

extern "C" {

rayo_status rayo_run(rayo_runtime *runtime, rayo_op op, const rayo_tensor *const *inputs, uint32_t input_count,
                     const rayo_tensor *const *outputs, uint32_t output_count, const rayo_attr *attrs) {
  if (runtime == nullptr) return no_runtime();
  return rayo::run_eager(*runtime, op, inputs, input_count, outputs, output_count, attrs, nullptr);
}

rayo_status rayo_run_with(rayo_runtime *runtime, rayo_op op, const rayo_tensor *const *inputs, uint32_t input_count,
                          const rayo_tensor *const *outputs, uint32_t output_count, const rayo_attr *attrs,
                          const rayo_run_options *options) {
  if (runtime == nullptr) return no_runtime();
  return rayo::run_eager(*runtime, op, inputs, input_count, outputs, output_count, attrs, options);
}

rayo_status rayo_infer_shapes(rayo_runtime *runtime, rayo_op op, const rayo_tensor *const *inputs, uint32_t input_count,
                              const rayo_attr *attrs, rayo_shape *out_shapes, uint32_t capacity, uint32_t *out_count) {
  if (runtime == nullptr) return no_runtime();
  return rayo::fence([&] {
    if (out_count == nullptr) rayo::fail(RAYO_INVALID_ARGUMENT, "out_count is NULL");
    const rayo::CallRequest request = rayo::make_request(*runtime, op, inputs, input_count, nullptr, 0, attrs, nullptr);
    const std::vector<rayo::OperandDesc> outputs = rayo::infer_call(*request.registry, request);
    if (outputs.size() > capacity || out_shapes == nullptr) {
      rayo::fail(RAYO_INVALID_ARGUMENT, "room for {} shapes was given, {} has {} outputs",
                 out_shapes == nullptr ? 0 : capacity, rayo_op_name(op), outputs.size());
    }
    for (size_t i = 0; i < outputs.size(); ++i) {
      out_shapes[i] = {};
      out_shapes[i].ndim = outputs[i].ndim;
      out_shapes[i].dtype = outputs[i].dtype;
      std::copy_n(outputs[i].shape, outputs[i].ndim, out_shapes[i].extents);
    }
    *out_count = static_cast<uint32_t>(outputs.size());
  });
}

rayo_status rayo_set_executor(rayo_runtime *runtime, const rayo_executor *executor) {
  if (runtime == nullptr) return no_runtime();
  return rayo::fence([&] {
    if (executor != nullptr && (executor->struct_type != RAYO_TYPE_EXECUTOR || executor->parallel_for == nullptr ||
                                executor->struct_size < sizeof(rayo_executor))) {
      rayo::fail(RAYO_INVALID_ARGUMENT, "executor: not a rayo_executor with a parallel_for (struct_type {})",
                 executor->struct_type);
    }
    if (executor == nullptr && !runtime->pool) {
      runtime->pool = std::make_unique<rayo::ThreadPool>();
    }
    runtime->executor.store(executor == nullptr ? runtime->pool->executor() : executor);
  });
}

}  // extern "C"
