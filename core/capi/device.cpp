// SPDX-License-Identifier: Apache-2.0
//
// Devices, buffers and semaphores at the C boundary, and the counters of what fell back.
#include <rayo/device.h>

#include "capi/runtime.hpp"
#include "capi/structs.hpp"
#include "device/buffer.hpp"
#include "device/staging.hpp"
#include "registry/ops.hpp"

// The application's handle is librayo's own object; the plugin's pointer of the same name is inside it.
namespace {

using namespace rayo;

Device *to_device(rayo_device *handle) {
  if (handle == nullptr) fail(RAYO_INVALID_ARGUMENT, "device is NULL: rayo_device_find gives one");
  return reinterpret_cast<Device *>(handle);
}

Buffer &to_buffer(rayo_buffer *handle) {
  if (handle == nullptr) fail(RAYO_INVALID_ARGUMENT, "buffer is NULL: rayo_buffer_create makes one");
  return *Buffer::from(handle);
}

Semaphore &to_semaphore(rayo_semaphore *handle) {
  if (handle == nullptr) fail(RAYO_INVALID_ARGUMENT, "semaphore is NULL: rayo_semaphore_create makes one");
  return *Semaphore::from(handle);
}

void check_out(const void *out, const char *name) {
  if (out == nullptr) fail(RAYO_INVALID_ARGUMENT, "{} is NULL", name);
}

void check_host(const void *host, uint64_t size) {
  if (host == nullptr && size != 0) fail(RAYO_INVALID_ARGUMENT, "host is NULL, size is {}", size);
}

}  // namespace

extern "C" {

rayo_status rayo_device_find(rayo_runtime *runtime, const char *id, rayo_device **out_device) {
  return fence([&] {
    if (runtime == nullptr || id == nullptr) {
      fail(RAYO_INVALID_ARGUMENT, "{} is NULL", runtime == nullptr ? "runtime" : "id");
    }
    check_out(out_device, "out_device");
    const std::shared_ptr<Device> device = runtime->devices->find(id);
    device->check_usable();
    *out_device = reinterpret_cast<rayo_device *>(device.get());
  });
}

rayo_status rayo_device_describe(const rayo_device *device, rayo_device_info *out_info) {
  return fence([&] {
    const Device *known = to_device(const_cast<rayo_device *>(device));
    write_struct(out_info, known->info(), RAYO_TYPE_DEVICE_INFO, "out_info");
  });
}

rayo_status rayo_buffer_create(rayo_device *device, uint64_t size, uint32_t memory, rayo_buffer **out_buffer) {
  return fence([&] {
    check_out(out_buffer, "out_buffer");
    *out_buffer = (new Buffer(to_device(device)->shared_from_this(), size, memory))->handle();
  });
}

rayo_status rayo_buffer_import(rayo_device *device, void *host, uint64_t size, rayo_buffer **out_buffer) {
  return fence([&] {
    check_out(out_buffer, "out_buffer");
    check_host(host, size);
    *out_buffer = (new Buffer(to_device(device)->shared_from_this(), host, size))->handle();
  });
}

void rayo_buffer_destroy(rayo_buffer *buffer) { delete Buffer::from(buffer); }

rayo_status rayo_buffer_map(rayo_buffer *buffer, void **out_host) {
  return fence([&] {
    check_out(out_host, "out_host");
    *out_host = to_buffer(buffer).map();
  });
}

rayo_status rayo_buffer_tensor(rayo_buffer *buffer, uint64_t offset, DLDataType dtype, int32_t ndim,
                               const int64_t *shape, const int64_t *strides, rayo_tensor *out_tensor) {
  return fence([&] {
    check_out(out_tensor, "out_tensor");
    const Buffer &known = to_buffer(buffer);
    known.check_range(offset, 0, "rayo_buffer_tensor");
    *out_tensor = rayo_tensor_make(known.data(), dtype, ndim, shape, strides);
    out_tensor->dl.device = known.device().info().dl;
    out_tensor->dl.byte_offset = offset;
    out_tensor->buffer = buffer;
  });
}

rayo_status rayo_buffer_upload(rayo_buffer *buffer, uint64_t offset, const void *host, uint64_t size) {
  return fence([&] {
    Buffer &known = to_buffer(buffer);
    check_host(host, size);
    known.check_range(offset, size, "rayo_buffer_upload");
    known.device().check_usable();
    LaneLease lane(known.device().staging());
    lane->upload(known.raw(), offset, static_cast<const char *>(host), size);
    lane->finish();
  });
}

rayo_status rayo_buffer_download(rayo_buffer *buffer, uint64_t offset, void *host, uint64_t size) {
  return fence([&] {
    Buffer &known = to_buffer(buffer);
    check_host(host, size);
    known.check_range(offset, size, "rayo_buffer_download");
    known.device().check_usable();
    LaneLease lane(known.device().staging());
    lane->download(known.raw(), offset, static_cast<char *>(host), size);
    lane->finish();
  });
}

rayo_status rayo_semaphore_create(rayo_device *device, uint64_t initial, rayo_semaphore **out_semaphore) {
  return fence([&] {
    check_out(out_semaphore, "out_semaphore");
    *out_semaphore = (new Semaphore(to_device(device)->shared_from_this(), initial))->handle();
  });
}

void rayo_semaphore_destroy(rayo_semaphore *semaphore) { delete Semaphore::from(semaphore); }

rayo_status rayo_semaphore_query(rayo_semaphore *semaphore, uint64_t *out_value) {
  return fence([&] {
    check_out(out_value, "out_value");
    *out_value = to_semaphore(semaphore).query();
  });
}

rayo_status rayo_semaphore_wait(rayo_semaphore *semaphore, uint64_t value, uint64_t timeout_ns) {
  return fence([&] { to_semaphore(semaphore).wait(value, timeout_ns); });
}

rayo_status rayo_semaphore_signal(rayo_semaphore *semaphore, uint64_t value) {
  return fence([&] { to_semaphore(semaphore).signal(value); });
}

uint32_t rayo_fallback_count(const rayo_runtime *runtime) {
  return runtime == nullptr ? 0 : runtime->devices->fallbacks().size();
}

rayo_status rayo_fallback_get(const rayo_runtime *runtime, uint32_t index, rayo_fallback *out_fallback) {
  return fence([&] {
    if (runtime == nullptr) fail(RAYO_INVALID_ARGUMENT, "runtime is NULL");
    const FallbackCounter *counter = runtime->devices->fallbacks().at(index);
    if (counter == nullptr) {
      fail(RAYO_INVALID_ARGUMENT, "fallback {} of {}", index, runtime->devices->fallbacks().size());
    }
    rayo_fallback fallback{};
    fallback.op = op_name(counter->op);
    fallback.device = counter->device.c_str();
    fallback.reason = fallback_name(counter->reason);
    fallback.text = counter->text.c_str();
    fallback.count = counter->count.load(std::memory_order_relaxed);
    fallback.code = counter->reason;
    write_struct(out_fallback, fallback, RAYO_TYPE_FALLBACK, "out_fallback");
  });
}

}  // extern "C"
