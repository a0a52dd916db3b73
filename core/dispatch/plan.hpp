// SPDX-License-Identifier: Apache-2.0
//
// A call bound once: validated, a kernel chosen and prepared. Running it again checks that the operands still have the
// bound layout and do not overlap, and jumps.
#pragma once

#include <rayo/plugin.h>
#include <rayo/rayo.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_set>
#include <vector>

#include "dispatch/bind.hpp"
#include "dispatch/overlap.hpp"
#include "dispatch/select.hpp"

namespace rayo {

class Plan;

// The plans of one runtime: destroying the runtime releases their kernels' states while the plugins are still there.
class PlanSet {
 public:
  void add(Plan *plan);
  void remove(Plan *plan);
  void close();  // releases every state; plans answer RAYO_PRECONDITION from here on
  bool closed() const noexcept { return closed_.load(std::memory_order_acquire); }

 private:
  std::mutex mutex_;
  std::unordered_set<Plan *> plans_;
  std::atomic<bool> closed_{false};
};

// What the addresses of these operands ask of a kernel.
Addressing addressing_of(const rayo_tensor *const *inputs, uint32_t input_count, const rayo_tensor *const *outputs,
                         uint32_t output_count) noexcept;

class Plan {
 public:
  // Validates, chooses, prepares. Throws Error; RAYO_UNSUPPORTED lists why each candidate cannot run it.
  Plan(const Registry &registry, std::shared_ptr<PlanSet> set, const CallRequest &request,
       const Addressing &addressing);
  ~Plan();
  Plan(const Plan &) = delete;
  Plan &operator=(const Plan &) = delete;

  // Same count, types, shapes and strides as bound?
  bool matches(const rayo_tensor *const *inputs, uint32_t input_count, const rayo_tensor *const *outputs,
               uint32_t output_count) const noexcept;

  // Runs on operands that match. *out_rebind is set, and nothing done, when the kernel cannot take these addresses (in
  // place, alignment) though another might. Leaves the text of a failure for rayo_last_error.
  rayo_status run(const rayo_tensor *const *inputs, const rayo_tensor *const *outputs, const rayo_executor *executor,
                  bool *out_rebind) const noexcept;

  const BoundCall &call() const { return call_; }
  const KernelRecord &kernel() const { return *kernel_; }
  uint32_t threads() const { return threads_; }
  bool closed() const noexcept { return set_->closed(); }

 private:
  friend class PlanSet;
  struct Place {
    ByteSpan span;
    bool compact = true;
    bool in_place = false;  // inputs: output 0 may be exactly this operand
    bool empty = false;
  };

  void prepare(const Registry &registry, const CallRequest &request, const Addressing &addressing);
  void note_places();
  rayo_status check_places(const void *const *inputs, void *const *outputs, bool *out_rebind) const noexcept;
  rayo_status refuse_overlap(size_t output, const char *other_kind, size_t other) const noexcept;
  void release() noexcept;

  BoundCall call_;
  std::shared_ptr<PlanSet> set_;
  const KernelRecord *kernel_ = nullptr;
  rayo_prepared prepared_{};
  uint32_t threads_ = 1;
  uint32_t alignment_mask_ = 0;
  std::vector<Place> input_places_;
  std::vector<Place> output_places_;
};

}  // namespace rayo
