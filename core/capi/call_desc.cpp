// SPDX-License-Identifier: Apache-2.0
#include "capi/call_desc.hpp"

#include <algorithm>
#include <cstring>

#include "base/error.hpp"
#include "capi/runtime.hpp"
#include "dispatch/eager.hpp"

namespace rayo {

CallRequest read_call_desc(rayo_runtime *runtime, const rayo_call_desc *desc) {
  if (runtime == nullptr) fail(RAYO_INVALID_ARGUMENT, "runtime is NULL: create one with rayo_runtime_create");
  if (desc == nullptr) fail(RAYO_INVALID_ARGUMENT, "desc is NULL");
  if (desc->struct_type != RAYO_TYPE_CALL_DESC || desc->struct_size < sizeof(rayo_struct)) {
    fail(RAYO_INVALID_ARGUMENT, "desc: not a rayo_call_desc (struct_type {}): start from RAYO_CALL_DESC_INIT",
         desc->struct_type);
  }
  rayo_call_desc given = RAYO_CALL_DESC_INIT;
  std::memcpy(&given, desc, std::min<size_t>(desc->struct_size, sizeof(given)));
  CallRequest request = make_request(*runtime, given.op, given.inputs, given.input_count, given.outputs,
                                     given.output_count, given.attrs, given.options);
  request.constant_inputs = given.constant_inputs;
  return request;
}

}  // namespace rayo
