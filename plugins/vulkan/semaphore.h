// SPDX-License-Identifier: Apache-2.0
//
// Timelines. What fails on a Vulkan device after it was queued is the device itself, so a timeline is poisoned by the
// loss of its device and by nothing else.
#pragma once

#include "device.h"

namespace rayo::vulkan {

struct Timeline {
  Timeline(std::shared_ptr<Device> owner, uint64_t initial);
  ~Timeline();
  Timeline(const Timeline &) = delete;
  Timeline &operator=(const Timeline &) = delete;
  uint64_t value(std::string_view what) const;  // reached by now

  std::shared_ptr<Device> device;
  VkSemaphore handle = VK_NULL_HANDLE;
  // Guarded by device->mutex.
  uint64_t promised;                      // the highest value signalled or submitted
  const rayo_queue *signaller = nullptr;  // the queue that promised it; NULL = the host
};

struct Point {
  std::shared_ptr<Timeline> timeline;
  uint64_t value = 0;
};

VkSemaphore create_timeline(Device &device, uint64_t initial, std::string_view what);
// Waits until the semaphore has the value. False: the time is up. Throws when the device is lost, by the watchdog too:
// it looks after the queues while it waits.
bool wait_until(Device &device, VkSemaphore semaphore, uint64_t value, uint64_t timeout_ns, std::string_view what);

rayo_status semaphore_create(rayo_device *device, uint64_t initial, rayo_semaphore **out, rayo_error *error);
void semaphore_destroy(rayo_semaphore *semaphore);
rayo_status semaphore_query(rayo_semaphore *semaphore, uint64_t *out_value, rayo_error *error);
rayo_status semaphore_wait(rayo_semaphore *semaphore, uint64_t value, uint64_t timeout_ns, rayo_error *error);
rayo_status semaphore_signal(rayo_semaphore *semaphore, uint64_t value, rayo_error *error);

}  // namespace rayo::vulkan

struct rayo_semaphore {
  std::shared_ptr<rayo::vulkan::Timeline> timeline;
};
