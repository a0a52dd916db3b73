// SPDX-License-Identifier: Apache-2.0
//
// The Vulkan plugin: identity, note, instance, devices, and the table of its device functions.
#include <rayo/abi_check.h>
#include <rayo/plugin.hpp>

#include <algorithm>

#include "control.h"
#include "kernel.h"
#include "queue.h"
#include "spirv.h"

namespace rayo::vulkan {
namespace {

rayo_status create(const rayo_host *host, rayo_instance **out, rayo_error *error) {
  return fence(error, [&] { *out = new rayo_instance{host, {}, {}}; });
}
void destroy(rayo_instance *instance) { delete instance; }

rayo_status enumerate(rayo_instance *instance, uint32_t capacity, rayo_device_info *const *out, uint32_t *out_count,
                      rayo_error *error) {
  return fence(error, [&] {
    const std::vector<rayo_device_info> devices = devices_of(instance);
    const auto count = static_cast<uint32_t>(devices.size());
    for (uint32_t i = 0; i < std::min(capacity, count); ++i) plugin::fill(out[i], devices[i]);
    *out_count = count;
  });
}

rayo_status device_open(rayo_instance *instance, uint32_t index, rayo_device **out, rayo_error *error) {
  return fence(error, [&] {
    std::shared_ptr<Driver> driver = driver_of(instance);
    const size_t count = driver->devices().size();
    if (index >= count)
      throw Error(RAYO_NOT_FOUND, "device_open: plugin vulkan has no device " + std::to_string(index) + "; there are " +
                                      std::to_string(count) + (count == 0 ? ": " + driver->reason() : ""));
    auto device = std::make_unique<rayo_device>();
    device->device = Device::open(std::move(driver), index);
    *out = device.release();
  });
}

void device_close(rayo_device *device) {
  if (device == nullptr || device->device->forked()) return;
  delete device;
}

// ---- For tests -----------------------------------------------------------------------------------------------------

uint64_t validation_messages(rayo_instance *instance) { return driver_of(instance)->validation_messages(); }
void misuse(rayo_device *handle) {
  Device &device = *handle->device;
  const VkBufferCreateInfo nothing{VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO};  // of size 0
  VkBuffer made = VK_NULL_HANDLE;
  if (device.vk.CreateBuffer(device.handle(), &nothing, nullptr, &made) == VK_SUCCESS)
    device.vk.DestroyBuffer(device.handle(), made, nullptr);
}
uint64_t live_bytes(rayo_device *device) { return device->device->live_bytes; }

void inject(rayo_device *device, uint32_t fault, uint64_t at) {
  Faults &faults = device->device->faults;
  const uint64_t calls = at == 0 ? 0 : faults.calls + at;
  if (fault == VULKAN_FAULT_OOM) faults.memory_at = calls;
  if (fault == VULKAN_FAULT_LOST) faults.lost_at = calls;
  if (fault == VULKAN_FAULT_HANG) faults.hang_at = at == 0 ? 0 : faults.submissions + at;
}

void set_watchdog(rayo_device *device, uint64_t milliseconds) {
  const std::lock_guard lock(device->device->mutex);
  device->device->watchdog_ns = milliseconds * 1000000;
}

const uint32_t *shader(rayo_device *device, uint32_t index, uint32_t exact, const char **out_name,
                       uint64_t *out_words) {
  thread_local std::vector<uint32_t> words;
  words.clear();
  *out_name = "";
  *out_words = 0;
  if (index > static_cast<uint32_t>(Shader::matmul)) return nullptr;
  const auto which = static_cast<Shader>(index);
  fence(static_cast<rayo_error *>(nullptr), [&] {
    const auto plain = embedded(which);
    words.assign(plain.begin(), plain.end());
    if (exact != 0) words = with_exact_arithmetic(plain, device->device->physical().floats);
  });
  *out_name = shader_name(which);
  *out_words = words.size();
  return words.data();
}

constexpr vulkan_control kControl = {
    sizeof(vulkan_control), 0, nullptr, validation_messages, misuse, live_bytes, inject, set_watchdog, shader};

const void *get_extension(rayo_instance *, const char *name, uint32_t min_version) {
  const bool known = std::string_view(name) == VULKAN_CONTROL_NAME && min_version <= VULKAN_CONTROL_VERSION;
  return known ? &kControl : nullptr;
}

// ---- Tables --------------------------------------------------------------------------------------------------------

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
constexpr rayo_device_api kDeviceApi = make_api();

// Preference 0: where nothing was measured, no host kernel stands behind this plugin.
constexpr rayo_plugin make_plugin() {
  rayo_plugin p = rayo::plugin::plugin({.name = "vulkan",
                                        .vendor = "Rayo",
                                        .version = RAYO_PLUGIN_VERSION,
                                        .description = "Vulkan 1.2 compute devices, f32",
                                        .preference = 0},
                                       {});
  p.kernel_count = kKernelCount;
  p.kernels = kKernels.list;
  p.device_api = &kDeviceApi;
  p.create = create;
  p.destroy = destroy;
  p.get_extension = get_extension;
  return p;
}
constexpr rayo_plugin kPlugin = make_plugin();

}  // namespace
}  // namespace rayo::vulkan

// Drivers bring threads; a queue has one of its own where it copies behind other work. Their start may compile.
RAYO_PLUGIN_NOTE("vulkan", "Rayo", RAYO_TIER_DEVICE, 0, RAYO_THREADS_OWN, RAYO_FORK_UNSAFE, 15000);

RAYO_PLUGIN(vulkan, rayo::vulkan::kPlugin)
