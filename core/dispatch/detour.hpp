// SPDX-License-Identifier: Apache-2.0
//
// What a plan does that is more than a jump into a host kernel on host memory: running on a device, with host operands
// staged there and back; running on the host what lives on a device; and falling back from the first to the second.
#pragma once

#include <rayo/device.h>
#include <rayo/plugin.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "device/device_set.hpp"
#include "device/queue.hpp"
#include "device/staged.hpp"
#include "dispatch/bind.hpp"
#include "dispatch/select.hpp"

namespace rayo {

class Plan;
class PlanSet;

// Where the operands of one call lie. Addresses are for checks of overlap; those of device memory are never followed.
struct Located {
  const void *in[RAYO_MAX_OPERANDS] = {};
  void *out[RAYO_MAX_OPERANDS] = {};
  uintptr_t resident_bits = 0;  // of the addresses that a device kernel sees
};

class Detour {
 public:
  // The kernel of a device. `prepared` is owned from here on; it is released by release() or the destructor.
  Detour(const Registry &registry, std::shared_ptr<PlanSet> set, const BoundCall &call, const CallRequest &request,
         const Candidate &chosen, const rayo_prepared &prepared);
  // A host kernel; `reason` RAYO_FALLBACK_* counts every run as a fallback from where the call belongs. With 0 it was
  // meant, and the candidate's plugin runs it.
  Detour(const Registry &registry, std::shared_ptr<PlanSet> set, const BoundCall &call, const CallRequest &request,
         const Candidate &chosen, uint32_t reason, std::string text);
  ~Detour();
  Detour(const Detour &) = delete;
  Detour &operator=(const Detour &) = delete;

  // Does the tensor live where the bound one did?
  bool lives_right(bool resident, const rayo_tensor *tensor) const noexcept;
  // Throws Error: NULL data, an operand that reaches beyond its buffer.
  Located locate(const rayo_tensor *const *inputs, const rayo_tensor *const *outputs) const;
  // In-place operands that are staged apart need no kernel that works in place.
  bool staged_pair(size_t input, size_t output) const noexcept;

  rayo_status run(const rayo_tensor *const *inputs, const rayo_tensor *const *outputs, const Located &located,
                  const rayo_executor *executor) noexcept;
  // Queues it. `keeps` holds the plan that owns this.
  void submit(Queue &queue, const rayo_tensor *const *inputs, const rayo_tensor *const *outputs, const rayo_sync *sync,
              std::shared_ptr<const void> keeps) const;

  const Device *device() const noexcept { return device_.get(); }  // null: the host runs it
  void release() noexcept;                                         // the kernel's state

 private:
  struct Staged {
    StagedLayout layout;
    OperandDesc given;  // as the caller lays it out
    bool resident = false;
  };
  struct Operands;
  class DeviceRun;
  friend class DeviceRun;
  class HostRun;
  friend class HostRun;

  void note_operands();
  uint32_t fallback_reason(rayo_status status) const noexcept;
  void fall_back(uint32_t reason, const std::string &text, const rayo_tensor *const *inputs,
                 const rayo_tensor *const *outputs, const Located &located, const rayo_executor *executor);
  void count_fallback(uint32_t reason, const std::string &text);
  void run_on_device(const rayo_tensor *const *inputs, const rayo_tensor *const *outputs, const Located &located,
                     bool *out_spoiled);
  Plan &host_plan();
  void run_on_host(const rayo_tensor *const *inputs, const rayo_tensor *const *outputs, const Located &located,
                   const rayo_executor *executor);

  const Registry &registry_;
  std::shared_ptr<PlanSet> set_;
  const BoundCall &call_;
  DeviceSet &devices_;
  uint32_t threads_;
  uint32_t policy_;
  std::string host_device_ = "auto";  // of the call as the host runs it
  std::string belongs_;               // what falls back is counted under this name
  bool may_fall_back_;
  uint32_t bound_reason_ = 0;
  std::string bound_text_;

  std::shared_ptr<Device> device_;  // of the kernel
  const KernelRecord *kernel_ = nullptr;
  rayo_prepared prepared_{};
  std::shared_ptr<const KernelView> view_;
  std::vector<Staged> inputs_;
  std::vector<Staged> outputs_;
  uint64_t largest_ = 0;  // bytes of the largest operand that is staged

  std::atomic<Plan *> host_plan_{nullptr};  // owned; made on first use
};

// The end of the work that wrote a tensor, to be waited for; nothing where tensor->queue is NULL. Throws Error.
QueueEnd written_by(const rayo_tensor *tensor);

}  // namespace rayo
