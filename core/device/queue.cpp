// SPDX-License-Identifier: Apache-2.0
#include "device/queue.hpp"

#include "trace/trace.hpp"

namespace rayo {

RawSemaphore::RawSemaphore(Device &device, uint64_t initial) : device_(device) {
  rayo_error error = no_error();
  device_.check(device_.api().semaphore_create(device_.raw(), initial, &raw_, &error), error, "create a semaphore");
}

// The application's points as the plugin knows them, and the queue's own.
struct Queue::Points {
  std::vector<rayo_point> waits;
  std::vector<rayo_point> signals;

  Points(const Device &device, const rayo_sync *sync) {
    if (sync == nullptr) return;
    translate(device, sync->waits, sync->wait_count, "waits", &waits);
    translate(device, sync->signals, sync->signal_count, "signals", &signals);
  }

  template <class Work>
  void put_into(Work *work) const {
    work->waits = waits.data();
    work->wait_count = static_cast<uint32_t>(waits.size());
    work->signals = signals.data();
    work->signal_count = static_cast<uint32_t>(signals.size());
  }

 private:
  static void translate(const Device &device, const rayo_point *list, uint32_t count, const char *what,
                        std::vector<rayo_point> *out) {
    if (count != 0 && list == nullptr) fail(RAYO_INVALID_ARGUMENT, "sync: {} is NULL, its count is {}", what, count);
    for (uint32_t i = 0; i < count; ++i) {
      Semaphore *semaphore = Semaphore::from(list[i].semaphore);
      if (semaphore == nullptr) fail(RAYO_INVALID_ARGUMENT, "sync: the semaphore of {}[{}] is NULL", what, i);
      if (&semaphore->device() != &device) {
        fail(RAYO_INVALID_ARGUMENT, "sync: the semaphore of {}[{}] belongs to {}, the queue to {}; wait on the host",
             what, i, semaphore->device().id(), device.id());
      }
      out->push_back({semaphore->raw(), list[i].value});
    }
  }
};

Queue::Queue(std::shared_ptr<Device> device) : DeviceChild(std::move(device)) {
  Device &owner = this->device();
  owner.check_usable();
  done_ = std::make_shared<RawSemaphore>(owner, 0);
  rayo_error error = no_error();
  owner.check(owner.api().queue_create(owner.raw(), &raw_, &error), error, "create a queue");
  try {
    adopt();
  } catch (...) {
    release_raw();
    throw;
  }
}

void Queue::release_raw() noexcept {
  if (raw_ != nullptr) device().api().queue_destroy(raw_);
  raw_ = nullptr;
  kept_.clear();
  done_.reset();
}

void Queue::retire() noexcept {
  if (kept_.empty()) return;
  uint64_t reached = 0;
  rayo_error error = no_error();
  if (device().api().semaphore_query(done_->raw(), &reached, &error) != RAYO_OK) return;
  while (!kept_.empty() && kept_.front().first <= reached) kept_.pop_front();
}

void Queue::submit(rayo_submit work, const rayo_sync *sync, std::shared_ptr<const void> keeps,
                   const std::vector<QueueEnd> &behind) {
  device().check_usable();
  const Span span(device().trace(), SpanKind::submit, work.kernel->op, device().id(), work.kernel->name);
  Points points(device(), sync);
  for (const QueueEnd &end : behind) {
    if (end.semaphore) points.waits.push_back({end.semaphore->raw(), end.value});
  }
  const std::lock_guard lock(mutex_);
  retire();
  points.signals.push_back({done_->raw(), submitted_ + 1});
  points.put_into(&work);
  kept_.emplace_back(submitted_ + 1, std::move(keeps));
  const rayo_status status = device().api().submit(raw_, &work);
  if (status != RAYO_OK) kept_.pop_back();
  device().check_hot(status, "submit");
  ++submitted_;
}

void Queue::copy(rayo_copy work, const rayo_sync *sync) {
  device().check_usable();
  const Span span(device().trace(), SpanKind::submit, "copy", device().id());
  Points points(device(), sync);
  const std::lock_guard lock(mutex_);
  points.signals.push_back({done_->raw(), submitted_ + 1});
  points.put_into(&work);
  device().check_hot(device().api().copy(raw_, &work), "copy");
  ++submitted_;
}

void Queue::wait(uint64_t timeout_ns) {
  device().check_usable();
  const Span span(device().trace(), SpanKind::wait, "queue wait", device().id());
  const std::lock_guard lock(mutex_);
  rayo_error error = no_error();
  const rayo_status status = device().api().queue_wait(raw_, timeout_ns, &error);
  if (status == RAYO_TIMEOUT) device().check(status, error, "wait for a queue");
  kept_.clear();  // the queue is idle, whatever became of its work
  if (status == RAYO_OK) return;
  if (status != RAYO_DEVICE_LOST) {
    // The failure poisoned the timeline: whoever waits on the old one is told, later work gets a new one.
    done_ = std::make_shared<RawSemaphore>(device(), submitted_);
  }
  device().check(status, error, "queued work");
}

QueueEnd Queue::end() {
  device().check_usable();
  const std::lock_guard lock(mutex_);
  return submitted_ == 0 ? QueueEnd{} : QueueEnd{done_, submitted_};
}

}  // namespace rayo
