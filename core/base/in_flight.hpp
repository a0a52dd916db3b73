// SPDX-License-Identifier: Apache-2.0
//
// Calls into plugins that are running now, so that unloading a plugin can wait for them without slowing one. A call
// costs two plain stores to its thread's own cache line at the start and one at the end. The price is the waiter's: it
// has the kernel run a barrier on every core that runs this process (membarrier(2), Linux 4.14 and newer), after which
// either it sees the call or the call sees what the waiter wrote before, for example that its plugin is leaving.
#pragma once

#include <atomic>
#include <cstdint>

namespace rayo {

// One thread's; listed from its first call to its end.
struct ThreadCalls {
  // Odd while in a call, and while the thread is not listed: one test tells the commonest case, a call that is not
  // inside another of a thread that has made one before.
  std::atomic<uint64_t> epoch{1};
  std::atomic<const void *> target{nullptr};  // of the call: a plugin, or kAnyTarget
  bool listed = false;                        // the thread's own
  ThreadCalls *previous = nullptr;            // in the list of all, guarded by its lock
  ThreadCalls *next = nullptr;
};

// A call that may reach any plugin: binding, explaining, guarded calls.
inline constexpr const void *kAnyTarget = &kAnyTarget;

extern constinit thread_local ThreadCalls t_calls __attribute__((tls_model("initial-exec")));

// Stands for the length of a call. What the call reads after the constructor about its plugin is what a waiter wrote,
// or the waiter waits for this call.
class InFlight {
 public:
  explicit InFlight(const void *target) noexcept : calls_(&t_calls) {
    epoch_ = calls_->epoch.load(std::memory_order_relaxed);
    if ((epoch_ & 1) != 0 && !begin(target)) [[unlikely]] {
      calls_ = nullptr;  // inside another: that one stands for it
    } else {
      calls_->target.store(target, std::memory_order_relaxed);
      calls_->epoch.store(epoch_ + 1, std::memory_order_relaxed);
    }
    std::atomic_signal_fence(std::memory_order_seq_cst);
  }
  ~InFlight() {
    if (calls_ != nullptr) calls_->epoch.store(epoch_ + 2, std::memory_order_release);
  }
  InFlight(const InFlight &) = delete;
  InFlight &operator=(const InFlight &) = delete;

 private:
  // Lists the thread and reads the epoch anew; false: this call is inside another of the thread's.
  bool begin(const void *target) noexcept;

  ThreadCalls *calls_;
  uint64_t epoch_;
};

// Throws RAYO_UNSUPPORTED where the kernel has no membarrier, RAYO_PRECONDITION inside a call of this thread's: waiting
// would never end. `what` names the caller in the text.
void check_can_wait_for_calls(const char *what);
// Returns once every call of `target`, and every one of kAnyTarget, that began before this has ended. Blocks; new
// threads may begin and end calls meanwhile. After check_can_wait_for_calls.
void wait_for_calls(const void *target);

}  // namespace rayo
