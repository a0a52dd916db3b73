// SPDX-License-Identifier: Apache-2.0
#include "capi/call_desc.hpp"

#include "base/error.hpp"
#include "capi/runtime.hpp"
#include "capi/structs.hpp"
#include "dispatch/eager.hpp"

namespace rayo {

CallRequest read_call_desc(rayo_runtime *runtime, const rayo_call_desc *desc) {
  if (runtime == nullptr) fail(RAYO_INVALID_ARGUMENT, "runtime is NULL: create one with rayo_runtime_create");
  const rayo_call_desc given = read_struct(desc, RAYO_TYPE_CALL_DESC, "desc");
  CallRequest request = make_request(*runtime, given.op, given.inputs, given.input_count, given.outputs,
                                     given.output_count, given.attrs, given.options);
  request.constant_inputs = given.constant_inputs;
  return request;
}

}  // namespace rayo
