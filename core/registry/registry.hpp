// SPDX-License-Identifier: Apache-2.0
//
// What a runtime found: every plugin file with its verdict, the kernels of the ready ones, the ops. Immutable after
// build_registry, so it is read without locks.
#pragma once

#include <rayo/plugin.h>

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/log.hpp"
#include "registry/ops.hpp"

namespace rayo {

class Trace;

enum class PluginState : uint32_t { ready = 0, rejected = 1, quarantined = 2 };  // RAYO_PLUGIN_*

struct PluginRecord {
  PluginRecord() = default;
  ~PluginRecord();  // destroys the instance
  PluginRecord(const PluginRecord &) = delete;
  PluginRecord &operator=(const PluginRecord &) = delete;

  std::string file;
  std::string name;  // from the note or the plugin; "" when the file could not tell
  std::string vendor;
  std::string version;
  std::string reason;  // "" when ready
  PluginState state = PluginState::rejected;
  uint32_t kernel_count = 0;
  uint32_t launch_mark = 0;             // what its calls leave in their thread's slot; 0 = nothing
  const rayo_plugin *plugin = nullptr;  // ready only
  rayo_instance *instance = nullptr;    // ready only
  // SHA-256 of the file in hex, read on first request; "" when unreadable. Thread-safe.
  const std::string &sha256() const;
  void set_sha256(const std::string &hash);  // known already; before the first request

 private:
  mutable std::once_flag hashed_;
  mutable std::string sha256_;
};

struct KernelRecord {
  const rayo_kernel *kernel = nullptr;
  const PluginRecord *owner = nullptr;
  rayo_op op = RAYO_OP_NONE;
  TypeBindings types;
};

struct DeviceRecord {
  std::string id;
  std::string name;
  uint32_t kind = 0;  // RAYO_DEVICE_KIND_*
  uint32_t plugin = 0;
  bool device_tier = false;  // false: a CPU plugin under its own name; what follows is then empty
  uint32_t index = 0;        // for device_open
  rayo_device_info info{};
};

struct RegistryOptions {
  std::vector<std::string> folders;  // searched in order; what the search rules refuse becomes a rejected record
  std::vector<std::string> files;    // single files: a refused one fails the build
  uint64_t cpu_features = 0;         // RAYO_CPU_*, after cpu_disable
  bool require_conformance = false;  // accept only plugins that a certificate covers
  bool trust_files = false;          // `files` are loaded without a probe
  bool list_refused_files = false;   // a refused one of `files` is listed instead of failing the build
  bool use_verdict_cache = true;
  uint32_t probe_ms = 0;                          // limit of each probe; 0 = the usual
  std::function<void(const char *what)> on_step;  // before each piece of a plugin's code that is run; may be empty
  Trace *trace = nullptr;                         // a span for each file; nullptr = off
};

class Registry {
 public:
  Registry() = default;
  ~Registry() = default;  // with the instances of its plugins; libraries stay loaded
  Registry(const Registry &) = delete;
  Registry &operator=(const Registry &) = delete;

  const std::vector<std::unique_ptr<PluginRecord>> &plugins() const { return plugins_; }
  const std::vector<DeviceRecord> &devices() const { return devices_; }
  const std::vector<std::unique_ptr<KernelRecord>> &all_kernels() const { return kernels_; }
  // Kernels of an op, best first by the static order (preference descending, then plugin name). Empty for unknown ops.
  const std::vector<const KernelRecord *> &kernels(rayo_op op) const;
  const Schema *schema(rayo_op op) const;  // nullptr for an unknown op
  const std::vector<const Schema *> &schemas() const { return schemas_; }
  const PluginRecord *find_plugin(std::string_view name) const;  // ready ones only

 private:
  friend class RegistryBuilder;
  std::vector<std::unique_ptr<PluginRecord>> plugins_;
  std::vector<std::unique_ptr<KernelRecord>> kernels_;
  std::unordered_map<rayo_op, std::vector<const KernelRecord *>> by_op_;
  std::vector<std::unique_ptr<Schema>> vendor_schemas_;
  std::vector<const Schema *> schemas_;
  std::vector<DeviceRecord> devices_;
};

// Searches, looks, gates, loads and starts plugins. `host` outlives the registry and is passed to every plugin.
std::unique_ptr<Registry> build_registry(const RegistryOptions &options, const rayo_host &host, const Log &log);

}  // namespace rayo
