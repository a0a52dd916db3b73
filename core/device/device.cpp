// SPDX-License-Identifier: Apache-2.0
#include "device/device.hpp"

#include <unistd.h>

#include <vector>

#include "device/host_device.hpp"
#include "device/queue.hpp"
#include "device/staging.hpp"

namespace rayo {

void DeviceChild::adopt() {
  const std::lock_guard lock(device_->mutex_);
  device_->children_.insert(this);
}

void DeviceChild::drop() noexcept {
  if (device_->forked()) return;  // the lock may be held by a thread that does not exist here
  {
    const std::lock_guard lock(device_->mutex_);
    if (device_->children_.erase(this) == 0) return;
  }
  release_raw();
}

Device::Device(rayo_runtime *runtime, Trace *trace, std::string id, const rayo_device_api &api, rayo_instance *instance,
               uint32_t index, const rayo_device_info &info)
    : runtime_(runtime),
      trace_(trace),
      id_(std::move(id)),
      api_(api),
      instance_(instance),
      info_(info),
      pid_(::getpid()) {
  staging_ = std::make_unique<Staging>(*this);
  rayo_error error = no_error();
  check(api_.device_open(instance_, index, &raw_, &error), error, "open");
  if (is_host()) watch_host_device(raw_, trace_, id_);
}

Device::~Device() { close(); }

bool Device::forked() const noexcept { return ::getpid() != pid_; }

void Device::check_usable() const {
  if (closed_.load(std::memory_order_acquire)) {
    fail(RAYO_PRECONDITION, "{}: its runtime was destroyed", id_);
  }
  if (forked()) {
    fail(RAYO_FORKED, "{} was opened by the parent of this process: create a runtime of its own in the child", id_);
  }
  if (lost()) fail(RAYO_DEVICE_LOST, "{} was lost; a new runtime can open it again", id_);
}

void Device::fail_with(rayo_status status, std::string_view text, const char *what) {
  if (status == RAYO_DEVICE_LOST) lost_.store(true, std::memory_order_relaxed);
  fail(status, "{}: {}: {}", id_, what, text.empty() ? std::string_view(rayo_status_name(status)) : text);
}

void Device::check(rayo_status status, const rayo_error &error, const char *what) {
  if (status == RAYO_OK) return;
  fail_with(status, std::string_view(error.text, ::strnlen(error.text, RAYO_ERROR_TEXT)), what);
}

void Device::check_hot(rayo_status status, const char *what) {
  if (status == RAYO_OK) return;
  fail_with(status, std::string(last_error()), what);
}

void Device::take_down(bool queues_only) noexcept {
  std::vector<DeviceChild *> gone;
  {
    const std::lock_guard lock(mutex_);
    for (DeviceChild *child : children_) {
      if (!queues_only || dynamic_cast<Queue *>(child) != nullptr) gone.push_back(child);
    }
    for (DeviceChild *child : gone) children_.erase(child);
  }
  for (DeviceChild *child : gone) child->release_raw();
}

void Device::drain() noexcept {
  if (closed_.exchange(true, std::memory_order_acq_rel) || forked()) return;
  take_down(true);
  staging_->close();
}

void Device::close() noexcept {
  drain();
  if (forked()) {
    (void)staging_.release();  // its locks may be held by threads that do not exist here
    return;
  }
  take_down(false);
  if (raw_ != nullptr) api_.device_close(raw_);
  raw_ = nullptr;
}

}  // namespace rayo
