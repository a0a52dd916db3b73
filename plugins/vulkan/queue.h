// SPDX-License-Identifier: Apache-2.0
//
// In-order queues. Work is a list of steps; each ends by advancing the queue's own timeline, `progress`. A step runs on
// the device, or on the host: copies that touch host memory are done by the queue's worker thread, which exists only
// where that has happened, and small ones by the caller at once where nothing is in their way.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <span>
#include <thread>

#include "memory.h"
#include "semaphore.h"

namespace rayo::vulkan {

using Clock = std::chrono::steady_clock;

// What recording needs, used again by later steps: command buffers and a descriptor set with what it points to.
struct Slot {
  explicit Slot(Device &owner);
  ~Slot();
  Slot(const Slot &) = delete;
  Slot &operator=(const Slot &) = delete;
  // Piece i's command buffer, begun. reset() comes first.
  void reset();
  VkCommandBuffer begin(size_t piece);

  Device &device;
  VkCommandPool pool = VK_NULL_HANDLE;
  std::vector<VkCommandBuffer> commands;
  VkDescriptorPool descriptors = VK_NULL_HANDLE;
  VkDescriptorSet set = VK_NULL_HANDLE;
  std::array<uint64_t, kBindings> bound{};  // ids of memory; 0 = the dummy
  bool written = false;                     // set has been written
  std::unique_ptr<StepTimes> times;         // of the step; NULL = not timed
};

struct Step {
  std::string op;
  std::vector<std::shared_ptr<Memory>> memory;  // held until done
  std::vector<Point> waits, signals;
  std::unique_ptr<Slot> slot;
  const char *name = "copy";                    // for the trace
  std::atomic<int64_t> begin_ns{0}, end_ns{0};  // of a host step
  uint64_t bytes = 0;                           // that a host step copies
  std::function<void()> host_work;              // a host step; else a device step
  // Of `progress`: done at `last`; pieces reach first, first + 1, ...
  uint64_t first = 0, last = 0;
};

std::vector<Point> points_of(const Device &device, const rayo_point *list, uint32_t count, std::string_view what);

// A slot for the queue's next device step, reset; it has `times` where the queue is traced.
std::unique_ptr<Slot> take_slot(rayo_queue &queue);
// Queue a device step of `pieces` recorded in its slot, or a host step. On failure nothing was queued.
void enqueue_device(rayo_queue &queue, const std::shared_ptr<Step> &step, size_t pieces);
void enqueue_host(rayo_queue &queue, const std::shared_ptr<Step> &step);
// Barriers between what other steps and the host wrote and this one reads, and the other way round.
void begin_barrier(const Device &device, VkCommandBuffer commands);
void end_barrier(const Device &device, VkCommandBuffer commands);
// Declares the device lost when the work at a queue's head has had watchdog_ns without any progress on the device.
void watch_queues(Device &device);
// Destroys retired semaphores where no queue has work, so that nobody waits.
void bury_where_idle(Device &device);
// Tells the trace of what has been done. Called with the lock held.
void tell_rest(rayo_queue &queue);

rayo_status queue_create(rayo_device *device, rayo_queue **out, rayo_error *error);
void queue_destroy(rayo_queue *queue);
rayo_status queue_wait(rayo_queue *queue, uint64_t timeout_ns, rayo_error *error);
rayo_status submit(rayo_queue *queue, const rayo_submit *submit);
rayo_status copy(rayo_queue *queue, const rayo_copy *copy);

}  // namespace rayo::vulkan

struct rayo_queue {
  explicit rayo_queue(std::shared_ptr<rayo::vulkan::Device> owner);
  ~rayo_queue();
  rayo_queue(const rayo_queue &) = delete;
  rayo_queue &operator=(const rayo_queue &) = delete;

  std::shared_ptr<rayo::vulkan::Device> device;
  rayo::vulkan::Lane &lane;
  VkSemaphore progress = VK_NULL_HANDLE;
  // Guarded by device->mutex.
  uint64_t submitted = 0;  // progress when all is done
  std::deque<std::shared_ptr<rayo::vulkan::Step>> steps;
  std::vector<std::unique_ptr<rayo::vulkan::Slot>> free_slots;
  uint64_t seen = 0;                      // progress when the watchdog last looked
  rayo::vulkan::Clock::time_point since;  // when the head may have started
  std::deque<std::shared_ptr<rayo::vulkan::Step>> host_steps;
  bool stop = false;
  uint32_t number = 0;
  rayo::plugin::TraceRow row;
  std::condition_variable changed;
  std::thread worker;
};
