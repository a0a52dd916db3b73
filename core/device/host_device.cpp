// SPDX-License-Identifier: Apache-2.0
//
// The host device: opening, memory, semaphores.
#include "device/host_device.hpp"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "base/cpu_count.hpp"
#include "device/host_device_types.hpp"

namespace rayo::host_device {
namespace {

constexpr uint32_t kAlignment = 64;

rayo_status enumerate(rayo_instance *, uint32_t, rayo_device_info *const *, uint32_t *out_count, rayo_error *) {
  *out_count = 0;  // the core makes it by hand
  return RAYO_OK;
}

rayo_status device_open(rayo_instance *, uint32_t, rayo_device **out, rayo_error *error) {
  return cold(error, [&] {
    auto shared = std::make_shared<Shared>();
    shared->pid = ::getpid();
    *out = new rayo_device{std::move(shared)};
  });
}

bool here(const Shared &shared) noexcept { return shared.pid == ::getpid(); }

void device_close(rayo_device *device) {
  if (here(*device->shared)) delete device;
}

rayo_status buffer_create(rayo_device *device, const rayo_buffer_desc *desc, rayo_buffer **out, rayo_error *error) {
  return cold(error, [&] {
    check_usable(*device->shared);
    if (desc->memory < RAYO_MEMORY_DEVICE || desc->memory > RAYO_MEMORY_UNIFIED) {
      fail(RAYO_UNSUPPORTED, "memory kind {}: legal are RAYO_MEMORY_DEVICE (1), _PINNED (2), _UNIFIED (3)",
           desc->memory);
    }
    *out = new rayo_buffer{device->shared, std::make_shared<Memory>(desc->size)};
  });
}

rayo_status buffer_import(rayo_device *device, void *host, uint64_t size, rayo_buffer **out, rayo_error *error) {
  return cold(error, [&] {
    check_usable(*device->shared);
    if (host == nullptr && size != 0) fail(RAYO_INVALID_ARGUMENT, "the host memory of {} bytes is NULL", size);
    *out = new rayo_buffer{device->shared, std::make_shared<Memory>(host, size)};
  });
}

void buffer_destroy(rayo_buffer *buffer) {
  if (here(*buffer->shared)) delete buffer;
}

rayo_status address(rayo_buffer *buffer, void **out, rayo_error *error) {
  return cold(error, [&] {
    check_usable(*buffer->shared);
    *out = buffer->memory->data;
  });
}

rayo_status semaphore_create(rayo_device *device, uint64_t initial, rayo_semaphore **out, rayo_error *error) {
  return cold(error, [&] {
    check_usable(*device->shared);
    auto timeline = std::make_shared<Timeline>();
    timeline->reached = timeline->promised = initial;
    *out = new rayo_semaphore{device->shared, std::move(timeline)};
  });
}

void semaphore_destroy(rayo_semaphore *semaphore) {
  if (here(*semaphore->shared)) delete semaphore;
}

rayo_status semaphore_query(rayo_semaphore *semaphore, uint64_t *out_value, rayo_error *error) {
  return cold(error, [&] {
    check_usable(*semaphore->shared);
    const std::lock_guard lock(semaphore->shared->mutex);
    *out_value = semaphore->timeline->reached;
  });
}

rayo_status semaphore_wait(rayo_semaphore *semaphore, uint64_t value, uint64_t timeout_ns, rayo_error *error) {
  return cold(error, [&] {
    check_usable(*semaphore->shared);
    const Timeline &timeline = *semaphore->timeline;
    std::unique_lock lock(semaphore->shared->mutex);
    const bool in_time = wait_until(*semaphore->shared, lock, timeout_ns,
                                    [&] { return timeline.reached >= value || timeline.poison.status != RAYO_OK; });
    if (timeline.reached >= value) return;
    if (timeline.poison.status != RAYO_OK) {
      fail(RAYO_CANCELLED, "the semaphore stays at {}, after: {}", timeline.reached, timeline.poison.text);
    }
    if (!in_time) {
      fail(RAYO_TIMEOUT, "the semaphore is at {} and did not reach {} within {} ns", timeline.reached, value,
           timeout_ns);
    }
  });
}

rayo_status semaphore_signal(rayo_semaphore *semaphore, uint64_t value, rayo_error *error) {
  return cold(error, [&] {
    check_usable(*semaphore->shared);
    const std::lock_guard lock(semaphore->shared->mutex);
    Timeline &timeline = *semaphore->timeline;
    if (value <= timeline.promised) {
      fail(RAYO_INVALID_ARGUMENT, "signal of {}: the timeline already has {}", value, timeline.promised);
    }
    timeline.promised = value;
    if (timeline.poison.status == RAYO_OK) timeline.reached = value;
    semaphore->shared->changed.notify_all();
  });
}

constexpr rayo_device_api make_api() {
  rayo_device_api api{};
  api.struct_size = sizeof(rayo_device_api);
  api.struct_type = RAYO_TYPE_DEVICE_API;
  api.enumerate = enumerate;
  api.device_open = device_open;
  api.device_close = device_close;
  api.buffer_create = buffer_create;
  api.buffer_import = buffer_import;
  api.buffer_destroy = buffer_destroy;
  api.buffer_map = address;
  api.buffer_handle = address;
  api.queue_create = queue_create;
  api.queue_destroy = queue_destroy;
  api.queue_wait = queue_wait;
  api.semaphore_create = semaphore_create;
  api.semaphore_destroy = semaphore_destroy;
  api.semaphore_query = semaphore_query;
  api.semaphore_wait = semaphore_wait;
  api.semaphore_signal = semaphore_signal;
  api.submit = submit;
  api.copy = copy;
  return api;
}

constexpr rayo_device_api kApi = make_api();

}  // namespace

Memory::Memory(uint64_t bytes) : size(bytes), owned(true) {
  if (bytes > UINT64_MAX - kAlignment) throw std::bad_alloc();
  const uint64_t whole = std::max<uint64_t>((bytes + kAlignment - 1) / kAlignment * kAlignment, kAlignment);
  data = static_cast<char *>(std::aligned_alloc(kAlignment, whole));
  if (data == nullptr) fail(RAYO_OUT_OF_MEMORY, "no host memory for a buffer of {} bytes", bytes);
}

Memory::Memory(void *host, uint64_t bytes) : data(static_cast<char *>(host)), size(bytes) {}

Memory::~Memory() {
  if (owned) std::free(data);
}

void check_usable(const Shared &shared) {
  if (!here(shared)) fail(RAYO_FORKED, "this belongs to the parent of this process; make another in the child");
}

}  // namespace rayo::host_device

namespace rayo {

const rayo_device_api &host_device_api() noexcept { return host_device::kApi; }

void watch_host_device(rayo_device *device, Trace *trace, const std::string &id) {
  device->shared->trace = trace;
  device->shared->id = id;
}

rayo_device_info host_device_info(const std::string &id) {
  rayo_device_info info{};
  info.struct_size = sizeof info;
  info.struct_type = RAYO_TYPE_DEVICE_INFO;
  std::snprintf(info.id, sizeof info.id, "%s", id.c_str());
  std::snprintf(info.name, sizeof info.name, "%s", cpu_model().c_str());
  info.dl = {kDLCPU, 0};
  info.flags = RAYO_DEVICE_SOFTWARE | RAYO_DEVICE_UNIFIED | RAYO_DEVICE_HOST_IMPORT | RAYO_DEVICE_PEER_POINTERS;
  info.alignment = 1;
  const auto pages = static_cast<uint64_t>(std::max(::sysconf(_SC_PHYS_PAGES), 0L));
  info.memory_bytes = pages * static_cast<uint64_t>(std::max(::sysconf(_SC_PAGESIZE), 0L));
  info.max_buffer_bytes = info.memory_bytes;
  return info;
}

}  // namespace rayo
