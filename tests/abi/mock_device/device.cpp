// SPDX-License-Identifier: Apache-2.0
//
// The mock device itself: enumeration, opening, memory.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "mock.h"

namespace mock {

bool forked(const Shared &shared) { return shared.pid != getpid(); }

void check_usable(const Shared &shared) {
  // First the pid, before any lock: in a forked child a lock may be held by a thread that does not exist.
  if (forked(shared)) throw Error(RAYO_FORKED, "mock0 belongs to the parent of this process; open it again there");
  auto &own = const_cast<Shared &>(shared);
  try {
    fault_point();
  } catch (const Error &error) {
    std::lock_guard lock(own.mutex);
    own.lost = own.lost || error.status() == RAYO_DEVICE_LOST;
    own.changed.notify_all();
    throw;
  }
  std::lock_guard lock(own.mutex);
  if (shared.lost) throw Error(RAYO_DEVICE_LOST, "mock0 was lost");
}

Memory::Memory(std::shared_ptr<Shared> owner, uint64_t length, uint32_t memory_kind)
    : shared(std::move(owner)), bytes(length), data(bytes.data()), size(length), kind(memory_kind) {
  std::lock_guard lock(shared->mutex);
  if (shared->live_bytes + length > kMemoryBytes)
    throw Error(RAYO_OUT_OF_MEMORY, "mock0 has " + std::to_string(kMemoryBytes - shared->live_bytes) + " bytes left, " +
                                        std::to_string(length) + " were asked for");
  shared->live_bytes += length;
}

Memory::Memory(std::shared_ptr<Shared> owner, std::byte *host, uint64_t length)
    : shared(std::move(owner)), data(host), size(length), kind(RAYO_MEMORY_UNIFIED) {}

Memory::~Memory() {
  std::lock_guard lock(shared->mutex);
  shared->live_bytes -= bytes.size();
}

namespace {

rayo_status enumerate(rayo_instance *, uint32_t capacity, rayo_device_info *const *out, uint32_t *out_count,
                      rayo_error *) {
  *out_count = 1;
  if (capacity == 0) return RAYO_OK;
  rayo_device_info info{};
  std::snprintf(info.id, sizeof info.id, MOCK_NAME "0");
  std::snprintf(info.name, sizeof info.name, "mock device with memory of its own");
  const char *driver = std::getenv("RAYO_MOCK_DRIVER");
  std::snprintf(info.driver, sizeof info.driver, "%s", driver != nullptr ? driver : "threads");
  info.dl = {kDLExtDev, MOCK_DEVICE_ID};
  info.flags = RAYO_DEVICE_SOFTWARE | MOCK_DEVICE_FLAGS;
  if (g_unified) info.flags |= RAYO_DEVICE_UNIFIED | RAYO_DEVICE_HOST_IMPORT;
  info.alignment = 4;
  info.memory_bytes = kMemoryBytes;
  info.max_buffer_bytes = kMaxBufferBytes;
  rayo::plugin::fill(out[0], info);
  return RAYO_OK;
}

rayo_status device_open(rayo_instance *instance, uint32_t index, rayo_device **out, rayo_error *error) {
  return fence(error, [&] {
    if (index != 0) throw Error(RAYO_NOT_FOUND, "device index " + std::to_string(index) + ": there is only 0");
    fault_point();
    auto shared = std::make_shared<Shared>();
    shared->unified = g_unified;
    shared->host = instance->host;
    shared->pid = getpid();
    *out = new rayo_device{std::move(shared)};
  });
}

void device_close(rayo_device *device) {
  if (!forked(*device->shared)) delete device;
}

rayo_status buffer_create(rayo_device *device, const rayo_buffer_desc *desc, rayo_buffer **out, rayo_error *error) {
  return fence(error, [&] {
    check_usable(*device->shared);
    rayo::plugin::check_extensions(desc->next);
    const bool unified = device->shared->unified && desc->memory == RAYO_MEMORY_UNIFIED;
    if (desc->memory != RAYO_MEMORY_DEVICE && desc->memory != RAYO_MEMORY_PINNED && !unified)
      throw Error(RAYO_UNSUPPORTED,
                  "memory kind " + std::to_string(desc->memory) + ": mock0 has RAYO_MEMORY_DEVICE and _PINNED");
    if (desc->size > kMaxBufferBytes)
      throw Error(RAYO_OUT_OF_MEMORY, "a buffer of " + std::to_string(desc->size) +
                                          " bytes is above mock0's limit of " + std::to_string(kMaxBufferBytes));
    auto memory = std::make_shared<Memory>(device->shared, desc->size, desc->memory);
    *out = new rayo_buffer{std::move(memory)};
  });
}

rayo_status buffer_import(rayo_device *device, void *host, uint64_t size, rayo_buffer **out, rayo_error *error) {
  return fence(error, [&] {
    check_usable(*device->shared);
    if (!device->shared->unified)
      throw Error(RAYO_UNSUPPORTED, "mock0 cannot reach host memory; copy it into a buffer");
    *out = new rayo_buffer{std::make_shared<Memory>(device->shared, static_cast<std::byte *>(host), size)};
    ++g_imports;
  });
}

void buffer_destroy(rayo_buffer *buffer) {
  if (!forked(*buffer->memory->shared)) delete buffer;
}

rayo_status buffer_map(rayo_buffer *buffer, void **out_host, rayo_error *error) {
  return fence(error, [&] {
    check_usable(*buffer->memory->shared);
    if (buffer->memory->kind == RAYO_MEMORY_DEVICE)
      throw Error(RAYO_UNSUPPORTED, "device memory of mock0 has no host address; use RAYO_MEMORY_PINNED or copy");
    *out_host = buffer->memory->data;
  });
}

rayo_status buffer_handle(rayo_buffer *buffer, void **out_handle, rayo_error *error) {
  return fence(error, [&] {
    check_usable(*buffer->memory->shared);
    *out_handle = buffer;  // a name for the memory, not its address
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
  api.buffer_map = buffer_map;
  api.buffer_handle = buffer_handle;
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

}  // namespace

constexpr rayo_device_api kDeviceApi = make_api();

}  // namespace mock
