// SPDX-License-Identifier: Apache-2.0
//
// What a runtime found: every plugin file with its verdict, the kernels of the ready ones, the ops. Immutable, so it is
// read without locks; loading and unloading a plugin makes another one, which shares what stays.
#pragma once

#include <rayo/plugin.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/log.hpp"
#include "registry/ops.hpp"

namespace rayo {

class RemotePlugin;
class Trace;

enum class PluginState : uint32_t { ready = 0, rejected = 1, quarantined = 2 };  // RAYO_PLUGIN_*

inline constexpr const char *kUnloaded = "was unloaded by rayo_plugin_unload";

struct PluginRecord {
  PluginRecord() = default;
  ~PluginRecord() { end(); }
  PluginRecord(const PluginRecord &) = delete;
  PluginRecord &operator=(const PluginRecord &) = delete;

  std::string file;
  std::string name;  // from the note or the plugin; "" when the file could not tell
  std::string vendor;
  std::string version;
  std::string reason;  // "" when ready
  PluginState state = PluginState::rejected;
  uint32_t kernel_count = 0;
  uint32_t launch_mark = 0;              // what its calls leave in their thread's slot; 0 = nothing
  const rayo_plugin *plugin = nullptr;   // ready only
  rayo_instance *instance = nullptr;     // ready only; gone after end()
  std::shared_ptr<RemotePlugin> remote;  // it runs in a process of its own; null = here
  // Set before it is unloaded: a call in flight (base/in_flight.hpp) that reads false may use the plugin to its end.
  std::atomic<bool> leaving{false};
  mutable std::atomic<uint32_t> queued{0};  // calls in queues of the host
  void end() noexcept;  // destroys the instance, once; the caller has seen to it that nobody uses it
  bool ready() const noexcept { return state == PluginState::ready && !leaving.load(std::memory_order_relaxed); }
  uint32_t state_now() const noexcept;  // RAYO_PLUGIN_*
  std::string why_not_ready() const;    // "" when ready
  // SHA-256 of the file in hex, read on first request; "" when unreadable. Thread-safe.
  const std::string &sha256() const;
  void set_sha256(const std::string &hash);  // known already; before the first request

 private:
  mutable std::once_flag hashed_;
  mutable std::string sha256_;
  bool ended_ = false;
};

struct KernelRecord {
  // As the kernel's own; a kernel without a release takes any state.
  rayo_status prepare(const rayo_op_desc &desc, rayo_prepared *out, rayo_error *error) const;
  void release(void *state) const noexcept;

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

struct Isolation {
  bool on = false;
  std::vector<std::string> names;  // of plugins; empty: every one that the package's manifest does not list
  uint32_t call_ms = 10000;        // time limit of a call
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
  Isolation isolation;                            // which plugins run in processes of their own
  std::function<void(const char *what)> on_step;  // before each piece of a plugin's code that is run; may be empty
  Trace *trace = nullptr;                         // a span for each file; nullptr = off
};

class Registry {
 public:
  Registry() = default;
  ~Registry() = default;  // the last one that has a plugin destroys its instance; libraries stay loaded
  Registry(const Registry &) = delete;
  Registry &operator=(const Registry &) = delete;

  // Of every registry of a runtime, a plugin has the same index.
  const std::vector<std::shared_ptr<PluginRecord>> &plugins() const { return plugins_; }
  const std::vector<DeviceRecord> &devices() const { return devices_; }
  const std::vector<std::shared_ptr<KernelRecord>> &all_kernels() const { return kernels_; }
  // Kernels of an op, best first by the static order (preference descending, then plugin name). Empty for unknown ops.
  const std::vector<const KernelRecord *> &kernels(rayo_op op) const;
  const Schema *schema(rayo_op op) const;  // nullptr for an unknown op
  const std::vector<const Schema *> &schemas() const { return schemas_; }
  const PluginRecord *find_plugin(std::string_view name) const;  // ready ones only

 private:
  friend class RegistryBuilder;
  struct VendorSchema {
    std::shared_ptr<Schema> schema;
    const PluginRecord *owner = nullptr;
  };
  std::vector<std::shared_ptr<PluginRecord>> plugins_;
  std::vector<std::shared_ptr<KernelRecord>> kernels_;
  std::unordered_map<rayo_op, std::vector<const KernelRecord *>> by_op_;
  std::vector<VendorSchema> vendor_schemas_;
  std::vector<const Schema *> schemas_;
  std::vector<DeviceRecord> devices_;
};

// Searches, looks, gates, loads and starts plugins. `host` outlives the registry and is passed to every plugin.
std::unique_ptr<Registry> build_registry(const RegistryOptions &options, const rayo_host &host, const Log &log);
// `before` and the plugin in `file`, found, judged and started as by build_registry; its record is the last one. Throws
// RAYO_NOT_FOUND or, with the reason, RAYO_REFUSED.
std::unique_ptr<Registry> registry_with(const Registry &before, const std::string &file, const RegistryOptions &options,
                                        const rayo_host &host, const Log &log);
// `before` without the kernels, devices and ops of a plugin that is leaving; its record stays.
std::unique_ptr<Registry> registry_without(const Registry &before, const PluginRecord &plugin);

// The registry of a runtime as it is now, and every one there was: calls may still look into them, and what the C API
// has handed out lives as long as the runtime. Publishing is the caller's to serialise; reading is free.
class LiveRegistry {
 public:
  const Registry &operator*() const noexcept { return *current_.load(std::memory_order_acquire); }
  const Registry *operator->() const noexcept { return current_.load(std::memory_order_acquire); }
  void publish(std::unique_ptr<Registry> next) {
    all_.push_back(std::move(next));
    current_.store(all_.back().get(), std::memory_order_release);
  }
  void clear() noexcept {
    current_.store(nullptr, std::memory_order_release);
    all_.clear();
  }

 private:
  std::atomic<const Registry *> current_{nullptr};
  std::vector<std::unique_ptr<Registry>> all_;
};

}  // namespace rayo
