// SPDX-License-Identifier: Apache-2.0
//
// Queues of the mock device: one worker thread each, work in order, failures that poison.
#include <algorithm>
#include <cstring>

#include "mock.h"

namespace mock {
namespace {

using Lock = std::unique_lock<std::mutex>;

// Called with the lock held.
void fail(rayo_queue &queue, const Job &job, const Failure &failure) {
  if (!queue.failure) queue.failure = failure;
  for (const Point &point : job.signals)
    if (!point.timeline->poison) point.timeline->poison = failure;
}

// Why the job may not run, once all it waits for is settled. Called with the lock held; gives it up while waiting.
std::optional<Failure> settle(rayo_queue &queue, const Job &job, Lock &lock) {
  Shared &shared = *queue.shared;
  shared.changed.wait(lock, [&] { return !shared.paused || shared.lost; });
  for (const Point &point : job.waits) {
    const Timeline &timeline = *point.timeline;
    shared.changed.wait(lock, [&] { return timeline.reached >= point.value || timeline.poison || shared.lost; });
    if (timeline.reached < point.value && timeline.poison)
      return Failure{RAYO_CANCELLED, "cancelled after: " + timeline.poison->text};
  }
  if (shared.lost) return Failure{RAYO_DEVICE_LOST, "mock0 was lost"};
  if (queue.failure) return Failure{RAYO_CANCELLED, "cancelled after: " + queue.failure->text};
  return std::nullopt;
}

std::vector<uint64_t> numbers(const std::vector<Point> &points) {
  std::vector<uint64_t> result;
  for (const Point &point : points) result.push_back(rayo::plugin::point_number(point.timeline.get(), point.value));
  return result;
}

void tell_trace(const rayo_queue &queue, const Job &job, int64_t begin) {
  queue.row.add(job.name, begin, rayo::plugin::monotonic_ns(), numbers(job.waits), numbers(job.signals));
}

void run_one(rayo_queue &queue, Job job, Lock &lock) {
  std::optional<Failure> failure = settle(queue, job, lock);
  if (!failure) {
    lock.unlock();
    rayo_error error{};
    const auto start = std::chrono::steady_clock::now();
    const int64_t begin = rayo::plugin::monotonic_ns();
    const rayo_status status = fence(&error, [&] {
      fault_point();
      job.work();
      take_until(start, job.cost_ns);
    });
    if (queue.row) tell_trace(queue, job, begin);
    if (status != RAYO_OK) failure = Failure{status, error.text};
    lock.lock();
    if (status == RAYO_DEVICE_LOST) queue.shared->lost = true;
  }
  if (failure) {
    fail(queue, job, *failure);
  } else {
    for (const Point &point : job.signals)
      if (!point.timeline->poison) point.timeline->reached = point.value;
  }
  lock.unlock();
  job = Job{};  // lets go of what the submission held, which locks
  lock.lock();
}

void work(rayo_queue &queue) {
  Lock lock(queue.shared->mutex);
  for (;;) {
    queue.shared->changed.wait(lock, [&] { return !queue.jobs.empty() || queue.stop; });
    if (queue.jobs.empty()) return;
    Job job = std::move(queue.jobs.front());
    queue.jobs.pop_front();
    queue.busy = true;
    run_one(queue, std::move(job), lock);
    queue.busy = false;
    queue.shared->changed.notify_all();
  }
}

std::vector<Point> points(const Shared &shared, const rayo_point *list, uint32_t count) {
  std::vector<Point> result;
  for (uint32_t i = 0; i < count; ++i) {
    if (list[i].semaphore == nullptr || list[i].semaphore->shared.get() != &shared)
      throw Error(RAYO_INVALID_ARGUMENT, "point " + std::to_string(i) + ": the semaphore is not of this device");
    result.push_back({list[i].semaphore->timeline, list[i].value});
  }
  return result;
}

// Checks the points and queues the job, in one step: a refused job leaves no trace.
void enqueue(rayo_queue *queue, Job job) {
  std::lock_guard lock(queue->shared->mutex);
  for (const Point &wait : job.waits)
    if (wait.value > wait.timeline->promised)
      throw Error(RAYO_PRECONDITION, "wait for " + std::to_string(wait.value) + ": only " +
                                         std::to_string(wait.timeline->promised) + " has been submitted");
  for (const Point &signal : job.signals)
    if (signal.value <= signal.timeline->promised)
      throw Error(RAYO_INVALID_ARGUMENT, "signal of " + std::to_string(signal.value) + ": the timeline already has " +
                                             std::to_string(signal.timeline->promised));
  for (const Point &signal : job.signals) signal.timeline->promised = std::max(signal.timeline->promised, signal.value);
  queue->jobs.push_back(std::move(job));
  queue->shared->changed.notify_all();
}

// Resolves an operand to device memory, and proves that all its elements lie inside.
View resolve(const Shared &shared, const rayo_tensor &tensor, Job &job) {
  if (tensor.buffer == nullptr || tensor.buffer->memory->shared.get() != &shared)
    throw Error(RAYO_INVALID_ARGUMENT, "an operand's buffer is not of this device");
  if (tensor.dl.data != tensor.buffer)
    throw Error(RAYO_INVALID_ARGUMENT, "an operand's dl.data is not its buffer's handle");
  Memory &memory = *tensor.buffer->memory;
  int64_t low = 0, high = 0, compact = 1;
  for (int32_t axis = tensor.dl.ndim; axis-- > 0;) {
    const int64_t extent = tensor.dl.shape[axis];
    if (extent == 0) return {nullptr};
    const int64_t stride = tensor.dl.strides != nullptr ? tensor.dl.strides[axis] : compact;
    (stride < 0 ? low : high) += (extent - 1) * stride;
    compact *= extent;
  }
  const auto size = static_cast<int64_t>(sizeof(float)), offset = static_cast<int64_t>(tensor.dl.byte_offset);
  if (offset + low * size < 0 || offset + (high + 1) * size > static_cast<int64_t>(memory.size))
    throw Error(RAYO_INVALID_ARGUMENT,
                "an operand reaches beyond its buffer of " + std::to_string(memory.size) + " bytes");
  job.held.push_back(tensor.buffer->memory);
  return {reinterpret_cast<float *>(memory.data + offset)};
}

std::byte *place(const Shared &shared, rayo_buffer *buffer, const void *host, uint64_t offset, uint64_t size,
                 Job &job) {
  if (buffer == nullptr && host == nullptr)
    throw Error(RAYO_INVALID_ARGUMENT, "a copy needs a buffer or a host address on each side");
  if (buffer == nullptr) return static_cast<std::byte *>(const_cast<void *>(host)) + offset;
  if (buffer->memory->shared.get() != &shared)
    throw Error(RAYO_INVALID_ARGUMENT, "a copy's buffer is not of this device");
  const uint64_t capacity = buffer->memory->size;
  if (offset > capacity || size > capacity - offset)
    throw Error(RAYO_INVALID_ARGUMENT, "a copy of " + std::to_string(size) + " bytes at " + std::to_string(offset) +
                                           " reaches beyond its buffer of " + std::to_string(capacity) + " bytes");
  job.held.push_back(buffer->memory);
  return buffer->memory->data + offset;
}

}  // namespace

rayo_status queue_create(rayo_device *device, rayo_queue **out, rayo_error *error) {
  return fence(error, [&] {
    check_usable(*device->shared);
    auto queue = std::make_unique<rayo_queue>();
    queue->shared = device->shared;
    {
      std::lock_guard lock(queue->shared->mutex);
      queue->number = queue->shared->numbers.take();
    }
    queue->row = {queue->shared->host, "mock0 queue " + std::to_string(queue->number)};
    queue->worker = std::thread(work, std::ref(*queue));
    *out = queue.release();
  });
}

void queue_destroy(rayo_queue *queue) {
  if (forked(*queue->shared)) return;
  {
    std::lock_guard lock(queue->shared->mutex);
    queue->stop = true;
    queue->shared->changed.notify_all();
  }
  queue->worker.join();
  {
    std::lock_guard lock(queue->shared->mutex);
    queue->shared->numbers.give_back(queue->number);
  }
  delete queue;
}

rayo_status queue_wait(rayo_queue *queue, uint64_t timeout_ns, rayo_error *error) {
  return fence(error, [&] {
    check_usable(*queue->shared);
    Lock lock(queue->shared->mutex);
    if (!wait_until(*queue->shared, lock, timeout_ns, [&] { return queue->jobs.empty() && !queue->busy; }))
      throw Error(RAYO_TIMEOUT, "the queue still has work after " + std::to_string(timeout_ns) + " ns");
    if (!queue->failure) return;
    const Failure failure = *std::exchange(queue->failure, std::nullopt);
    throw Error(failure.status, failure.text);
  });
}

rayo_status submit(rayo_queue *queue, const rayo_submit *submit) {
  return fence(queue->shared->host, [&] {
    check_usable(*queue->shared);
    rayo::plugin::check_extensions(submit->next);
    if (std::find(std::begin(kKernels), std::end(kKernels), submit->kernel) == std::end(kKernels))
      throw Error(RAYO_INVALID_ARGUMENT, "the kernel is not of this plugin");
    const auto *state = static_cast<const State *>(submit->state);
    if (state == nullptr || submit->input_count != state->inputs || submit->output_count != 1)
      throw Error(RAYO_INVALID_ARGUMENT, std::to_string(submit->input_count) + " inputs and " +
                                             std::to_string(submit->output_count) +
                                             " outputs do not fit what was prepared");
    Job job;
    std::vector<View> inputs, outputs;
    for (uint32_t i = 0; i < submit->input_count; ++i)
      inputs.push_back(resolve(*queue->shared, *submit->inputs[i], job));
    for (uint32_t i = 0; i < submit->output_count; ++i)
      outputs.push_back(resolve(*queue->shared, *submit->outputs[i], job));
    job.waits = points(*queue->shared, submit->waits, submit->wait_count);
    job.signals = points(*queue->shared, submit->signals, submit->signal_count);
    job.name = submit->kernel->op;
    job.cost_ns = state->cost_ns;
    job.work = [state, inputs, outputs] { state->run(inputs, outputs); };
    enqueue(queue, std::move(job));
  });
}

rayo_status copy(rayo_queue *queue, const rayo_copy *copy) {
  return fence(queue->shared->host, [&] {
    check_usable(*queue->shared);
    rayo::plugin::check_extensions(copy->next);
    Job job;
    const Shared &shared = *queue->shared;
    std::byte *dst = place(shared, copy->dst_buffer, copy->dst_host, copy->dst_offset, copy->size, job);
    const std::byte *src = place(shared, copy->src_buffer, copy->src_host, copy->src_offset, copy->size, job);
    job.waits = points(shared, copy->waits, copy->wait_count);
    job.signals = points(shared, copy->signals, copy->signal_count);
    job.name = copy->src_buffer == nullptr ? "upload" : copy->dst_buffer == nullptr ? "download" : "copy";
    job.cost_ns = copy_cost(static_cast<double>(copy->size));
    job.work = [dst, src, size = copy->size] { std::memcpy(dst, src, size); };
    enqueue(queue, std::move(job));
  });
}

}  // namespace mock
