// SPDX-License-Identifier: Apache-2.0
//
// The application's buffers and semaphores: a device's raw handle each, with what the core must know of it.
#pragma once

#include "device/device.hpp"

namespace rayo {

class Buffer final : public DeviceChild {
 public:
  Buffer(std::shared_ptr<Device> device, uint64_t size, uint32_t memory);  // creates
  Buffer(std::shared_ptr<Device> device, void *host, uint64_t size);       // imports
  ~Buffer() override { drop(); }

  static Buffer *from(rayo_buffer *handle) noexcept { return reinterpret_cast<Buffer *>(handle); }
  rayo_buffer *handle() noexcept { return reinterpret_cast<rayo_buffer *>(this); }

  rayo_buffer *raw() const noexcept { return raw_; }
  void *data() const noexcept { return data_; }  // what DLTensor.data holds
  uint64_t size() const noexcept { return size_; }
  void *map();  // throws Error
  // Where the buffer lies for checks of overlap alone: no two buffers meet, and none meets host memory.
  uintptr_t place() const noexcept { return place_; }

  void check_range(uint64_t offset, uint64_t size, const char *what) const;  // throws Error

 private:
  void release_raw() noexcept override;
  void finish();

  rayo_buffer *raw_ = nullptr;
  void *data_ = nullptr;
  uint64_t size_ = 0;
  uintptr_t place_ = 0;
};

class Semaphore final : public DeviceChild {
 public:
  Semaphore(std::shared_ptr<Device> device, uint64_t initial);
  ~Semaphore() override { drop(); }

  static Semaphore *from(rayo_semaphore *handle) noexcept { return reinterpret_cast<Semaphore *>(handle); }
  rayo_semaphore *handle() noexcept { return reinterpret_cast<rayo_semaphore *>(this); }

  rayo_semaphore *raw() const noexcept { return raw_; }
  uint64_t query();
  void wait(uint64_t value, uint64_t timeout_ns);
  void signal(uint64_t value);

 private:
  void release_raw() noexcept override;

  rayo_semaphore *raw_ = nullptr;
};

}  // namespace rayo
