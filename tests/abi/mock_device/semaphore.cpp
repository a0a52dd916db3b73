// SPDX-License-Identifier: Apache-2.0
//
// Timeline semaphores of the mock device.
#include <chrono>

#include "mock.h"

namespace mock {

bool wait_until(Shared &shared, std::unique_lock<std::mutex> &lock, uint64_t timeout_ns,
                const std::function<bool()> &ready) {
  constexpr uint64_t kForEver = uint64_t{1} << 60;  // above: the clock's arithmetic would overflow
  if (timeout_ns < kForEver)
    return shared.changed.wait_for(lock, std::chrono::nanoseconds(static_cast<int64_t>(timeout_ns)), ready);
  shared.changed.wait(lock, ready);
  return true;
}

rayo_status semaphore_create(rayo_device *device, uint64_t initial, rayo_semaphore **out, rayo_error *error) {
  return fence(error, [&] {
    check_usable(*device->shared);
    auto timeline = std::make_shared<Timeline>();
    timeline->reached = timeline->promised = initial;
    *out = new rayo_semaphore{device->shared, std::move(timeline)};
  });
}

void semaphore_destroy(rayo_semaphore *semaphore) {
  if (!forked(*semaphore->shared)) delete semaphore;
}

rayo_status semaphore_query(rayo_semaphore *semaphore, uint64_t *out_value, rayo_error *error) {
  return fence(error, [&] {
    check_usable(*semaphore->shared);
    std::lock_guard lock(semaphore->shared->mutex);
    *out_value = semaphore->timeline->reached;
  });
}

rayo_status semaphore_wait(rayo_semaphore *semaphore, uint64_t value, uint64_t timeout_ns, rayo_error *error) {
  return fence(error, [&] {
    check_usable(*semaphore->shared);
    Shared &shared = *semaphore->shared;
    const Timeline &timeline = *semaphore->timeline;
    std::unique_lock lock(shared.mutex);
    const bool in_time = wait_until(shared, lock, timeout_ns,
                                    [&] { return timeline.reached >= value || timeline.poison || shared.lost; });
    if (timeline.reached >= value) return;
    if (shared.lost) throw Error(RAYO_DEVICE_LOST, "mock0 was lost");
    if (timeline.poison) throw Error(RAYO_CANCELLED, "a semaphore was poisoned: " + timeline.poison->text);
    if (!in_time)
      throw Error(RAYO_TIMEOUT, "semaphore at " + std::to_string(timeline.reached) + " did not reach " +
                                    std::to_string(value) + " within " + std::to_string(timeout_ns) + " ns");
  });
}

rayo_status semaphore_signal(rayo_semaphore *semaphore, uint64_t value, rayo_error *error) {
  return fence(error, [&] {
    check_usable(*semaphore->shared);
    std::lock_guard lock(semaphore->shared->mutex);
    Timeline &timeline = *semaphore->timeline;
    if (value <= timeline.promised)
      throw Error(RAYO_INVALID_ARGUMENT, "signal of " + std::to_string(value) + ": the timeline already has " +
                                             std::to_string(timeline.promised));
    timeline.promised = value;
    if (!timeline.poison) timeline.reached = value;
    semaphore->shared->changed.notify_all();
  });
}

}  // namespace mock
