// SPDX-License-Identifier: Apache-2.0
//
// Timeline semaphores, and waiting on the host.
#include <sched.h>

#include <algorithm>
#include <chrono>

#include "device.h"

namespace rayo::cuda {

bool wait_until(Shared &shared, std::unique_lock<std::mutex> &lock, uint64_t timeout_ns,
                const std::function<bool()> &ready) {
  using Clock = std::chrono::steady_clock;
  using std::chrono::microseconds;
  constexpr uint64_t kForEver = uint64_t{1} << 60;  // above: the clock's arithmetic would overflow
  constexpr int kEager = 200;                       // looks before the first sleep: some 100 us
  const auto begin = Clock::now();
  const auto left = [&] {
    if (timeout_ns >= kForEver) return microseconds(1000);
    const auto passed = std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - begin);
    const auto rest = std::chrono::nanoseconds(static_cast<int64_t>(timeout_ns)) - passed;
    return std::chrono::duration_cast<microseconds>(rest) + microseconds(rest.count() > 0 ? 1 : 0);
  };
  const Current current(shared);
  for (int look = 0;; ++look) {
    if (ready()) return true;
    const microseconds rest = left();
    if (rest.count() <= 0) return false;
    if (look < kEager) {
      lock.unlock();
      sched_yield();
      lock.lock();
    } else {
      shared.changed.wait_for(lock, std::min(rest, microseconds(std::min(look - kEager + 10, 200))));
    }
  }
}

rayo_status semaphore_create(rayo_device *device, uint64_t initial, rayo_semaphore **out, rayo_error *error) {
  return fence(error, [&] {
    device->shared->check_usable();
    auto timeline = std::make_shared<Timeline>();
    timeline->reached = timeline->promised = initial;
    *out = new rayo_semaphore{device->shared, std::move(timeline)};
  });
}

void semaphore_destroy(rayo_semaphore *semaphore) {
  if (!semaphore->shared->forked()) delete semaphore;
}

rayo_status semaphore_query(rayo_semaphore *semaphore, uint64_t *out_value, rayo_error *error) {
  return fence(error, [&] {
    Shared &shared = *semaphore->shared;
    shared.check_usable();
    const Current current(shared);
    const std::lock_guard lock(shared.mutex);
    shared.advance(*semaphore->timeline);
    if (shared.lost) throw Error(shared.lost->status, shared.lost->text);
    *out_value = semaphore->timeline->reached;
  });
}

rayo_status semaphore_wait(rayo_semaphore *semaphore, uint64_t value, uint64_t timeout_ns, rayo_error *error) {
  return fence(error, [&] {
    Shared &shared = *semaphore->shared;
    shared.check_usable();
    Timeline &timeline = *semaphore->timeline;
    std::unique_lock lock(shared.mutex);
    wait_until(shared, lock, timeout_ns, [&] {
      shared.advance(timeline);
      return timeline.reached >= value || timeline.poison_from <= value || shared.lost;
    });
    if (timeline.reached >= value) return;
    if (shared.lost) throw Error(shared.lost->status, shared.lost->text);
    if (timeline.poison_from <= value)
      throw Error(RAYO_CANCELLED, "a semaphore was poisoned: " + timeline.poison->text);
    throw Error(RAYO_TIMEOUT, "semaphore at " + std::to_string(timeline.reached) + " did not reach " +
                                  std::to_string(value) + " within " + std::to_string(timeout_ns) + " ns");
  });
}

rayo_status semaphore_signal(rayo_semaphore *semaphore, uint64_t value, rayo_error *error) {
  return fence(error, [&] {
    Shared &shared = *semaphore->shared;
    shared.check_usable();
    const std::lock_guard lock(shared.mutex);
    Timeline &timeline = *semaphore->timeline;
    if (value <= timeline.promised)
      throw Error(RAYO_INVALID_ARGUMENT, "signal of " + std::to_string(value) + ": the timeline already has " +
                                             std::to_string(timeline.promised));
    timeline.promised = value;
    if (value < timeline.poison_from) timeline.reached = value;
    shared.changed.notify_all();
  });
}

}  // namespace rayo::cuda
