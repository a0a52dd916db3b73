// SPDX-License-Identifier: Apache-2.0
//
// Queues of the host device: one thread each, work in order, failures that poison.
#include <pthread.h>
#include <unistd.h>

#include <csignal>

#include "device/host_device_types.hpp"
#include "dispatch/scratch.hpp"
#include "trace/trace.hpp"

namespace rayo::host_device {
namespace {

using Lock = std::unique_lock<std::mutex>;

// Why the job may not run, once all it waits for is settled. Called with the lock held; gives it up while waiting.
Failure settle(rayo_queue &queue, const Job &job, Lock &lock) {
  for (const Point &point : job.waits) {
    const Timeline &timeline = *point.timeline;
    queue.shared->changed.wait(lock,
                               [&] { return timeline.reached >= point.value || timeline.poison.status != RAYO_OK; });
    if (timeline.reached < point.value) return {RAYO_CANCELLED, "cancelled after: " + timeline.poison.text};
  }
  if (queue.failure.status != RAYO_OK) return {RAYO_CANCELLED, "cancelled after: " + queue.failure.text};
  return {};
}

Failure run_kernel(const Job &job) {
  const HostWork &work = *job.kernel;
  const Scratch scratch(work.workspace_size, work.workspace_alignment);
  if (scratch.failed()) {
    return {RAYO_OUT_OF_MEMORY, "no memory for a workspace of " + std::to_string(work.workspace_size) + " bytes"};
  }
  const rayo_call packet{job.inputs.data(),
                         job.outputs.data(),
                         work.state,
                         scratch.get(),
                         work.executor->load(std::memory_order_relaxed),
                         work.threads,
                         0};
  const rayo_status status = work.fn(&packet);
  return status == RAYO_OK ? Failure{} : Failure{status, std::string(last_error())};
}

std::vector<uint64_t> numbers(const std::vector<Point> &points) {
  std::vector<uint64_t> result;
  for (const Point &point : points) result.push_back(point_number(point.timeline.get(), point.value));
  return result;
}

void tell_trace(const rayo_queue &queue, const Job &job, int64_t begin) noexcept {
  fence([&] {
    const Shared &shared = *queue.shared;
    const bool copies = job.kernel == nullptr;
    TraceEvent event = trace_event(copies ? SpanKind::copy : SpanKind::call, copies ? job.copy : job.kernel->op, begin,
                                   trace_now(), queue.track);
    copy_text(event.device, shared.id);
    if (!copies) {
      copy_text(event.kernel, job.kernel->kernel);
      event.threads = static_cast<uint16_t>(job.kernel->threads);
    }
    shared.trace->add_work(event, numbers(job.waits), numbers(job.signals));
  });
}

void run_one(rayo_queue &queue, Job job, Lock &lock) {
  Failure failure = settle(queue, job, lock);
  if (failure.status == RAYO_OK) {
    lock.unlock();
    const Shared &shared = *queue.shared;
    const int64_t begin = shared.trace != nullptr ? trace_now() : 0;
    if (job.kernel != nullptr) {
      failure = run_kernel(job);
    } else if (job.bytes != 0) {
      std::memcpy(job.outputs[0], job.inputs[0], job.bytes);
    }
    if (shared.trace != nullptr) tell_trace(queue, job, begin);
    lock.lock();
  }
  if (failure.status != RAYO_OK && queue.failure.status == RAYO_OK) queue.failure = failure;
  for (const Point &point : job.signals) {
    Timeline &timeline = *point.timeline;
    if (timeline.poison.status != RAYO_OK) continue;
    if (failure.status != RAYO_OK) {
      timeline.poison = failure;
    } else {
      timeline.reached = point.value;
    }
  }
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

std::vector<Point> points(const rayo_point *list, uint32_t count) {
  std::vector<Point> result;
  for (uint32_t i = 0; i < count; ++i) result.push_back({list[i].semaphore->timeline, list[i].value});
  return result;
}

// Checks the points and queues the job, in one step: a refused job leaves no trace.
void enqueue(rayo_queue *queue, Job job) {
  const std::lock_guard lock(queue->shared->mutex);
  for (const Point &wait : job.waits) {
    if (wait.value > wait.timeline->promised) {
      fail(RAYO_PRECONDITION, "wait for {}: only {} has been submitted", wait.value, wait.timeline->promised);
    }
  }
  for (const Point &signal : job.signals) {
    if (signal.value <= signal.timeline->promised) {
      fail(RAYO_INVALID_ARGUMENT, "signal of {}: the timeline already has {}", signal.value, signal.timeline->promised);
    }
  }
  queue->jobs.push_back(std::move(job));
  for (const Point &signal : queue->jobs.back().signals) signal.timeline->promised = signal.value;
  queue->shared->changed.notify_all();
}

char *place(rayo_buffer *buffer, const void *host, uint64_t offset, uint64_t size, Job *job) {
  if (buffer == nullptr && host == nullptr && size != 0) {
    fail(RAYO_INVALID_ARGUMENT, "a copy needs a buffer or a host address on each side");
  }
  if (buffer == nullptr) return static_cast<char *>(const_cast<void *>(host)) + offset;
  if (offset > buffer->memory->size || size > buffer->memory->size - offset) {
    fail(RAYO_INVALID_ARGUMENT, "{} bytes at offset {} reach beyond a buffer of {} bytes", size, offset,
         buffer->memory->size);
  }
  job->held.push_back(buffer->memory);
  return buffer->memory->data + offset;
}

void *element_zero(const rayo_tensor *tensor, Job *job) {
  if (tensor == nullptr) return nullptr;  // an optional input left out
  if (tensor->buffer != nullptr) job->held.push_back(tensor->buffer->memory);
  return tensor->dl.data == nullptr ? nullptr : static_cast<char *>(tensor->dl.data) + tensor->dl.byte_offset;
}

void take_number(rayo_queue &queue) {
  Shared &shared = *queue.shared;
  {
    const std::lock_guard lock(shared.mutex);
    while (shared.numbers.contains(queue.number)) ++queue.number;
    shared.numbers.insert(queue.number);
  }
  if (shared.trace != nullptr) queue.track = shared.trace->track(fmt::format("{} queue {}", shared.id, queue.number));
}

}  // namespace

rayo_status queue_create(rayo_device *device, rayo_queue **out, rayo_error *error) {
  return cold(error, [&] {
    check_usable(*device->shared);
    auto queue = std::make_unique<rayo_queue>();
    queue->shared = device->shared;
    take_number(*queue);
    // Signals belong to the application: the thread blocks them all.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
      queue->worker = std::thread(work, std::ref(*queue));
    } catch (...) {
      pthread_sigmask(SIG_SETMASK, &before, nullptr);
      const std::lock_guard lock(queue->shared->mutex);
      queue->shared->numbers.erase(queue->number);
      throw;
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    *out = queue.release();
  });
}

void queue_destroy(rayo_queue *queue) {
  if (queue->shared->pid != ::getpid()) return;
  {
    const std::lock_guard lock(queue->shared->mutex);
    queue->stop = true;
    queue->shared->changed.notify_all();
  }
  queue->worker.join();
  {
    const std::lock_guard lock(queue->shared->mutex);
    queue->shared->numbers.erase(queue->number);
  }
  delete queue;
}

rayo_status queue_wait(rayo_queue *queue, uint64_t timeout_ns, rayo_error *error) {
  return cold(error, [&] {
    check_usable(*queue->shared);
    Lock lock(queue->shared->mutex);
    if (!wait_until(*queue->shared, lock, timeout_ns, [&] { return queue->jobs.empty() && !queue->busy; })) {
      fail(RAYO_TIMEOUT, "the queue still has work after {} ns", timeout_ns);
    }
    const Failure failure = std::exchange(queue->failure, {});
    if (failure.status != RAYO_OK) throw Error(failure.status, failure.text);
  });
}

rayo_status submit(rayo_queue *queue, const rayo_submit *submit) {
  return fence([&] {
    check_usable(*queue->shared);
    Job job;
    job.kernel = static_cast<const HostWork *>(submit->state);
    if (job.kernel->queued != nullptr) {
      job.kernel->queued->fetch_add(1, std::memory_order_relaxed);
      job.counted.reset(job.kernel->queued);
    }
    for (uint32_t i = 0; i < submit->input_count; ++i) job.inputs.push_back(element_zero(submit->inputs[i], &job));
    for (uint32_t i = 0; i < submit->output_count; ++i) job.outputs.push_back(element_zero(submit->outputs[i], &job));
    job.waits = points(submit->waits, submit->wait_count);
    job.signals = points(submit->signals, submit->signal_count);
    enqueue(queue, std::move(job));
  });
}

rayo_status copy(rayo_queue *queue, const rayo_copy *copy) {
  return fence([&] {
    check_usable(*queue->shared);
    Job job;
    job.outputs.push_back(place(copy->dst_buffer, copy->dst_host, copy->dst_offset, copy->size, &job));
    job.inputs.push_back(place(copy->src_buffer, copy->src_host, copy->src_offset, copy->size, &job));
    job.bytes = copy->size;
    job.copy = copy->src_buffer == nullptr ? "upload" : copy->dst_buffer == nullptr ? "download" : "copy";
    job.waits = points(copy->waits, copy->wait_count);
    job.signals = points(copy->signals, copy->signal_count);
    enqueue(queue, std::move(job));
  });
}

}  // namespace rayo::host_device
