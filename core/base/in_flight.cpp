// SPDX-License-Identifier: Apache-2.0
#include "base/in_flight.hpp"

#include <linux/membarrier.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <mutex>
#include <new>
#include <thread>
#include <vector>

#include "base/error.hpp"

namespace rayo {
namespace {

long membarrier(int command) noexcept { return ::syscall(SYS_membarrier, command, 0, 0); }

// The threads that have ever been in a call and have not ended.
class Threads {
 public:
  static Threads &get() {
    static auto *all = new Threads;  // never destroyed: threads may outlive static destructors
    return *all;
  }

  void add(ThreadCalls *calls) noexcept {
    const std::lock_guard lock(mutex_);
    calls->previous = nullptr;
    calls->next = first_;
    if (first_ != nullptr) first_->previous = calls;
    first_ = calls;
    calls->listed = true;
    calls->epoch.store(2, std::memory_order_relaxed);
  }

  void remove(ThreadCalls *calls) noexcept {
    const std::lock_guard lock(mutex_);
    if (!calls->listed) return;
    (calls->previous != nullptr ? calls->previous->next : first_) = calls->next;
    if (calls->next != nullptr) calls->next->previous = calls->previous;
    calls->listed = false;
    calls->epoch.store(1, std::memory_order_relaxed);
  }

  void wait(const void *target) {
    membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
    // A thread's calls are looked up in the list at each turn: it may have ended, and its memory be gone.
    struct Running {
      const ThreadCalls *thread;
      uint64_t epoch;
    };
    std::vector<Running> running;
    {
      const std::lock_guard lock(mutex_);
      for (ThreadCalls *each = first_; each != nullptr; each = each->next) {
        if (const uint64_t epoch = busy_with(*each, target); epoch != 0) running.push_back({each, epoch});
      }
    }
    auto pause = std::chrono::microseconds(20);
    while (!running.empty()) {
      {
        const std::lock_guard lock(mutex_);
        std::erase_if(running, [&](const Running &one) {
          for (ThreadCalls *each = first_; each != nullptr; each = each->next) {
            if (each == one.thread) return each->epoch.load(std::memory_order_acquire) != one.epoch;
          }
          return true;
        });
      }
      if (running.empty()) return;
      std::this_thread::sleep_for(pause);
      pause = std::min(pause * 2, std::chrono::microseconds(2000));
    }
  }

 private:
  Threads() {
    ::pthread_atfork([] { get().mutex_.lock(); }, [] { get().mutex_.unlock(); }, [] { get().after_fork(); });
  }
  // Only the forking thread is in the child.
  void after_fork() noexcept {
    mutex_.unlock();
    first_ = t_calls.listed ? &t_calls : nullptr;
    t_calls.previous = t_calls.next = nullptr;
  }

  // The epoch of a call of `target`, 0 = none.
  static uint64_t busy_with(const ThreadCalls &calls, const void *target) noexcept {
    const uint64_t epoch = calls.epoch.load(std::memory_order_acquire);
    if ((epoch & 1) == 0) return 0;
    const void *what = calls.target.load(std::memory_order_relaxed);
    return what == target || what == kAnyTarget ? epoch : 0;
  }

  std::mutex mutex_;
  ThreadCalls *first_ = nullptr;
};

struct ThreadEnd {
  ~ThreadEnd() { Threads::get().remove(&t_calls); }
};

}  // namespace

constinit thread_local ThreadCalls t_calls;

bool InFlight::begin(const void *target) noexcept {
  if (calls_->listed) {
    // Until the outermost call ends.
    if (calls_->target.load(std::memory_order_relaxed) != target) {
      calls_->target.store(kAnyTarget, std::memory_order_relaxed);
    }
    return false;
  }
  thread_local ThreadEnd end;
  (void)end;
  Threads::get().add(calls_);
  epoch_ = calls_->epoch.load(std::memory_order_relaxed);
  return true;
}

void check_can_wait_for_calls(const char *what) {
  if (t_calls.listed && (t_calls.epoch.load(std::memory_order_relaxed) & 1) != 0) {
    fail(RAYO_PRECONDITION, "{} was called from inside a call of this thread's, whose end it would wait for", what);
  }
  if (membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) != 0) {
    fail(RAYO_UNSUPPORTED,
         "{} needs membarrier(2), which this system (Linux before 4.14, or a sandbox) refuses; destroy the runtime "
         "instead",
         what);
  }
}

void wait_for_calls(const void *target) { Threads::get().wait(target); }

}  // namespace rayo
