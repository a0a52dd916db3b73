// SPDX-License-Identifier: Apache-2.0
#include "bind.h"

namespace rayo::cuda {

int64_t ceil_div(int64_t a, int64_t b) { return a / b + (a % b != 0 ? 1 : 0); }

int64_t count_of(const rayo_tensor_desc &tensor) {
  int64_t count = 1;
  for (int32_t axis = 0; axis < tensor.ndim; ++axis) count *= tensor.shape[axis];
  return count;
}

bool has_input(const rayo_op_desc &desc, uint32_t index) {
  return index < desc.input_count && desc.inputs[index] != nullptr && desc.inputs[index]->dtype.bits != 0;
}

int64_t grid_for(const Shared &shared, int64_t items, int64_t per_block) {
  // 16 blocks of 128 to 256 threads fill a multiprocessor; twice that evens out the last wave.
  return std::min<int64_t>(ceil_div(items, per_block), static_cast<int64_t>(shared.sms) * 32);
}

void release_state(rayo_instance *, void *state) noexcept { delete static_cast<State *>(state); }

}  // namespace rayo::cuda
