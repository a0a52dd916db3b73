// SPDX-License-Identifier: Apache-2.0
//
// A CUDA device: enumeration, opening, kernels by name, the end of it.
#include "device.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "images.h"
#include "libraries.h"

namespace rayo::cuda {
namespace {

/// Freed memory that the pool keeps for the next allocation; more goes back to the driver at the next synchronisation.
constexpr uint64_t kPoolKeeps = uint64_t{1} << 30;

/// Errors after which a context answers nothing but errors.
bool is_loss(Result result) {
  return result == kDeinitialized || result == kInvalidContext || result == kEccError || result == kIllegalAddress ||
         result == kLaunchTimeout || result == kContextDestroyed || result == kAssert ||
         (result >= kHardwareStack && result <= kLaunchFailed) || result == kUnknown;
}

rayo_status status_of(Result result) {
  if (result == kOutOfMemory) return RAYO_OUT_OF_MEMORY;
  if (result == kInvalidValue) return RAYO_INVALID_ARGUMENT;
  return is_loss(result) ? RAYO_DEVICE_LOST : RAYO_INTERNAL;
}

const char *hint_of(rayo_status status) {
  switch (status) {
    case RAYO_OUT_OF_MEMORY:
      return "free buffers, or split the work";
    case RAYO_DEVICE_LOST:
      return "close the device; the kernel log (dmesg, Xid) says why, and work goes on elsewhere";
    case RAYO_INVALID_ARGUMENT:
      return "an address is not the device's";
    default:
      return "this is a defect of the plugin or the driver; please report it";
  }
}

rayo_status enumerate(rayo_instance *instance, uint32_t capacity, rayo_device_info *const *out, uint32_t *out_count,
                      rayo_error *error) {
  return fence(error, [&] {
    const Driver &driver = *instance->driver;
    int count = 0;
    const Result counted = driver.device_count(&count);
    if (counted != kSuccess) throw Error(RAYO_INTERNAL, "counting CUDA devices: " + driver.describe(counted));
    *out_count = static_cast<uint32_t>(count);
    for (int i = 0; i < count && static_cast<uint32_t>(i) < capacity; ++i) {
      rayo_device_info info{};
      std::size_t memory = 0;
      if (driver.device_memory(&memory, i) != kSuccess) memory = 0;
      std::snprintf(info.id, sizeof info.id, "cuda%d", i);
      if (driver.device_name(info.name, sizeof info.name, i) != kSuccess) info.name[0] = '\0';
      std::snprintf(info.driver, sizeof info.driver, "CUDA %d.%d", driver.version / 1000, driver.version % 1000 / 10);
      info.dl = {kDLCUDA, i};
      info.flags = RAYO_DEVICE_HOST_IMPORT | RAYO_DEVICE_PEER_POINTERS | (is_simulation() ? RAYO_DEVICE_SOFTWARE : 0u);
      info.alignment = 4;
      info.memory_bytes = info.max_buffer_bytes = memory;
      plugin::fill(out[i], info);
    }
  });
}

rayo_status device_open(rayo_instance *instance, uint32_t index, rayo_device **out, rayo_error *error) {
  return fence(error, [&] {
    int count = 0;
    instance->driver->device_count(&count);
    if (index >= static_cast<uint32_t>(count))
      throw Error(RAYO_NOT_FOUND,
                  "device index " + std::to_string(index) + ": there are " + std::to_string(count) + " CUDA devices");
    *out = new rayo_device{std::make_shared<Shared>(instance->host, instance->driver, static_cast<Ordinal>(index))};
  });
}

void device_close(rayo_device *device) {
  if (!device->shared->forked()) delete device;
}

rayo_status buffer_create(rayo_device *device, const rayo_buffer_desc *desc, rayo_buffer **out, rayo_error *error) {
  return fence(error, [&] {
    Shared &shared = *device->shared;
    shared.check_usable();
    plugin::check_extensions(desc->next);
    if (desc->memory != RAYO_MEMORY_DEVICE && desc->memory != RAYO_MEMORY_PINNED)
      throw Error(RAYO_UNSUPPORTED, "memory kind " + std::to_string(desc->memory) + ": " + shared.id +
                                        " has RAYO_MEMORY_DEVICE and RAYO_MEMORY_PINNED");
    if (desc->size > shared.memory_bytes)
      throw Error(RAYO_OUT_OF_MEMORY, "a buffer of " + std::to_string(desc->size) + " bytes is above the " +
                                          std::to_string(shared.memory_bytes) + " of " + shared.id + " (" +
                                          shared.name + "); split the work");
    *out = new rayo_buffer{std::make_shared<Memory>(device->shared, desc->size, desc->memory)};
  });
}

rayo_status buffer_import(rayo_device *device, void *host, uint64_t size, rayo_buffer **out, rayo_error *error) {
  return fence(error, [&] {
    device->shared->check_usable();
    if (host == nullptr || size == 0) throw Error(RAYO_INVALID_ARGUMENT, "there is no memory to import");
    *out = new rayo_buffer{std::make_shared<Memory>(device->shared, host, size)};
  });
}

void buffer_destroy(rayo_buffer *buffer) {
  if (!buffer->memory->shared->forked()) delete buffer;
}

rayo_status buffer_map(rayo_buffer *buffer, void **out_host, rayo_error *error) {
  return fence(error, [&] {
    buffer->memory->shared->check_usable();
    if (buffer->memory->host == nullptr)
      throw Error(RAYO_UNSUPPORTED, "device memory of " + buffer->memory->shared->id +
                                        " has no host address; use RAYO_MEMORY_PINNED or copy");
    *out_host = buffer->memory->host;
  });
}

rayo_status buffer_handle(rayo_buffer *buffer, void **out_handle, rayo_error *error) {
  return fence(error, [&] {
    buffer->memory->shared->check_usable();
    *out_handle = reinterpret_cast<void *>(buffer->memory->address);
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

Shared::Shared(const rayo_host *the_host, std::shared_ptr<const Driver> the_driver, Ordinal the_ordinal)
    : host(the_host),
      driver(std::move(the_driver)),
      ordinal(the_ordinal),
      pid(getpid()),
      id("cuda" + std::to_string(the_ordinal)) {
  char text[128] = "";
  if (driver->device_name(text, sizeof text, ordinal) == kSuccess) name = text;
  std::size_t memory = 0;
  check(driver->device_memory(&memory, ordinal), "reading its memory size");
  memory_bytes = memory;
  int pools = 0;
  driver->device_attribute(&sms, kAttributeSms, ordinal);
  driver->device_attribute(&pools, kAttributePools, ordinal);
  check(driver->context_retain(&context, ordinal), "opening its context");
  try {
    const Current current(*this);
    check(driver->stream_create(&memory_stream, kStreamNonBlocking), "making a stream");
    if (pools == 0) return;
    PoolProps props;
    props.location_id = ordinal;
    check(driver->pool_create(&pool, &props), "making its memory pool");
    uint64_t keep = kPoolKeeps;
    check(driver->pool_set(pool, kPoolReleaseThreshold, &keep), "bounding its memory pool");
  } catch (...) {
    driver->context_release(ordinal);
    throw;
  }
}

Shared::~Shared() {
  {
    const Current current(*this);
    blas_.reset();
    solver_.reset();
    for (Event event : free_events) driver->event_destroy(event);
    for (const auto &[image, module] : modules) driver->module_unload(module);
    if (pool != nullptr) driver->pool_destroy(pool);
    driver->stream_destroy(memory_stream);
  }
  driver->context_release(ordinal);
}

bool Shared::forked() const { return pid != getpid(); }

void Shared::check_usable() {
  // First the pid, before any lock: in a forked child a lock may be held by a thread that does not exist.
  if (forked())
    throw Error(RAYO_FORKED, id + " belongs to the parent of this process, and CUDA cannot be opened anew in a forked "
                                  "child; start the child by exec");
  const std::lock_guard lock(mutex);
  if (lost) throw Error(lost->status, lost->text);
}

void Shared::lose(Result result, const std::string &what) {
  if (lost) return;
  lost = Failure{RAYO_DEVICE_LOST, id + " (" + name + ") was lost: " + what + ": " + driver->describe(result) + "; " +
                                       hint_of(RAYO_DEVICE_LOST)};
  changed.notify_all();
}

void Shared::check(Result result, const std::string &what) {
  if (result == kSuccess) return;
  const rayo_status status = status_of(result);
  if (status == RAYO_DEVICE_LOST) {
    const std::lock_guard lock(mutex);
    lose(result, what);
    throw Error(lost->status, lost->text);
  }
  throw Error(status, id + " (" + name + "): " + what + ": " + driver->describe(result) + "; " + hint_of(status));
}

bool Shared::poll(Mark &mark) {
  if (mark.done || lost) return mark.done;
  const Result result = driver->event_query(mark.event);
  if (result == kSuccess) {
    mark.done = true;
  } else if (result != kNotReady) {
    lose(result, "queued work");
  }
  return mark.done;
}

void Shared::advance(Timeline &timeline) {
  while (!timeline.pending.empty() && poll(*timeline.pending.front().mark)) {
    timeline.reached = std::max(timeline.reached, timeline.pending.front().value);
    timeline.pending.pop_front();
  }
}

void Shared::retire_all() {
  for (rayo_queue *queue : queues) {
    while (!queue->records.empty() && poll(*queue->records.front().mark)) queue->records.pop_front();
  }
}

Function Shared::function(int image, const char *kernel) {
  const std::lock_guard lock(modules_mutex);
  if (const auto found = functions.find(kernel); found != functions.end()) return found->second;
  const Current current(*this);
  if (!modules.contains(image)) {
    const Image &source = images()[image];
    Module module = nullptr;
    Result loaded = driver->module_load(&module, source.binary);
    // No code for this architecture: the driver compiles the PTX, once, and caches it.
    if (loaded != kSuccess) loaded = driver->module_load(&module, source.ptx);
    check(loaded, std::string("loading the kernels of module ") + source.name);
    modules[image] = module;
  }
  Function function = nullptr;
  check(driver->module_function(&function, modules[image], kernel), std::string("looking for kernel ") + kernel);
  functions[kernel] = function;
  return function;
}

Blas &Shared::blas() {
  const std::lock_guard lock(modules_mutex);
  if (blas_ == nullptr) {
    const Current current(*this);
    blas_ = std::make_unique<Blas>(*this);
  }
  return *blas_;
}

Solver &Shared::solver() {
  const std::lock_guard lock(modules_mutex);
  if (solver_ == nullptr) {
    const Current current(*this);
    solver_ = std::make_unique<Solver>(*this);
  }
  return *solver_;
}

Mark::Mark(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {
  {
    const std::lock_guard lock(shared_->marks_mutex);
    if (!shared_->free_events.empty()) {
      event = shared_->free_events.back();
      shared_->free_events.pop_back();
      return;
    }
  }
  const Result made = shared_->driver->event_create(&event, kEventDisableTiming);
  if (made != kSuccess)
    throw Error(status_of(made), shared_->id + ": making an event: " + shared_->driver->describe(made));
}

Mark::~Mark() {
  const std::lock_guard lock(shared_->marks_mutex);
  shared_->free_events.push_back(event);
}

}  // namespace rayo::cuda
