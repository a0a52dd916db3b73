// SPDX-License-Identifier: Apache-2.0
#include "semaphore.h"

#include <algorithm>

#include "queue.h"

namespace rayo::vulkan {
namespace {

// How long a wait sleeps before it looks whether the device was lost or a queue hangs. It wakes at once when the value
// is reached.
constexpr uint64_t kSliceNs = 20000000;

}  // namespace

VkSemaphore create_timeline(Device &device, uint64_t initial, std::string_view what) {
  VkSemaphoreTypeCreateInfo type{VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO};
  type.semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE;
  type.initialValue = initial;
  const VkSemaphoreCreateInfo info{VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO, &type, 0};
  VkSemaphore made = VK_NULL_HANDLE;
  device.check(device.vk.CreateSemaphore(device.handle(), &info, nullptr, &made), what, "destroy semaphores");
  return made;
}

Timeline::Timeline(std::shared_ptr<Device> owner, uint64_t initial)
    : device(std::move(owner)), handle(create_timeline(*device, initial, "semaphore_create")), promised(initial) {}

Timeline::~Timeline() { device->retire(handle); }

uint64_t Timeline::value(std::string_view what) const {
  uint64_t reached = 0;
  device->check(device->vk.GetSemaphoreCounterValue(device->handle(), handle, &reached), what, "");
  return reached;
}

bool wait_until(Device &device, VkSemaphore semaphore, uint64_t value, uint64_t timeout_ns, std::string_view what) {
  const auto start = Clock::now();
  VkSemaphoreWaitInfo info{VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO};
  info.semaphoreCount = 1;
  info.pSemaphores = &semaphore;
  info.pValues = &value;
  for (;;) {
    const auto gone =
        static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - start).count());
    const uint64_t left = gone >= timeout_ns ? 0 : timeout_ns - gone;
    const VkResult result = device.vk.WaitSemaphores(device.handle(), &info, std::min(left, kSliceNs));
    device.check(result, what, "");
    if (result == VK_SUCCESS) return true;
    device.throw_if_lost(what);
    watch_queues(device);
    device.throw_if_lost(what);
    if (left == 0) return false;
  }
}

rayo_status semaphore_create(rayo_device *device, uint64_t initial, rayo_semaphore **out, rayo_error *error) {
  return fence(error, [&] {
    device->device->enter("semaphore_create");
    auto timeline = std::make_shared<Timeline>(device->device, initial);
    *out = new rayo_semaphore{std::move(timeline)};
  });
}

void semaphore_destroy(rayo_semaphore *semaphore) {
  if (semaphore == nullptr || semaphore->timeline->device->forked()) return;
  const std::shared_ptr<Device> device = semaphore->timeline->device;
  delete semaphore;
  bury_where_idle(*device);
}

rayo_status semaphore_query(rayo_semaphore *semaphore, uint64_t *out_value, rayo_error *error) {
  return fence(error, [&] {
    semaphore->timeline->device->enter("semaphore_query");
    *out_value = semaphore->timeline->value("semaphore_query");
  });
}

rayo_status semaphore_wait(rayo_semaphore *semaphore, uint64_t value, uint64_t timeout_ns, rayo_error *error) {
  return fence(error, [&] {
    constexpr std::string_view kWhat = "semaphore_wait";
    const std::shared_ptr<Timeline> timeline = semaphore->timeline;
    Device &device = *timeline->device;
    device.enter(kWhat);
    if (!wait_until(device, timeline->handle, value, timeout_ns, kWhat))
      device.fail(RAYO_TIMEOUT, kWhat,
                  "at " + std::to_string(timeline->value(kWhat)) + ", " + std::to_string(value) +
                      " was not reached within " + std::to_string(timeout_ns) + " ns",
                  "wait longer");
  });
}

rayo_status semaphore_signal(rayo_semaphore *semaphore, uint64_t value, rayo_error *error) {
  return fence(error, [&] {
    constexpr std::string_view kWhat = "semaphore_signal";
    const std::shared_ptr<Timeline> timeline = semaphore->timeline;
    Device &device = *timeline->device;
    device.enter(kWhat);
    uint64_t before = 0;
    {
      const std::lock_guard lock(device.mutex);
      before = timeline->promised;
      if (value <= before)
        device.fail(RAYO_INVALID_ARGUMENT, kWhat,
                    "value " + std::to_string(value) + ": the timeline already has " + std::to_string(before),
                    "signal a larger one");
      timeline->promised = value;
      timeline->signaller = nullptr;
    }
    // Values come in order: what queues have promised, first.
    wait_until(device, timeline->handle, before, UINT64_MAX, kWhat);
    const VkSemaphoreSignalInfo info{VK_STRUCTURE_TYPE_SEMAPHORE_SIGNAL_INFO, nullptr, timeline->handle, value};
    device.check(device.vk.SignalSemaphore(device.handle(), &info), kWhat, "");
  });
}

}  // namespace rayo::vulkan
