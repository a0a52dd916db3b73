// SPDX-License-Identifier: Apache-2.0
//
// The application's queues. A plugin's queue wants one thread at a time and lets the caller keep kernel states alive;
// this adds the lock, and a timeline of its own that tells which states are still in use.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "device/buffer.hpp"

namespace rayo {

// A raw semaphore that more than one holder may need.
class RawSemaphore {
 public:
  RawSemaphore(Device &device, uint64_t initial);  // throws Error
  ~RawSemaphore() { device_.api().semaphore_destroy(raw_); }
  RawSemaphore(const RawSemaphore &) = delete;
  RawSemaphore &operator=(const RawSemaphore &) = delete;
  rayo_semaphore *raw() const noexcept { return raw_; }

 private:
  Device &device_;
  rayo_semaphore *raw_ = nullptr;
};

// The end of a queue's work so far.
struct QueueEnd {
  std::shared_ptr<RawSemaphore> semaphore;  // null: nothing was ever queued
  uint64_t value = 0;
};

class Queue final : public DeviceChild {
 public:
  explicit Queue(std::shared_ptr<Device> device);
  ~Queue() override { drop(); }

  static Queue *from(rayo_queue *handle) noexcept { return reinterpret_cast<Queue *>(handle); }
  rayo_queue *handle() noexcept { return reinterpret_cast<rayo_queue *>(this); }

  // Both fill in waits and signals. `keeps` lives until the work is done. `behind`: further points to wait for.
  void submit(rayo_submit work, const rayo_sync *sync, std::shared_ptr<const void> keeps,
              const std::vector<QueueEnd> &behind);
  void copy(rayo_copy work, const rayo_sync *sync);
  void wait(uint64_t timeout_ns);
  QueueEnd end();

 private:
  struct Points;
  void release_raw() noexcept override;
  void retire() noexcept;  // lets go of what is done; with the lock held

  std::mutex mutex_;
  rayo_queue *raw_ = nullptr;
  std::shared_ptr<RawSemaphore> done_;
  uint64_t submitted_ = 0;
  std::deque<std::pair<uint64_t, std::shared_ptr<const void>>> kept_;
};

}  // namespace rayo
