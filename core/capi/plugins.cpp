// SPDX-License-Identifier: Apache-2.0
//
// What a runtime found: plugin files with their verdicts, and the devices they brought.
#include "base/env.hpp"
#include "base/sha256.hpp"
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
    info.reason = record.reason.c_str();
    info.state = static_cast<uint32_t>(record.state);
    info.kernel_count = record.kernel_count;
    write_struct(out_info, info, RAYO_TYPE_PLUGIN_INFO, "out_info");
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
    write_struct(out_device, listing, RAYO_TYPE_DEVICE_LISTING, "out_device");
  });
}

}  // extern "C"
