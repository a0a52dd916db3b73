// SPDX-License-Identifier: Apache-2.0
//
// The mock device as a plugin: query, instance, control extension, note.
#include <rayo/abi_check.h>
#include <rayo/plugin.hpp>

#include "control.h"
#include "mock.h"

namespace {

rayo_status create(const rayo_host *host, rayo_instance **out, rayo_error *error) {
  return rayo::plugin::fence(error, [&] { *out = new rayo_instance{host}; });
}

void destroy(rayo_instance *instance) { delete instance; }

void pause(rayo_device *device, uint32_t on) {
  std::lock_guard lock(device->shared->mutex);
  device->shared->paused = on != 0;
  device->shared->changed.notify_all();
}

void lose(rayo_device *device) {
  std::lock_guard lock(device->shared->mutex);
  device->shared->lost = true;
  device->shared->changed.notify_all();
}

uint64_t live_bytes(rayo_device *device) {
  std::lock_guard lock(device->shared->mutex);
  return device->shared->live_bytes;
}

constexpr mock_control kControl = {sizeof(mock_control), 0, nullptr, pause, lose, live_bytes};

const void *get_extension(rayo_instance *, const char *name, uint32_t min_version) {
  if (std::string_view(name) == MOCK_FAULTS_NAME && min_version <= MOCK_FAULTS_VERSION) return &mock::kFaults;
  const bool known = std::string_view(name) == MOCK_CONTROL_NAME && min_version <= MOCK_CONTROL_VERSION;
  return known ? &kControl : nullptr;
}

constexpr rayo_plugin make_plugin() {
  rayo_plugin p =
      rayo::plugin::plugin({.name = MOCK_NAME,
                            .vendor = "Rayo tests",
                            .version = "0.1.0",
                            .description = "asynchronous device with memory of its own, for judging the ABI",
                            .preference = 0},
                           {}, {});
  p.kernel_count = mock::kKernelCount;
  p.kernels = mock::kKernels;
  p.schema_count = 1;
  p.schemas = mock::kSchemas;
  p.device_api = &mock::kDeviceApi;
  p.create = create;
  p.destroy = destroy;
  p.get_extension = get_extension;
  return p;
}

constexpr rayo_plugin kPlugin = make_plugin();

}  // namespace

RAYO_PLUGIN_NOTE(MOCK_NAME, "Rayo tests", RAYO_TIER_DEVICE, 0, RAYO_THREADS_OWN, RAYO_FORK_UNSAFE, 0);
RAYO_PLUGIN(mock, kPlugin)
