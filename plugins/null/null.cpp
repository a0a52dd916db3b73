// SPDX-License-Identifier: Apache-2.0
//
// The smallest plugin that is ready: no kernels, no devices, no ops. It shows what every plugin must have, written
// against plugin.h without the helpers of plugin.hpp:
//
//   1. a note, read by the core before it loads the file;
//   2. one exported function, rayo_plugin_query, which answers with
//   3. a read-only rayo_plugin, whose create and destroy make one instance per runtime.
//
// To grow it: list kernels in `kernels` (plugin-api/template shows one that computes), give ops of your own a schema
// in `schemas`, and put a device tier behind `device_api` (then say RAYO_TIER_DEVICE in the note).
#include <rayo/abi_check.h>
#include <rayo/plugin.h>

#include <new>

// The plugin's own state for one runtime. The host pointer lives here and nowhere else: a second runtime in the same
// process makes a second instance.
struct rayo_instance {
  const rayo_host *host;
};

namespace {

rayo_status create(const rayo_host *host, rayo_instance **out, rayo_error *error) noexcept {
  auto *instance = new (std::nothrow) rayo_instance{host};
  if (instance == nullptr) {
    // The text of an error may be left empty; the status alone already says what to do.
    if (error != nullptr) *error = rayo_error{RAYO_OUT_OF_MEMORY, "null: no memory for an instance"};
    return RAYO_OUT_OF_MEMORY;
  }
  *out = instance;
  return RAYO_OK;
}

void destroy(rayo_instance *instance) noexcept { delete instance; }

constexpr rayo_plugin make_plugin() {
  rayo_plugin p{};  // whatever is not set below is zero: no kernels, no schemas, no device_api, no extensions
  p.struct_size = sizeof(rayo_plugin);
  p.struct_type = RAYO_TYPE_PLUGIN;
  p.abi_version = RAYO_ABI_VERSION;
  p.name = "null";
  p.vendor = "Rayo";
  p.version = "0.1.0";
  p.description = "skeleton without kernels or devices";
  p.preference = 0;
  p.create = create;
  p.destroy = destroy;
  return p;
}

constexpr rayo_plugin kPlugin = make_plugin();

}  // namespace

RAYO_PLUGIN_NOTE("null", "Rayo", RAYO_TIER_HOST, 0, RAYO_THREADS_NONE, RAYO_FORK_SAFE, 0);

RAYO_PLUGIN_ENTRY(null)(const rayo_host *host, uint32_t max_abi, const rayo_plugin **out_plugin) {
  if (host == nullptr || out_plugin == nullptr) return RAYO_INVALID_ARGUMENT;
  *out_plugin = nullptr;
  if (max_abi >> 16 != RAYO_ABI_MAJOR) return RAYO_REFUSED;  // minors never refuse
  *out_plugin = &kPlugin;
  return RAYO_OK;
}
