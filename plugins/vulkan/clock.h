// SPDX-License-Identifier: Apache-2.0
//
// The device's clock, and where its zero lies on the host's CLOCK_MONOTONIC: exact with VK_EXT_calibrated_timestamps,
// else estimated once by a submission between two looks at the host's clock.
#pragma once

#include <optional>

#include "driver.h"

namespace rayo::vulkan {

class Device;

class DeviceClock {
 public:
  // Of a device whose queue family has timestamps. Throws what stands in the way.
  explicit DeviceClock(Device &device);
  int64_t host_ns(uint64_t ticks);  // with the device's mutex held

 private:
  void calibrate(int64_t now);
  void estimate();
  int64_t to_ns(uint64_t ticks) const;

  Device &device_;
  uint64_t mask_;
  double period_;  // ns a tick
  // A moment by both clocks. Ticks wrap: what is told lies within half a turn of it.
  uint64_t ticks_ = 0;
  int64_t host_ = 0;
};

// The two ends of a step on the device, as its command buffers write them.
class StepTimes {
 public:
  explicit StepTimes(Device &device);
  ~StepTimes();
  StepTimes(const StepTimes &) = delete;
  StepTimes &operator=(const StepTimes &) = delete;
  void begin(VkCommandBuffer commands) const;  // at the head of the first
  void end(VkCommandBuffer commands) const;    // at the end of the last
  // Of a step that is done. Nothing where the device did not write them.
  std::optional<std::pair<uint64_t, uint64_t>> ticks() const;

 private:
  Device &device_;
  VkQueryPool pool_ = VK_NULL_HANDLE;
};

}  // namespace rayo::vulkan
