// SPDX-License-Identifier: Apache-2.0
//
// Header-only C++20 over rayo/device.h: buffers, semaphores and queues that clean up after themselves.
//
//   rayo::Runtime runtime;
//   rayo::DeviceRef gpu(runtime, "vulkan0");
//   rayo::DeviceBuffer x(gpu, 4000), y(gpu, 4000);
//   x.upload(values.data(), 4000);
//   runtime.run("relu", {x.view(RAYO_F32, {1000})}, {y.view(RAYO_F32, {1000})});
#ifndef RAYO_DEVICE_HPP
#define RAYO_DEVICE_HPP

#include <rayo/device.h>
#include <rayo/rayo.hpp>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace rayo {

namespace detail {

template <class T, void (*Destroy)(T *)>
struct Destroyer {
  void operator()(T *handle) const noexcept { Destroy(handle); }
};
template <class T, void (*Destroy)(T *)>
using Handle = std::unique_ptr<T, Destroyer<T, Destroy>>;

}  // namespace detail

// A device of a runtime, opened on first use; copyable, valid as long as the runtime.
class DeviceRef {
 public:
  DeviceRef(const Runtime &runtime, const std::string &id) {
    check(rayo_device_find(runtime.get(), id.c_str(), &device_));
  }
  rayo_device_info info() const {
    rayo_device_info info{};
    info.struct_size = sizeof info;
    info.struct_type = RAYO_TYPE_DEVICE_INFO;
    check(rayo_device_describe(device_, &info));
    return info;
  }
  rayo_device *get() const noexcept { return device_; }

 private:
  rayo_device *device_ = nullptr;
};

// Memory of a device; movable.
class DeviceBuffer {
 public:
  DeviceBuffer(DeviceRef device, uint64_t bytes, uint32_t memory = RAYO_MEMORY_DEVICE) : bytes_(bytes) {
    rayo_buffer *made = nullptr;
    check(rayo_buffer_create(device.get(), bytes, memory, &made));
    buffer_.reset(made);
  }

  uint64_t bytes() const noexcept { return bytes_; }
  rayo_buffer *get() const noexcept { return buffer_.get(); }
  void upload(const void *host, uint64_t bytes, uint64_t offset = 0) {
    check(rayo_buffer_upload(get(), offset, host, bytes));
  }
  void download(void *host, uint64_t bytes, uint64_t offset = 0) const {
    check(rayo_buffer_download(get(), offset, host, bytes));
  }
  // A tensor in it, for the calls of Runtime, Plan and DeviceQueue. Borrows the buffer.
  TensorView view(DLDataType dtype, std::vector<int64_t> shape, std::vector<int64_t> strides = {},
                  uint64_t offset = 0) const {
    rayo_tensor tensor{};
    check(rayo_buffer_tensor(get(), offset, dtype, 0, nullptr, nullptr, &tensor));
    return TensorView(tensor, std::move(shape), std::move(strides));
  }

 private:
  detail::Handle<rayo_buffer, rayo_buffer_destroy> buffer_;
  uint64_t bytes_;
};

// A timeline of a device; movable.
class DeviceSemaphore {
 public:
  explicit DeviceSemaphore(DeviceRef device, uint64_t initial = 0) {
    rayo_semaphore *made = nullptr;
    check(rayo_semaphore_create(device.get(), initial, &made));
    semaphore_.reset(made);
  }
  rayo_point at(uint64_t value) const noexcept { return {semaphore_.get(), value}; }
  uint64_t value() const {
    uint64_t value = 0;
    check(rayo_semaphore_query(semaphore_.get(), &value));
    return value;
  }
  void wait(uint64_t value, uint64_t timeout_ns = UINT64_MAX) const {
    check(rayo_semaphore_wait(semaphore_.get(), value, timeout_ns));
  }
  void signal(uint64_t value) { check(rayo_semaphore_signal(semaphore_.get(), value)); }

 private:
  detail::Handle<rayo_semaphore, rayo_semaphore_destroy> semaphore_;
};

// An in-order queue of a device; movable. Work is queued and the call returns; waits and signals are points.
class DeviceQueue {
 public:
  using Points = std::vector<rayo_point>;

  explicit DeviceQueue(DeviceRef device) {
    rayo_queue *made = nullptr;
    check(rayo_queue_create(device.get(), &made));
    queue_.reset(made);
  }
  rayo_queue *get() const noexcept { return queue_.get(); }

  void run(const std::string &op, std::span<const TensorView> inputs, std::span<const TensorView> outputs,
           const Attributes &attributes = {}, const Points &waits = {}, const Points &signals = {}) {
    const detail::Operands in(inputs);
    const detail::Operands out(outputs);
    const std::vector<rayo_attr> attrs = attributes.c();
    const rayo_sync sync = sync_of(waits, signals);
    check(rayo_queue_run(get(), find_op_or_throw(op), in.pointers.data(), in.size(), out.pointers.data(), out.size(),
                         attrs.data(), &sync));
  }
  void run(const std::string &op, std::initializer_list<TensorView> inputs, std::initializer_list<TensorView> outputs,
           const Attributes &attributes = {}, const Points &waits = {}, const Points &signals = {}) {
    run(op, detail::as_span(inputs), detail::as_span(outputs), attributes, waits, signals);
  }
  void upload(const DeviceBuffer &to, const void *host, uint64_t bytes, const Points &waits = {},
              const Points &signals = {}) {
    const rayo_sync sync = sync_of(waits, signals);
    check(rayo_queue_upload(get(), to.get(), 0, host, bytes, &sync));
  }
  void download(const DeviceBuffer &from, void *host, uint64_t bytes, const Points &waits = {},
                const Points &signals = {}) {
    const rayo_sync sync = sync_of(waits, signals);
    check(rayo_queue_download(get(), from.get(), 0, host, bytes, &sync));
  }
  void wait(uint64_t timeout_ns = UINT64_MAX) { check(rayo_queue_wait(get(), timeout_ns)); }

 private:
  static rayo_sync sync_of(const Points &waits, const Points &signals) noexcept {
    return {waits.data(), signals.data(), static_cast<uint32_t>(waits.size()), static_cast<uint32_t>(signals.size())};
  }
  detail::Handle<rayo_queue, rayo_queue_destroy> queue_;
};

}  // namespace rayo

#endif  // RAYO_DEVICE_HPP
