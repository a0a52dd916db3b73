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
#include <unordered_set>
#include <vector>

#include "base/fork_mutex.hpp"
#include "base/in_flight.hpp"
#include "dispatch/bind.hpp"
#include "dispatch/detour.hpp"
#include "dispatch/isolated_fallback.hpp"
#include "dispatch/overlap.hpp"
#include "dispatch/select.hpp"
#include "guard/watch.hpp"

namespace rayo {

class Plan;
struct TableChoice;

// The plans of one runtime: destroying the runtime releases their kernels' states while the plugins are still there.
class PlanSet {
 public:
  // `executor`: the runtime's, for work that its queues run.
  explicit PlanSet(const std::atomic<const rayo_executor *> *executor) : executor_(executor) {}
  const std::atomic<const rayo_executor *> *executor() const noexcept { return executor_; }
  RuntimeWatch &watch() noexcept { return watch_; }
  void add(Plan *plan);
  void remove(Plan *plan);
  void close();  // releases every state; plans answer RAYO_PRECONDITION from here on
  // The same for the plans of one plugin, which is leaving and which no call is using any more.
  void release_of(const PluginRecord &plugin);
  bool closed() const noexcept { return closed_.load(std::memory_order_acquire); }

 private:
  const std::atomic<const rayo_executor *> *executor_;
  ForkMutex mutex_{ForkMutex::Kind::outer};
  RuntimeWatch watch_;  // here, for the plans that outlive their runtime
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

  // (dispatch/plan_fast.hpp) matches and run in one pass over the operands, for the calls that need nothing else:
  // compact operands in host memory, one output, nobody looking. False, and nothing done, when this call is not one of
  // those, or is wrong: matches and run tell. True: *out_status as from run.
  bool run_fast(const rayo_tensor *const *inputs, uint32_t input_count, const rayo_tensor *const *outputs,
                uint32_t output_count, const rayo_executor *executor, rayo_status *out_status) const noexcept;

  uint32_t fast_inputs() const noexcept { return fast_inputs_; }  // UINT32_MAX: run_fast is not for this plan

  // Runs on operands that match. *out_rebind is set, and nothing done, when the kernel cannot take these addresses (in
  // place, alignment) though another might, or when its plugin was unloaded. Leaves the text of a failure for
  // rayo_last_error.
  rayo_status run(const rayo_tensor *const *inputs, const rayo_tensor *const *outputs, const rayo_executor *executor,
                  bool *out_rebind) const noexcept;

  const BoundCall &call() const { return call_; }
  const KernelRecord &kernel() const { return *kernel_; }
  uint32_t threads() const { return threads_; }
  const rayo_prepared &prepared() const { return prepared_; }
  // Not a plain call of a host kernel on host memory: null if it is.
  const Detour *detour() const { return detour_.get(); }
  // Queues it on a device; `self` keeps this plan. Throws Error; *out_rebind as in run.
  void submit(Queue &queue, const rayo_tensor *const *inputs, const rayo_tensor *const *outputs, const rayo_sync *sync,
              std::shared_ptr<const void> self, bool *out_rebind) const;
  bool automatic() const { return automatic_; }                  // no device was asked for
  const TableChoice *profile_choice() const { return choice_; }  // when it was bound; null = none
  bool closed() const noexcept { return set_->closed(); }
  bool unloaded() const noexcept { return kernel_->owner->leaving.load(std::memory_order_relaxed); }
  // Throws RAYO_PRECONDITION once its runtime or its plugin is gone. For calls that use the kernel: while in flight.
  void check_usable() const;

 private:
  friend class PlanSet;
  struct Place {
    ByteSpan span;
    bool compact = true;
    bool in_place = false;  // inputs: output 0 may be exactly this operand
    bool empty = false;
  };

  // What run_fast compares an operand with, in one or two cache lines.
  struct FastOperand {
    uint64_t rank_and_type = 0;  // as DLTensor's ndim and dtype lie in memory
    int64_t extents[2] = {1, 1};
    const int64_t *shape = nullptr;
    const int64_t *strides = nullptr;
    int32_t ndim = 0;
    bool in_place = false;  // the kernel takes this operand's address as the output's
    uint64_t bytes = 0;
  };

  void prepare(const Registry &registry, const CallRequest &request, const Addressing &addressing);
  rayo_status try_prepare(const Registry &registry, const CallRequest &request, const Candidate &candidate,
                          std::string *out_why);
  void note_places();
  void note_fast();
  static bool bound_strides(const FastOperand &bound, const int64_t *strides) noexcept;
  static const void *fast_address(const FastOperand &bound, const rayo_tensor *tensor) noexcept;
  rayo_status no_workspace() const noexcept;
  rayo_status kernel_failed(rayo_status status, const void *const *inputs, void *const *outputs,
                            const rayo_executor *executor) const noexcept;
  // kPassed: the call has passed those who look.
  template <bool kPassed>
  rayo_status call_kernel(const void *const *in, void *const *out, const rayo_executor *executor) const noexcept;
  bool matches_detour(const rayo_tensor *const *inputs, const rayo_tensor *const *outputs) const noexcept;
  rayo_status run_detour(const rayo_tensor *const *inputs, const rayo_tensor *const *outputs,
                         const rayo_executor *executor, bool *out_rebind) const noexcept;
  void submit_to_host(Queue &queue, const rayo_tensor *const *inputs, const rayo_tensor *const *outputs,
                      const rayo_sync *sync, std::shared_ptr<const void> self, bool *out_rebind) const;
  rayo_status find_places(const rayo_tensor *const *inputs, const rayo_tensor *const *outputs, Located *out_located,
                          bool *out_rebind) const noexcept;
  // Surely no operand meets an output: what check_places would find at more length.
  bool apart(const void *const *inputs, void *const *outputs) const noexcept;
  rayo_status check_places(const void *const *inputs, void *const *outputs, bool *out_rebind) const noexcept;
  rayo_status refuse_overlap(size_t output, const char *other_kind, size_t other) const noexcept;
  void release() noexcept;
  // What its calls stand for while they are in flight: its plugin alone, where no other can be involved.
  const void *flight_target() const noexcept {
    return detour_ == nullptr && watch_ == nullptr ? kernel_->owner : kAnyTarget;
  }

  BoundCall call_;
  std::shared_ptr<PlanSet> set_;
  const KernelRecord *kernel_ = nullptr;
  rayo_prepared prepared_{};
  uint32_t threads_ = 1;
  bool automatic_ = true;
  const TableChoice *choice_ = nullptr;
  uint32_t alignment_mask_ = 0;
  uint32_t launch_mark_ = 0;           // with the call's line (loader/launch_marks.hpp)
  uint32_t fast_inputs_ = UINT32_MAX;  // their number, where run_fast may be tried
  std::vector<FastOperand> fast_;      // the inputs, then the output
  std::vector<Place> input_places_;
  std::vector<Place> output_places_;
  std::unique_ptr<Detour> detour_;
  std::unique_ptr<IsolatedFallback> fallback_;  // of a kernel in another process
  std::unique_ptr<CallWatch> watch_;            // null = nobody looks
  bool released_ = false;                       // guarded by the set's lock
};

}  // namespace rayo
