// SPDX-License-Identifier: Apache-2.0
//
// The watchdog: a kernel that does not end must not keep its host waiting for ever. Nobody minds a hanging queue that
// nobody waits for, so it needs no thread: every wait looks, a few times a second.
#include <algorithm>

#include "queue.h"

namespace rayo::vulkan {
namespace {

// Could the step be running? Called with the lock held.
bool may_run(const Step &step) {
  if (step.host_work) return false;
  return std::all_of(step.waits.begin(), step.waits.end(),
                     [](const Point &wait) { return wait.timeline->value("watchdog") >= wait.value; });
}

uint64_t progress_of(Device &device, const rayo_queue &queue) {
  uint64_t value = 0;
  device.check(device.vk.GetSemaphoreCounterValue(device.handle(), queue.progress, &value), "watchdog", "");
  return value;
}

}  // namespace

void watch_queues(Device &device) {
  const std::lock_guard lock(device.mutex);
  const Clock::time_point now = Clock::now();
  bool progressed = false;
  for (rayo_queue *queue : device.queues) {
    const uint64_t reached = progress_of(device, *queue);
    progressed = progressed || reached != queue->seen;
    queue->seen = reached;
  }
  // Queues of ours may share one of the device's: where any advances, none hangs.
  for (rayo_queue *queue : device.queues) {
    const auto head = std::find_if(queue->steps.begin(), queue->steps.end(),
                                   [&](const auto &step) { return step->last > queue->seen; });
    if (progressed || head == queue->steps.end() || !may_run(**head)) {
      queue->since = now;
      continue;
    }
    const auto waited = std::chrono::duration_cast<std::chrono::nanoseconds>(now - queue->since).count();
    if (static_cast<uint64_t>(waited) < device.watchdog_ns) continue;
    device.abandon((*head)->op + " did not end within " + std::to_string(device.watchdog_ns / 1000000) +
                   " ms (watchdog)");
    return;
  }
}

}  // namespace rayo::vulkan
