// SPDX-License-Identifier: Apache-2.0
#include "clock.h"

#include <rayo/plugin_trace.hpp>

#include <cmath>

#include "device.h"

namespace rayo::vulkan {
namespace {

constexpr int64_t kStaleNs = 1'000'000'000;  // clocks drift apart by some 10 us a second at most
constexpr int kTries = 5;

// A command pool with one command buffer that writes one timestamp.
class Probe {
 public:
  explicit Probe(Device &device) : device_(device), times_(device) {
    const VkCommandPoolCreateInfo info{VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO, nullptr, 0,
                                       device.physical().family};
    device.check(device.vk.CreateCommandPool(device.handle(), &info, nullptr, &pool_), "trace", "");
  }
  ~Probe() { device_.vk.DestroyCommandPool(device_.handle(), pool_, nullptr); }
  Probe(const Probe &) = delete;
  Probe &operator=(const Probe &) = delete;

  uint64_t ticks_now() {
    device_.check(device_.vk.ResetCommandPool(device_.handle(), pool_, 0), "trace", "");
    if (commands_ == VK_NULL_HANDLE) {
      VkCommandBufferAllocateInfo info{VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO};
      info.commandPool = pool_;
      info.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY;
      info.commandBufferCount = 1;
      device_.check(device_.vk.AllocateCommandBuffers(device_.handle(), &info, &commands_), "trace", "");
    }
    VkCommandBufferBeginInfo begin{VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
    begin.flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT;
    device_.check(device_.vk.BeginCommandBuffer(commands_, &begin), "trace", "");
    times_.begin(commands_);
    times_.end(commands_);
    device_.check(device_.vk.EndCommandBuffer(commands_), "trace", "");
    VkSubmitInfo submit{VK_STRUCTURE_TYPE_SUBMIT_INFO};
    submit.commandBufferCount = 1;
    submit.pCommandBuffers = &commands_;
    Lane &lane = device_.next_lane();
    const std::lock_guard lock(lane.mutex);
    device_.check(device_.vk.QueueSubmit(lane.queue, 1, &submit, VK_NULL_HANDLE), "trace", "");
    device_.check(device_.vk.QueueWaitIdle(lane.queue), "trace", "");
    const auto ticks = times_.ticks();
    if (!ticks) device_.fail(RAYO_UNSUPPORTED, "trace", "the device wrote no timestamp", "");
    return ticks->first;
  }

 private:
  Device &device_;
  StepTimes times_;
  VkCommandPool pool_ = VK_NULL_HANDLE;
  VkCommandBuffer commands_ = VK_NULL_HANDLE;
};

}  // namespace

DeviceClock::DeviceClock(Device &device)
    : device_(device),
      mask_(device.physical().timestamp_bits >= 64 ? UINT64_MAX
                                                   : (uint64_t{1} << device.physical().timestamp_bits) - 1),
      period_(device.physical().limits.timestampPeriod) {
  device.vk.GetCalibratedTimestampsEXT != nullptr ? calibrate(plugin::monotonic_ns()) : estimate();
}

void DeviceClock::calibrate(int64_t now) {
  const VkCalibratedTimestampInfoEXT clocks[] = {
      {VK_STRUCTURE_TYPE_CALIBRATED_TIMESTAMP_INFO_EXT, nullptr, VK_TIME_DOMAIN_DEVICE_EXT},
      {VK_STRUCTURE_TYPE_CALIBRATED_TIMESTAMP_INFO_EXT, nullptr, VK_TIME_DOMAIN_CLOCK_MONOTONIC_EXT}};
  uint64_t times[2] = {};
  uint64_t deviation = 0;
  device_.check(device_.vk.GetCalibratedTimestampsEXT(device_.handle(), 2, clocks, times, &deviation), "trace", "");
  ticks_ = times[0] & mask_;
  host_ = times[1] != 0 ? static_cast<int64_t>(times[1]) : now;
}

// The middle of the shortest of a few tries: off by half its length at most.
void DeviceClock::estimate() {
  Probe probe(device_);
  int64_t shortest = INT64_MAX;
  for (int i = 0; i < kTries; ++i) {
    const int64_t before = plugin::monotonic_ns();
    const uint64_t ticks = probe.ticks_now();
    const int64_t after = plugin::monotonic_ns();
    if (after - before >= shortest) continue;
    shortest = after - before;
    ticks_ = ticks & mask_;
    host_ = before + shortest / 2;
  }
}

int64_t DeviceClock::host_ns(uint64_t ticks) {
  const int64_t now = plugin::monotonic_ns();
  if (device_.vk.GetCalibratedTimestampsEXT != nullptr && now - host_ > kStaleNs) calibrate(now);
  return to_ns(ticks);
}

int64_t DeviceClock::to_ns(uint64_t ticks) const {
  const uint64_t ahead = (ticks - ticks_) & mask_;
  const uint64_t behind = (ticks_ - ticks) & mask_;
  const double distance = ahead <= behind ? static_cast<double>(ahead) : -static_cast<double>(behind);
  return host_ + std::llround(distance * period_);
}

StepTimes::StepTimes(Device &device) : device_(device) {
  VkQueryPoolCreateInfo info{VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO};
  info.queryType = VK_QUERY_TYPE_TIMESTAMP;
  info.queryCount = 2;
  device.check(device.vk.CreateQueryPool(device.handle(), &info, nullptr, &pool_), "trace", "");
}

StepTimes::~StepTimes() {
  if (!device_.abandoned()) device_.vk.DestroyQueryPool(device_.handle(), pool_, nullptr);
}

void StepTimes::begin(VkCommandBuffer commands) const {
  device_.vk.CmdResetQueryPool(commands, pool_, 0, 2);
  device_.vk.CmdWriteTimestamp(commands, VK_PIPELINE_STAGE_TOP_OF_PIPE_BIT, pool_, 0);
}

void StepTimes::end(VkCommandBuffer commands) const {
  device_.vk.CmdWriteTimestamp(commands, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, pool_, 1);
}

std::optional<std::pair<uint64_t, uint64_t>> StepTimes::ticks() const {
  uint64_t ticks[2] = {};
  const VkResult result = device_.vk.GetQueryPoolResults(device_.handle(), pool_, 0, 2, sizeof ticks, ticks,
                                                         sizeof ticks[0], VK_QUERY_RESULT_64_BIT);
  if (result != VK_SUCCESS) return std::nullopt;
  return std::pair(ticks[0], ticks[1]);
}

}  // namespace rayo::vulkan
