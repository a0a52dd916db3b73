// SPDX-License-Identifier: Apache-2.0
#include "queue.h"

#include <signal.h>

#include <algorithm>

namespace rayo::vulkan {
namespace {

// Progress now. Called with the device's lock or without.
uint64_t progress_of(const rayo_queue &queue) {
  uint64_t value = 0;
  Device &device = *queue.device;
  device.check(device.vk.GetSemaphoreCounterValue(device.handle(), queue.progress, &value), "queue", "");
  return value;
}

std::vector<uint64_t> numbers(const std::vector<Point> &points) {
  std::vector<uint64_t> result;
  for (const Point &point : points) result.push_back(plugin::point_number(point.timeline.get(), point.value));
  return result;
}

// A finished step's place in the trace. Called with the lock held.
void tell_trace(const rayo_queue &queue, const Step &step) {
  int64_t begin = step.begin_ns, end = step.end_ns;
  if (!step.host_work) {
    DeviceClock *clock = queue.device->clock();
    const auto ticks = clock != nullptr && step.slot->times ? step.slot->times->ticks() : std::nullopt;
    if (!ticks) return;
    begin = clock->host_ns(ticks->first);
    end = clock->host_ns(ticks->second);
  }
  queue.row.add(step.name, begin, end, numbers(step.waits), numbers(step.signals));
}

// Lets go of what finished steps hold. Called with the lock held.
void reap(rayo_queue &queue) {
  const uint64_t reached = progress_of(queue);
  while (!queue.steps.empty() && queue.steps.front()->last <= reached) {
    if (queue.row) tell_trace(queue, *queue.steps.front());
    if (queue.steps.front()->slot) queue.free_slots.push_back(std::move(queue.steps.front()->slot));
    queue.steps.pop_front();
  }
}

// Called with the lock held: a refused step leaves no trace.
void check_points(const Device &device, const Step &step) {
  for (const Point &wait : step.waits)
    if (wait.value > wait.timeline->promised)
      device.fail(RAYO_PRECONDITION, step.op,
                  "wait for " + std::to_string(wait.value) + ": only " + std::to_string(wait.timeline->promised) +
                      " has been submitted",
                  "submit the signal first");
  for (const Point &signal : step.signals)
    if (signal.value <= signal.timeline->promised)
      device.fail(RAYO_INVALID_ARGUMENT, step.op,
                  "signal of " + std::to_string(signal.value) + ": the timeline already has " +
                      std::to_string(signal.timeline->promised),
                  "signal a larger value");
}

// Timelines grow only: a signal comes after those that another queue, or the host, promised before it.
std::vector<Point> waits_with_order(const rayo_queue &queue, const Step &step) {
  std::vector<Point> waits = step.waits;
  for (const Point &signal : step.signals)
    if (signal.timeline->signaller != &queue) waits.push_back({signal.timeline, signal.timeline->promised});
  return waits;
}

void promise(rayo_queue &queue, const std::shared_ptr<Step> &step) {
  for (const Point &signal : step->signals) {
    signal.timeline->promised = std::max(signal.timeline->promised, signal.value);
    signal.timeline->signaller = &queue;
  }
  if (queue.steps.empty()) queue.since = Clock::now();
  queue.submitted = step->last;
  queue.steps.push_back(step);
}

// For a test: a submission that waits for what nobody signals, as a kernel without end would keep everybody waiting.
bool made_to_hang(Device &device) {
  if (++device.faults.submissions != device.faults.hang_at) return false;
  if (device.stall == VK_NULL_HANDLE) device.stall = create_timeline(device, 0, "hang (injected)");
  device.stalled = true;
  return true;
}

void signal_from_host(Device &device, VkSemaphore semaphore, uint64_t value) {
  const VkSemaphoreSignalInfo info{VK_STRUCTURE_TYPE_SEMAPHORE_SIGNAL_INFO, nullptr, semaphore, value};
  device.check(device.vk.SignalSemaphore(device.handle(), &info), "copy", "");
}

void run_host_step(rayo_queue &queue, Step &step, const std::vector<Point> &waits) {
  Device &device = *queue.device;
  wait_until(device, queue.progress, step.first - 1, UINT64_MAX, step.op);
  for (const Point &wait : waits) wait_until(device, wait.timeline->handle, wait.value, UINT64_MAX, step.op);
  if (queue.row) step.begin_ns = plugin::monotonic_ns();
  step.host_work();
  if (queue.row) step.end_ns = plugin::monotonic_ns();
  for (const Point &signal : step.signals) signal_from_host(device, signal.timeline->handle, signal.value);
  signal_from_host(device, queue.progress, step.last);
}

// Copies up to this size may be done on the caller's thread: they take about as long as waking the worker does.
constexpr uint64_t kInlineBytes = uint64_t{128} << 10;

// Work of a lost device that still runs is given this long.
constexpr uint64_t kLastWaitNs = 2000000000;

bool wait_without_questions(rayo_queue &queue, uint64_t value) {
  VkSemaphoreWaitInfo info{VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO};
  info.semaphoreCount = 1;
  info.pSemaphores = &queue.progress;
  info.pValues = &value;
  return queue.device->vk.WaitSemaphores(queue.device->handle(), &info, kLastWaitNs) != VK_TIMEOUT;
}

void let_go(rayo_queue &queue, uint64_t before, uint64_t value) {
  if (!wait_without_questions(queue, before)) return;
  const VkSemaphoreSignalInfo info{VK_STRUCTURE_TYPE_SEMAPHORE_SIGNAL_INFO, nullptr, queue.progress, value};
  queue.device->vk.SignalSemaphore(queue.device->handle(), &info);
}

// True: nothing of the queue is in use any more.
bool drain(rayo_queue &queue) {
  Device &device = *queue.device;
  fence(static_cast<rayo_error *>(nullptr),
        [&] { wait_until(device, queue.progress, queue.submitted, UINT64_MAX, "queue_destroy"); });
  if (!device.lost()) return true;
  device.end_stall();
  return !device.abandoned() && wait_without_questions(queue, queue.submitted);
}

void work(rayo_queue &queue) {
  for (;;) {
    std::shared_ptr<Step> step;
    {
      std::unique_lock lock(queue.device->mutex);
      queue.changed.wait(lock, [&] { return queue.stop || !queue.host_steps.empty(); });
      if (queue.host_steps.empty()) return;
      step = std::move(queue.host_steps.front());
      queue.host_steps.pop_front();
    }
    const rayo_status status =
        fence(static_cast<rayo_error *>(nullptr), [&] { run_host_step(queue, *step, step->waits); });
    // The device is lost, which whoever asks next is told. What was queued behind must not wait for ever.
    if (status != RAYO_OK) let_go(queue, step->first - 1, step->last);
  }
}

// Called with the lock held. Signals belong to the application's threads.
void start_worker(rayo_queue &queue) {
  if (queue.worker.joinable()) return;
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    queue.worker = std::thread(work, std::ref(queue));
  } catch (...) {
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    throw;
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void barrier(const Device &device, VkCommandBuffer commands, VkPipelineStageFlags from, VkAccessFlags written,
             VkPipelineStageFlags to, VkAccessFlags used) {
  const VkMemoryBarrier all{VK_STRUCTURE_TYPE_MEMORY_BARRIER, nullptr, written, used};
  device.vk.CmdPipelineBarrier(commands, from, to, 0, 1, &all, 0, nullptr, 0, nullptr);
}

constexpr VkPipelineStageFlags kWork = VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT;
constexpr VkAccessFlags kWrites = VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT;
constexpr VkAccessFlags kReads = VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_TRANSFER_READ_BIT;

}  // namespace

void begin_barrier(const Device &device, VkCommandBuffer commands) {
  barrier(device, commands, kWork | VK_PIPELINE_STAGE_HOST_BIT, kWrites | VK_ACCESS_HOST_WRITE_BIT, kWork,
          kReads | kWrites);
}

void end_barrier(const Device &device, VkCommandBuffer commands) {
  barrier(device, commands, kWork, kWrites, VK_PIPELINE_STAGE_HOST_BIT, VK_ACCESS_HOST_READ_BIT);
}

void tell_rest(rayo_queue &queue) {
  fence(static_cast<rayo_error *>(nullptr), [&] { reap(queue); });
}

void bury_where_idle(Device &device) {
  if (device.lost()) return;
  fence(static_cast<rayo_error *>(nullptr), [&] {
    const std::lock_guard lock(device.mutex);
    for (const rayo_queue *queue : device.queues)
      if (progress_of(*queue) < queue->submitted) return;
    device.bury();
  });
}

std::vector<Point> points_of(const Device &device, const rayo_point *list, uint32_t count, std::string_view what) {
  std::vector<Point> points;
  for (uint32_t i = 0; i < count; ++i) {
    if (list[i].semaphore == nullptr || list[i].semaphore->timeline->device.get() != &device)
      device.fail(RAYO_INVALID_ARGUMENT, what, "point " + std::to_string(i) + ": the semaphore is not of this device",
                  "use semaphores of the queue's device");
    const auto same = std::find_if(points.begin(), points.end(),
                                   [&](const Point &p) { return p.timeline == list[i].semaphore->timeline; });
    if (same == points.end()) {
      points.push_back({list[i].semaphore->timeline, list[i].value});
    } else {
      same->value = std::max(same->value, list[i].value);
    }
  }
  return points;
}

std::unique_ptr<Slot> take_slot(rayo_queue &queue) {
  std::unique_ptr<Slot> slot;
  bool timed = false;
  {
    const std::lock_guard lock(queue.device->mutex);
    reap(queue);
    if (!queue.free_slots.empty()) {
      slot = std::move(queue.free_slots.back());
      queue.free_slots.pop_back();
    }
    timed = queue.row && queue.device->clock() != nullptr;
  }
  if (!slot) slot = std::make_unique<Slot>(*queue.device);
  if (timed && !slot->times) slot->times = std::make_unique<StepTimes>(*queue.device);
  slot->reset();
  return slot;
}

void enqueue_device(rayo_queue &queue, const std::shared_ptr<Step> &step, size_t pieces) {
  Device &device = *queue.device;
  const std::lock_guard lock(device.mutex);
  check_points(device, *step);
  step->first = queue.submitted + 1;
  step->last = queue.submitted + pieces;
  // A host step is ordered by its value; device steps by the barriers at their ends.
  std::vector<VkSemaphore> waits, signals;
  std::vector<uint64_t> wait_values, signal_values;
  const auto wait_for = [&](VkSemaphore semaphore, uint64_t value) {
    waits.push_back(semaphore);
    wait_values.push_back(value);
  };
  if (queue.submitted > 0) wait_for(queue.progress, queue.submitted);
  for (const Point &p : waits_with_order(queue, *step)) wait_for(p.timeline->handle, p.value);
  if (made_to_hang(device)) wait_for(device.stall, 1);
  for (const Point &p : step->signals) {
    signals.push_back(p.timeline->handle);
    signal_values.push_back(p.value);
  }
  signals.push_back(queue.progress);
  signal_values.push_back(step->last);
  const std::vector<VkPipelineStageFlags> stages(waits.size(), VK_PIPELINE_STAGE_ALL_COMMANDS_BIT);
  std::vector<uint64_t> piece_values(pieces);
  for (size_t i = 0; i < pieces; ++i) piece_values[i] = step->first + i;

  std::vector<VkSubmitInfo> batches(pieces, {VK_STRUCTURE_TYPE_SUBMIT_INFO});
  std::vector<VkTimelineSemaphoreSubmitInfo> values(pieces, {VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO});
  for (size_t i = 0; i < pieces; ++i) {
    const bool is_first = i == 0, is_last = i + 1 == pieces;
    values[i].waitSemaphoreValueCount = is_first ? static_cast<uint32_t>(waits.size()) : 0;
    values[i].pWaitSemaphoreValues = wait_values.data();
    values[i].signalSemaphoreValueCount = is_last ? static_cast<uint32_t>(signals.size()) : 1;
    values[i].pSignalSemaphoreValues = is_last ? signal_values.data() : &piece_values[i];
    batches[i].pNext = &values[i];
    batches[i].waitSemaphoreCount = values[i].waitSemaphoreValueCount;
    batches[i].pWaitSemaphores = waits.data();
    batches[i].pWaitDstStageMask = stages.data();
    batches[i].commandBufferCount = 1;
    batches[i].pCommandBuffers = &step->slot->commands[i];
    batches[i].signalSemaphoreCount = values[i].signalSemaphoreValueCount;
    batches[i].pSignalSemaphores = is_last ? signals.data() : &queue.progress;
  }
  {
    const std::lock_guard lane(queue.lane.mutex);
    device.check(device.vk.QueueSubmit(queue.lane.queue, static_cast<uint32_t>(pieces), batches.data(), VK_NULL_HANDLE),
                 step->op, "wait for the queue, then try again");
  }
  promise(queue, step);
}

void enqueue_host(rayo_queue &queue, const std::shared_ptr<Step> &step) {
  Device &device = *queue.device;
  bool now = false;
  {
    const std::lock_guard lock(device.mutex);
    check_points(device, *step);
    reap(queue);
    step->first = step->last = queue.submitted + 1;
    const std::vector<Point> waits = waits_with_order(queue, *step);
    now = step->bytes <= kInlineBytes && queue.steps.empty() &&
          std::all_of(waits.begin(), waits.end(), [](const Point &p) { return p.timeline->value("copy") >= p.value; });
    step->waits = waits;
    if (!now) start_worker(queue);
    promise(queue, step);
    if (!now) queue.host_steps.push_back(step);
  }
  if (now) {
    run_host_step(queue, *step, {});
  } else {
    queue.changed.notify_one();
  }
}

// ---- The device API ------------------------------------------------------------------------------------------------

rayo_status queue_create(rayo_device *device, rayo_queue **out, rayo_error *error) {
  return fence(error, [&] {
    device->device->enter("queue_create");
    auto queue = std::make_unique<rayo_queue>(device->device);
    const std::lock_guard lock(device->device->mutex);
    queue->number = device->device->numbers.take();
    queue->row = {device->device->host(),
                  std::string(device->device->id()) + " queue " + std::to_string(queue->number)};
    if (queue->row) device->device->start_clock();
    device->device->queues.push_back(queue.get());
    *out = queue.release();
  });
}

void queue_destroy(rayo_queue *queue) {
  if (queue == nullptr || queue->device->forked()) return;
  delete queue;
}

rayo_status queue_wait(rayo_queue *queue, uint64_t timeout_ns, rayo_error *error) {
  return fence(error, [&] {
    Device &device = *queue->device;
    device.enter("queue_wait");
    if (!wait_until(device, queue->progress, queue->submitted, timeout_ns, "queue_wait"))
      device.fail(RAYO_TIMEOUT, "queue_wait", "work is left after " + std::to_string(timeout_ns) + " ns",
                  "wait longer");
    const std::lock_guard lock(device.mutex);
    reap(*queue);
  });
}

}  // namespace rayo::vulkan

rayo_queue::rayo_queue(std::shared_ptr<rayo::vulkan::Device> owner)
    : device(std::move(owner)),
      lane(device->next_lane()),
      progress(rayo::vulkan::create_timeline(*device, 0, "queue_create")),
      since(rayo::vulkan::Clock::now()) {}

rayo_queue::~rayo_queue() {
  if (!rayo::vulkan::drain(*this)) device->abandon("a queue's work did not end");
  {
    const std::lock_guard lock(device->mutex);
    stop = true;
    std::erase(device->queues, this);
    device->numbers.give_back(number);
  }
  changed.notify_one();
  if (worker.joinable()) worker.join();
  if (row && !device->lost()) {
    const std::lock_guard lock(device->mutex);
    rayo::vulkan::tell_rest(*this);
  }
  steps.clear();
  free_slots.clear();
  device->retire(progress);
  bury_where_idle(*device);
}
