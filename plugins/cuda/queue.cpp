// SPDX-License-Identifier: Apache-2.0
//
// Queues: streams, waits and signals as events, what a submission holds.
#include <algorithm>
#include <cstring>

#include "bind.h"

namespace rayo::cuda {
namespace {

using Lock = std::unique_lock<std::mutex>;

/// Pinned memory through which copies from and to pageable memory go, a piece at a time.
constexpr std::size_t kStagingBytes = std::size_t{4} << 20;

struct Request {
  std::string what;  // "matmul", "copy": for messages
  const rayo_point *waits;
  const rayo_point *signals;
  uint32_t wait_count;
  uint32_t signal_count;
};

// With the lock held: nothing has been changed when it throws.
void check_points(const Shared &shared, const Request &r) {
  const auto check = [&](const rayo_point &point, const char *kind, uint32_t i) {
    if (point.semaphore == nullptr || point.semaphore->shared.get() != &shared)
      throw Error(RAYO_INVALID_ARGUMENT,
                  r.what + ": " + kind + " " + std::to_string(i) + ": the semaphore is not of " + shared.id);
  };
  for (uint32_t i = 0; i < r.wait_count; ++i) {
    check(r.waits[i], "wait", i);
    if (r.waits[i].value > r.waits[i].semaphore->timeline->promised)
      throw Error(RAYO_PRECONDITION, r.what + ": wait for " + std::to_string(r.waits[i].value) + ": only " +
                                         std::to_string(r.waits[i].semaphore->timeline->promised) +
                                         " has been submitted");
  }
  for (uint32_t i = 0; i < r.signal_count; ++i) {
    check(r.signals[i], "signal", i);
    if (r.signals[i].value <= r.signals[i].semaphore->timeline->promised)
      throw Error(RAYO_INVALID_ARGUMENT, r.what + ": signal of " + std::to_string(r.signals[i].value) +
                                             ": the timeline already has " +
                                             std::to_string(r.signals[i].semaphore->timeline->promised));
  }
}

// Takes the signals as promised, and as never to be reached. With the lock held.
void poison(const Request &r, const Failure &failure) {
  for (uint32_t i = 0; i < r.signal_count; ++i) {
    Timeline &timeline = *r.signals[i].semaphore->timeline;
    timeline.promised = r.signals[i].value;
    if (timeline.poison) continue;
    timeline.poison = failure;
    timeline.poison_from = r.signals[i].value;
  }
}

// Why the work is cancelled before it begins, if it is. With the lock held.
std::optional<Failure> cancelled(const rayo_queue &queue, const Request &r) {
  for (uint32_t i = 0; i < r.wait_count; ++i) {
    Timeline &timeline = *r.waits[i].semaphore->timeline;
    queue.shared->advance(timeline);
    if (timeline.reached < r.waits[i].value && timeline.poison_from <= r.waits[i].value)
      return Failure{RAYO_CANCELLED, "cancelled after: " + timeline.poison->text};
  }
  if (queue.failure) return Failure{RAYO_CANCELLED, "cancelled after: " + queue.failure->text};
  return std::nullopt;
}

void wait_for_points(rayo_queue &queue, const Request &r) {
  Shared &shared = *queue.shared;
  for (uint32_t i = 0; i < r.wait_count; ++i) {
    const Timeline &timeline = *r.waits[i].semaphore->timeline;
    if (timeline.reached >= r.waits[i].value) continue;
    for (const Timeline::Pending &pending : timeline.pending) {
      if (pending.value < r.waits[i].value) continue;
      const Result result = shared.driver->stream_wait(queue.stream, pending.mark->event, 0);
      if (result != kSuccess)
        throw Error(RAYO_INTERNAL,
                    r.what + ": " + shared.id + ": waiting for an event: " + shared.driver->describe(result));
      break;
    }
  }
}

// Runs body(work) between the waits and the signals, in one step: refused work leaves no trace.
template <class Body>
void enqueue(rayo_queue *queue, const Request &r, std::vector<std::shared_ptr<Memory>> held, const Body &body) {
  Shared &shared = *queue->shared;
  Record record;
  record.held = std::move(held);
  const Current current(shared);
  record.mark = std::make_shared<Mark>(queue->shared);
  {
    const std::lock_guard lock(shared.mutex);
    check_points(shared, r);
    while (!queue->records.empty() && shared.poll(*queue->records.front().mark)) queue->records.pop_front();
    if (const auto failure = cancelled(*queue, r)) {
      if (!queue->failure) queue->failure = failure;
      return poison(r, *failure);
    }
    wait_for_points(*queue, r);
  }
  // Launching may take its time (a library's first call): not under the lock. The queue is this thread's alone.
  int queued = 0;
  std::optional<Failure> failure;
  try {
    body(record, queued);
  } catch (const Error &e) {
    if (queued == 0 || e.status() == RAYO_DEVICE_LOST) throw Error(e.status(), r.what + ": " + e.what());
    failure = Failure{e.status(), r.what + ": " + e.what()};
  }
  const Result recorded = shared.driver->event_record(record.mark->event, queue->stream);
  if (!failure) shared.check(recorded, r.what + ": recording its end");
  const std::lock_guard lock(shared.mutex);
  if (failure) {
    queue->failure = failure;
    poison(r, *failure);
  } else {
    for (uint32_t i = 0; i < r.signal_count; ++i) {
      Timeline &timeline = *r.signals[i].semaphore->timeline;
      timeline.promised = std::max(timeline.promised, r.signals[i].value);
      if (!timeline.poison) timeline.pending.push_back({r.signals[i].value, record.mark});
    }
  }
  queue->records.push_back(std::move(record));
}

// Where an operand begins, once it is proved to lie inside its buffer.
void *resolve(const Shared &shared, const rayo_tensor &tensor, const std::string &what,
              std::vector<std::shared_ptr<Memory>> &held) {
  const DLTensor &dl = tensor.dl;
  int64_t low = 0, high = 0, compact = 1;
  for (int32_t axis = dl.ndim; axis-- > 0;) {
    const int64_t extent = dl.shape[axis];
    if (extent == 0) return nullptr;
    const int64_t stride = dl.strides != nullptr ? dl.strides[axis] : compact;
    (stride < 0 ? low : high) += (extent - 1) * stride;
    compact *= extent;
  }
  auto *data = static_cast<char *>(dl.data);
  if (tensor.buffer == nullptr) {  // memory of the application's own, at an address of this device
    if (data == nullptr) throw Error(RAYO_INVALID_ARGUMENT, what + ": an operand has neither buffer nor address");
    return data + dl.byte_offset;
  }
  const Memory &memory = *tensor.buffer->memory;
  if (memory.shared.get() != &shared)
    throw Error(RAYO_INVALID_ARGUMENT, what + ": an operand's buffer is not of " + shared.id);
  if (dl.data != reinterpret_cast<void *>(memory.address))
    throw Error(RAYO_INVALID_ARGUMENT, what + ": an operand's dl.data is not its buffer's handle");
  const int64_t size = dl.dtype.bits / 8, offset = static_cast<int64_t>(dl.byte_offset);
  if (offset + low * size < 0 || offset + (high + 1) * size > static_cast<int64_t>(memory.size))
    throw Error(RAYO_INVALID_ARGUMENT,
                what + ": an operand reaches beyond its buffer of " + std::to_string(memory.size) + " bytes");
  held.push_back(tensor.buffer->memory);
  return data + offset;
}

struct Place {
  char *address;
  bool pageable;  // host memory that the device cannot reach by itself
};

Place place(const Shared &shared, rayo_buffer *buffer, const void *host, uint64_t offset, uint64_t size,
            std::vector<std::shared_ptr<Memory>> &held) {
  if (buffer == nullptr && host == nullptr)
    throw Error(RAYO_INVALID_ARGUMENT, "copy: it needs a buffer or a host address on each side");
  if (buffer == nullptr) {
    auto *first = static_cast<char *>(const_cast<void *>(host)) + offset;
    const auto known = [&](const char *p) {
      int type = 0;
      return shared.driver->pointer_attribute(&type, kPointerMemoryType, reinterpret_cast<Address>(p)) == kSuccess &&
             type != 0;
    };
    return {first, !(known(first) && known(first + (size > 0 ? size - 1 : 0)))};
  }
  const Memory &memory = *buffer->memory;
  if (memory.shared.get() != &shared) throw Error(RAYO_INVALID_ARGUMENT, "copy: a buffer is not of " + shared.id);
  if (offset > memory.size || size > memory.size - offset)
    throw Error(RAYO_INVALID_ARGUMENT, "copy: " + std::to_string(size) + " bytes at " + std::to_string(offset) +
                                           " reach beyond a buffer of " + std::to_string(memory.size) + " bytes");
  held.push_back(buffer->memory);
  if (memory.host != nullptr) return {static_cast<char *>(memory.host) + offset, false};
  return {reinterpret_cast<char *>(memory.address) + offset, false};
}

void host_copy(void *data) {
  const auto *copy = static_cast<const HostCopy *>(data);
  std::memcpy(copy->dst, copy->src, copy->size);
}

/// Queues the pieces of a copy. A driver's own copy from pageable memory may wait for the stream; this never does: the
/// pieces pass through pinned memory in stream order, moved there by a host function.
class Copier {
 public:
  Copier(rayo_queue &queue, Record &record, int &queued) : queue_(queue), record_(record), queued_(queued) {}

  void run(const Place &dst, const Place &src, std::size_t size) {
    if (!dst.pageable && !src.pageable) return move(dst.address, src.address, size);
    if (dst.pageable && src.pageable) return by_host(dst.address, src.address, size);
    if (queue_.staging == nullptr)
      check(queue_.shared->driver->host_alloc(&queue_.staging, kStagingBytes, kHostPortable), "allocating its staging");
    for (std::size_t at = 0; at < size; at += kStagingBytes) {
      const std::size_t piece = std::min(kStagingBytes, size - at);
      if (src.pageable) {
        by_host(queue_.staging, src.address + at, piece);
        move(dst.address + at, queue_.staging, piece);
      } else {
        move(queue_.staging, src.address + at, piece);
        by_host(dst.address + at, queue_.staging, piece);
      }
    }
  }

 private:
  void check(Result result, const char *what) { queue_.shared->check(result, what); }
  void move(void *dst, const void *src, std::size_t size) {
    if (size == 0) return;
    check(queue_.shared->driver->copy(reinterpret_cast<Address>(dst), reinterpret_cast<Address>(src), size,
                                      queue_.stream),
          "queueing a copy");
    ++queued_;
  }
  void by_host(void *dst, const void *src, std::size_t size) {
    if (size == 0) return;
    record_.copies.push_back(std::make_unique<HostCopy>(HostCopy{dst, src, size}));
    check(queue_.shared->driver->launch_host(queue_.stream, host_copy, record_.copies.back().get()),
          "queueing a host copy");
    ++queued_;
  }

  rayo_queue &queue_;
  Record &record_;
  int &queued_;
};

void submit_work(rayo_queue *queue, const rayo_submit &s) {
  Shared &shared = *queue->shared;
  const std::string op = s.kernel != nullptr ? s.kernel->op : "submit";
  const auto *state = static_cast<const State *>(s.state);
  if (s.kernel == nullptr || s.kernel->release != release_state || state == nullptr)
    throw Error(RAYO_INVALID_ARGUMENT, op + ": the kernel is not of this plugin, or was not prepared");
  if (state->owner != &shared) throw Error(RAYO_INVALID_ARGUMENT, op + ": it was prepared for another device");
  if (s.input_count != state->inputs || s.output_count != state->outputs)
    throw Error(RAYO_INVALID_ARGUMENT, op + ": " + std::to_string(s.input_count) + " inputs and " +
                                           std::to_string(s.output_count) + " outputs do not fit what was prepared");
  std::vector<std::shared_ptr<Memory>> held;
  const void *in[RAYO_MAX_OPERANDS] = {};
  void *out[RAYO_MAX_OPERANDS] = {};
  for (uint32_t i = 0; i < s.input_count; ++i) {
    if (s.inputs[i] != nullptr && s.inputs[i]->dl.dtype.bits != 0) in[i] = resolve(shared, *s.inputs[i], op, held);
  }
  for (uint32_t i = 0; i < s.output_count; ++i) out[i] = resolve(shared, *s.outputs[i], op, held);
  void *workspace = nullptr;
  if (state->workspace_size > 0) {
    if (s.workspace == nullptr || s.workspace->memory->shared.get() != &shared ||
        s.workspace->memory->size < state->workspace_size)
      throw Error(RAYO_INVALID_ARGUMENT,
                  op + ": it needs a workspace of " + std::to_string(state->workspace_size) + " bytes on " + shared.id);
    held.push_back(s.workspace->memory);
    workspace = reinterpret_cast<void *>(s.workspace->memory->address);
  }
  const Request request = {op, s.waits, s.signals, s.wait_count, s.signal_count};
  enqueue(queue, request, std::move(held), [&](Record &record, int &queued) {
    Work work = {shared, queue->stream, in, out, workspace, record};
    try {
      state->enqueue(work);
    } catch (...) {
      queued = work.queued;
      throw;
    }
    queued = work.queued;
  });
}

}  // namespace

rayo_status queue_create(rayo_device *device, rayo_queue **out, rayo_error *error) {
  return fence(error, [&] {
    Shared &shared = *device->shared;
    shared.check_usable();
    auto queue = std::make_unique<rayo_queue>();
    queue->shared = device->shared;
    const Current current(shared);
    shared.check(shared.driver->stream_create(&queue->stream, kStreamNonBlocking), "making a stream");
    const std::lock_guard lock(shared.mutex);
    shared.queues.push_back(queue.get());
    *out = queue.release();
  });
}

void queue_destroy(rayo_queue *queue) {
  const std::shared_ptr<Shared> shared = queue->shared;
  if (shared->forked()) return;
  const Current current(*shared);
  shared->driver->stream_synchronize(queue->stream);
  std::deque<Record> records;
  {
    const std::lock_guard lock(shared->mutex);
    // Signals of this queue's work: reached, or on a lost device never.
    for (Record &record : queue->records) shared->poll(*record.mark);
    records.swap(queue->records);
    std::erase(shared->queues, queue);
  }
  records.clear();
  if (queue->staging != nullptr) shared->driver->host_free(queue->staging);
  shared->driver->stream_destroy(queue->stream);
  delete queue;
}

rayo_status queue_wait(rayo_queue *queue, uint64_t timeout_ns, rayo_error *error) {
  return fence(error, [&] {
    Shared &shared = *queue->shared;
    shared.check_usable();
    Lock lock(shared.mutex);
    const bool idle = wait_until(shared, lock, timeout_ns, [&] {
      while (!queue->records.empty() && shared.poll(*queue->records.front().mark)) queue->records.pop_front();
      return queue->records.empty() || shared.lost;
    });
    if (shared.lost) throw Error(shared.lost->status, shared.lost->text);
    if (!idle) throw Error(RAYO_TIMEOUT, "the queue still has work after " + std::to_string(timeout_ns) + " ns");
    if (!queue->failure) return;
    const Failure failure = *std::exchange(queue->failure, std::nullopt);
    throw Error(failure.status, failure.text);
  });
}

rayo_status submit(rayo_queue *queue, const rayo_submit *s) {
  return fence(queue->shared->host, [&] {
    queue->shared->check_usable();
    plugin::check_extensions(s->next);
    submit_work(queue, *s);
  });
}

rayo_status copy(rayo_queue *queue, const rayo_copy *c) {
  return fence(queue->shared->host, [&] {
    Shared &shared = *queue->shared;
    shared.check_usable();
    plugin::check_extensions(c->next);
    std::vector<std::shared_ptr<Memory>> held;
    const Place dst = place(shared, c->dst_buffer, c->dst_host, c->dst_offset, c->size, held);
    const Place src = place(shared, c->src_buffer, c->src_host, c->src_offset, c->size, held);
    const Request request = {"copy", c->waits, c->signals, c->wait_count, c->signal_count};
    enqueue(queue, request, std::move(held),
            [&](Record &record, int &queued) { Copier(*queue, record, queued).run(dst, src, c->size); });
  });
}

}  // namespace rayo::cuda
