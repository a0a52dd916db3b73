// SPDX-License-Identifier: Apache-2.0
#include "device/buffer.hpp"

#include <atomic>

namespace rayo {
namespace {

// Above every address that user space has on the CPUs we run on; each buffer takes its own stretch of it.
std::atomic<uintptr_t> g_next_place{uintptr_t{1} << 60};
constexpr uintptr_t kPlaceAlignment = 4096;

}  // namespace

Buffer::Buffer(std::shared_ptr<Device> device, uint64_t size, uint32_t memory)
    : DeviceChild(std::move(device)), size_(size) {
  Device &owner = this->device();
  owner.check_usable();
  rayo_error error = no_error();
  const rayo_buffer_desc desc{sizeof(rayo_buffer_desc), RAYO_TYPE_BUFFER_DESC, nullptr, size, memory, 0};
  owner.check(owner.api().buffer_create(owner.raw(), &desc, &raw_, &error), error, "create a buffer");
  finish();
}

Buffer::Buffer(std::shared_ptr<Device> device, void *host, uint64_t size)
    : DeviceChild(std::move(device)), size_(size) {
  Device &owner = this->device();
  owner.check_usable();
  rayo_error error = no_error();
  owner.check(owner.api().buffer_import(owner.raw(), host, size, &raw_, &error), error, "import host memory");
  finish();
}

void Buffer::finish() {
  Device &owner = device();
  rayo_error error = no_error();
  try {
    owner.check(owner.api().buffer_handle(raw_, &data_, &error), error, "take a buffer's handle");
    place_ = g_next_place.fetch_add((size_ / kPlaceAlignment + 2) * kPlaceAlignment, std::memory_order_relaxed);
    adopt();
  } catch (...) {
    release_raw();
    throw;
  }
}

void Buffer::release_raw() noexcept {
  if (raw_ != nullptr) device().api().buffer_destroy(raw_);
  raw_ = nullptr;
}

void *Buffer::map() {
  device().check_usable();
  rayo_error error = no_error();
  void *host = nullptr;
  device().check(device().api().buffer_map(raw_, &host, &error), error, "map a buffer");
  return host;
}

void Buffer::check_range(uint64_t offset, uint64_t size, const char *what) const {
  if (offset <= size_ && size <= size_ - offset) return;
  fail(RAYO_INVALID_ARGUMENT, "{}: {} bytes at offset {} reach beyond a buffer of {} bytes", what, size, offset, size_);
}

Semaphore::Semaphore(std::shared_ptr<Device> device, uint64_t initial) : DeviceChild(std::move(device)) {
  Device &owner = this->device();
  owner.check_usable();
  rayo_error error = no_error();
  owner.check(owner.api().semaphore_create(owner.raw(), initial, &raw_, &error), error, "create a semaphore");
  try {
    adopt();
  } catch (...) {
    release_raw();
    throw;
  }
}

void Semaphore::release_raw() noexcept {
  if (raw_ != nullptr) device().api().semaphore_destroy(raw_);
  raw_ = nullptr;
}

uint64_t Semaphore::query() {
  device().check_usable();
  rayo_error error = no_error();
  uint64_t value = 0;
  device().check(device().api().semaphore_query(raw_, &value, &error), error, "query a semaphore");
  return value;
}

void Semaphore::wait(uint64_t value, uint64_t timeout_ns) {
  device().check_usable();
  rayo_error error = no_error();
  device().check(device().api().semaphore_wait(raw_, value, timeout_ns, &error), error, "wait for a semaphore");
}

void Semaphore::signal(uint64_t value) {
  device().check_usable();
  rayo_error error = no_error();
  device().check(device().api().semaphore_signal(raw_, value, &error), error, "signal a semaphore");
}

}  // namespace rayo
