// SPDX-License-Identifier: Apache-2.0
//
// What a runtime found: plugin files with their verdicts, and the devices they brought.
#include <chrono>
#include <thread>

#include "base/env.hpp"
#include "base/in_flight.hpp"
#include "base/sha256.hpp"
#include "capi/profile.hpp"
#include "capi/runtime.hpp"
#include "capi/structs.hpp"
#include "loader/verdict_cache.hpp"

namespace {

using namespace rayo;

template <class List>
const auto &at_index(const List &list, uint32_t index, const char *what) {
  if (index >= list.size()) {
    fail(RAYO_INVALID_ARGUMENT, "{} index {} is out of range; there are {}", what, index, list.size());
  }
  return list[index];
}

// Readers see a new registry before the table of the profile for it, and bind by the static order in between. Throws
// with nothing changed; once the registry is out, nothing fails any more.
void change_registry(rayo_runtime *runtime, std::unique_ptr<Registry> next) {
  runtime->registry.publish(std::move(next));
  try {
    publish_profile(runtime, runtime->profile_in_use);
  } catch (const std::exception &error) {  // memory too
    runtime->log(RAYO_LOG_WARN, "the device profile is not used any more: {}", error.what());
    publish_profile(runtime, std::nullopt);
  }
}

PluginRecord &unloadable(const Registry &registry, std::string_view name) {
  std::string ready;
  for (const auto &record : registry.plugins()) {
    if (!record->ready()) continue;
    if (record->name != name) {
      ready += (ready.empty() ? "" : ", ") + record->name;
      continue;
    }
    if (name == "scalar") {
      fail(RAYO_UNSUPPORTED, "plugin 'scalar' stays: guards compare with it, and it is the last to fall back to");
    }
    if (record->plugin->device_api != nullptr) {
      fail(RAYO_UNSUPPORTED,
           "plugin {} has devices, whose buffers and queues may be in use: it goes with its runtime "
           "(rayo_runtime_destroy)",
           quote(name));
    }
    return *record;
  }
  fail(RAYO_NOT_FOUND, "no ready plugin is called {}; ready are: {}", quote(name), ready);
}

// Nothing uses a plugin that is leaving once its running and its queued calls have ended.
void drain(const rayo_runtime &runtime, PluginRecord *plugin) {
  wait_for_calls(plugin);
  while (plugin->queued.load(std::memory_order_acquire) != 0) {
    std::this_thread::sleep_for(std::chrono::microseconds(100));
  }
  runtime.plans->release_of(*plugin);
  plugin->end();
}

}  // namespace

extern "C" {

uint32_t rayo_plugin_count(const rayo_runtime *runtime) {
  return runtime != nullptr ? static_cast<uint32_t>(runtime->registry->plugins().size()) : 0;
}

rayo_status rayo_plugin_get(const rayo_runtime *runtime, uint32_t index, rayo_plugin_info *out_info) {
  return fence([&] {
    if (runtime == nullptr) fail(RAYO_INVALID_ARGUMENT, "runtime is NULL");
    const PluginRecord &record = *at_index(runtime->registry->plugins(), index, "plugin");
    rayo_plugin_info info{};
    info.name = record.name.c_str();
    info.file = record.file.c_str();
    info.sha256 = record.sha256().c_str();
    info.vendor = record.vendor.c_str();
    info.version = record.version.c_str();
    info.state = record.state_now();
    info.reason = info.state == RAYO_PLUGIN_UNLOADED ? kUnloaded : record.reason.c_str();
    info.kernel_count = record.kernel_count;
    write_struct(out_info, info, RAYO_TYPE_PLUGIN_INFO, "out_info");
  });
}

rayo_status rayo_plugin_load(rayo_runtime *runtime, const char *file, uint32_t *out_index) {
  return fence([&] {
    if (runtime == nullptr || file == nullptr) {
      fail(RAYO_INVALID_ARGUMENT, "{} is NULL", runtime == nullptr ? "runtime" : "file");
    }
    const std::lock_guard lock(runtime->change_mutex);
    auto next = registry_with(*runtime->registry, file, runtime->registry_options, runtime->host, runtime->log);
    const auto index = static_cast<uint32_t>(next->plugins().size() - 1);
    change_registry(runtime, std::move(next));
    if (out_index != nullptr) *out_index = index;
  });
}

rayo_status rayo_plugin_unload(rayo_runtime *runtime, const char *name) {
  return fence([&] {
    if (runtime == nullptr || name == nullptr) {
      fail(RAYO_INVALID_ARGUMENT, "{} is NULL", runtime == nullptr ? "runtime" : "name");
    }
    check_can_wait_for_calls("rayo_plugin_unload");
    const std::lock_guard lock(runtime->change_mutex);
    PluginRecord &plugin = unloadable(*runtime->registry, name);
    auto next = registry_without(*runtime->registry, plugin);
    change_registry(runtime, std::move(next));
    plugin.leaving.store(true, std::memory_order_release);  // for those that still look into an earlier registry
    drain(*runtime, &plugin);
  });
}

rayo_status rayo_plugin_forget(const char *file) {
  return fence([&] {
    if (file == nullptr) fail(RAYO_INVALID_ARGUMENT, "file is NULL");
    const std::string sha256 = sha256_of_file(file);
    if (sha256.empty()) fail(RAYO_NOT_FOUND, "plugin file {} cannot be read; check the path", quote(file));
    VerdictCache cache(VerdictCache::default_path());
    cache.forget(sha256);
    cache.save(Log());
  });
}

uint32_t rayo_device_count(const rayo_runtime *runtime) {
  return runtime != nullptr ? static_cast<uint32_t>(runtime->registry->devices().size()) : 0;
}

rayo_status rayo_device_get(const rayo_runtime *runtime, uint32_t index, rayo_device_listing *out_device) {
  return fence([&] {
    if (runtime == nullptr) fail(RAYO_INVALID_ARGUMENT, "runtime is NULL");
    const DeviceRecord &record = at_index(runtime->registry->devices(), index, "device");
    rayo_device_listing listing{};
    listing.id = record.id.c_str();
    listing.name = record.name.c_str();
    listing.kind = record.kind;
    listing.plugin = record.plugin;
    listing.driver = record.info.driver;
    write_struct(out_device, listing, RAYO_TYPE_DEVICE_LISTING, "out_device");
  });
}

}  // extern "C"
