// SPDX-License-Identifier: Apache-2.0
//
// A mutex that a forked child finds unlocked and what it guards whole, whatever the parent's other threads were doing:
// fork() waits until it is free.
#pragma once

#include <cstdint>
#include <mutex>

namespace rayo {

class ForkMutex {
 public:
  // A thread that holds an outer mutex may take an inner one, never the other way round, nor two of one kind.
  enum class Kind : uint8_t { outer, inner };

  explicit ForkMutex(Kind kind);
  ~ForkMutex();
  ForkMutex(const ForkMutex &) = delete;
  ForkMutex &operator=(const ForkMutex &) = delete;

  void lock() { mutex_.lock(); }
  bool try_lock() { return mutex_.try_lock(); }
  void unlock() { mutex_.unlock(); }

 private:
  friend class ForkMutexes;
  std::mutex mutex_;
  Kind kind_;
  ForkMutex *previous_ = nullptr;  // in the list of all, guarded by its lock
  ForkMutex *next_ = nullptr;
};

}  // namespace rayo
