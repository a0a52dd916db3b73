// SPDX-License-Identifier: Apache-2.0
//
// What every call goes through, inline: some hundred instructions for two operands and a result.
#pragma once

#include <cstddef>
#include <cstring>

#include "dispatch/plan.hpp"
#include "dispatch/scratch.hpp"
#include "loader/launch_marks.hpp"

namespace rayo {

// The operand's address if it is compact memory of the host with the bound type and shape; null if it is not, or may
// not be.
[[gnu::always_inline]] inline const void *Plan::fast_address(const FastOperand &bound,
                                                             const rayo_tensor *tensor) noexcept {
  static_assert(offsetof(DLTensor, dtype) == offsetof(DLTensor, ndim) + 4 && sizeof(DLDataType) == 4);
  if (tensor == nullptr || tensor->struct_type != RAYO_TYPE_TENSOR) return nullptr;
  const DLTensor &dl = tensor->dl;
  uint64_t rank_and_type;
  std::memcpy(&rank_and_type, &dl.ndim, sizeof rank_and_type);
  if (rank_and_type != bound.rank_and_type || dl.device.device_type != kDLCPU) return nullptr;
  if (dl.strides != nullptr && !bound_strides(bound, dl.strides)) return nullptr;
  if (bound.ndim > 0) {
    if (dl.shape == nullptr || dl.shape[0] != bound.extents[0]) return nullptr;
    if (bound.ndim > 1) {
      if (dl.shape[1] != bound.extents[1]) return nullptr;
      for (int32_t i = 2; i < bound.ndim; ++i) {
        if (dl.shape[i] != bound.shape[i]) return nullptr;
      }
    }
  }
  return dl.data == nullptr ? nullptr : static_cast<const char *>(dl.data) + dl.byte_offset;
}

template <bool kPassed>
[[gnu::always_inline]] inline rayo_status Plan::call_kernel(const void *const *in, void *const *out,
                                                            const rayo_executor *executor) const noexcept {
  const Scratch scratch(prepared_.workspace_size, prepared_.workspace_alignment);
  if (scratch.failed()) [[unlikely]]
    return no_workspace();
  const rayo_call packet{in, out, prepared_.state, scratch.get(), executor, threads_, 0};
  rayo_status status = RAYO_OK;
  {
    const LaunchGuard guard(launch_mark_);
    const bool unwatched = kPassed || watch_ == nullptr || watch_->passes();
    status = unwatched ? prepared_.fn(&packet) : watch_->run(prepared_.fn, packet);
  }
  return status == RAYO_OK ? RAYO_OK : kernel_failed(status, in, out, executor);
}

[[gnu::always_inline]] inline bool Plan::run_fast(const rayo_tensor *const *inputs, uint32_t input_count,
                                                  const rayo_tensor *const *outputs, uint32_t output_count,
                                                  const rayo_executor *executor,
                                                  rayo_status *out_status) const noexcept {
  if (fast_inputs_ == UINT32_MAX || input_count != fast_inputs_ || output_count != 1) return false;
  const InFlight in_flight(kernel_->owner);
  if (unloaded()) [[unlikely]]
    return false;
  const void *in[RAYO_MAX_OPERANDS];
  const FastOperand *bound = fast_.data();
  void *out = const_cast<void *>(fast_address(bound[input_count], outputs[0]));
  if (out == nullptr) return false;
  const auto out_at = reinterpret_cast<uintptr_t>(out);
  const uint64_t out_bytes = bound[input_count].bytes;
  uintptr_t bits = out_at;
  for (uint32_t i = 0; i < input_count; ++i) {
    in[i] = fast_address(bound[i], inputs[i]);
    const auto at = reinterpret_cast<uintptr_t>(in[i]);
    bits |= at;
    if (in[i] == nullptr) return false;
    if ((at - out_at < out_bytes || out_at - at < bound[i].bytes) && !(at == out_at && bound[i].in_place)) return false;
  }
  if ((bits & alignment_mask_) != 0) return false;
  // Who looks may run other plugins: not in flight here.
  if (watch_ != nullptr && !watch_->passes()) return false;
  *out_status = call_kernel<true>(in, &out, executor);
  return true;
}

}  // namespace rayo
