// SPDX-License-Identifier: Apache-2.0
#include "base/fork_mutex.hpp"

#include <pthread.h>

namespace rayo {

// All mutexes of this process. The list is threaded through them: joining it needs no memory.
class ForkMutexes {
 public:
  static ForkMutexes &get() {
    static auto *all = new ForkMutexes;  // never destroyed: some mutexes never are
    return *all;
  }
  void add(ForkMutex *mutex) {
    const std::lock_guard lock(mutex_);
    mutex->next_ = first_;
    if (first_ != nullptr) first_->previous_ = mutex;
    first_ = mutex;
  }
  void remove(ForkMutex *mutex) {
    const std::lock_guard lock(mutex_);
    (mutex->previous_ != nullptr ? mutex->previous_->next_ : first_) = mutex->next_;
    if (mutex->next_ != nullptr) mutex->next_->previous_ = mutex->previous_;
  }

 private:
  ForkMutexes() {
    ::pthread_atfork([] { get().lock_all(); }, [] { get().unlock_all(); }, [] { get().unlock_all(); });
  }
  void lock_all() {
    mutex_.lock();
    for (const ForkMutex::Kind kind : {ForkMutex::Kind::outer, ForkMutex::Kind::inner}) {
      for (ForkMutex *each = first_; each != nullptr; each = each->next_) {
        if (each->kind_ == kind) each->mutex_.lock();
      }
    }
  }
  void unlock_all() {
    for (ForkMutex *each = first_; each != nullptr; each = each->next_) each->mutex_.unlock();
    mutex_.unlock();
  }

  std::mutex mutex_;
  ForkMutex *first_ = nullptr;
};

ForkMutex::ForkMutex(Kind kind) : kind_(kind) { ForkMutexes::get().add(this); }
ForkMutex::~ForkMutex() { ForkMutexes::get().remove(this); }

}  // namespace rayo
