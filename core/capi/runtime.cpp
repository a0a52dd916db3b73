// SPDX-License-Identifier: Apache-2.0
//
// Creating a runtime: options first, then the environment, then the defaults; every wrong value is named.
#include "capi/runtime.hpp"

#include "base/cpu_count.hpp"
#include "base/env.hpp"
#include "base/error.hpp"
#include "capi/structs.hpp"
#include "device/executor_file.hpp"
#include "loader/cpu_features.hpp"
#include "loader/search.hpp"

namespace {

using namespace rayo;

// An option's text or, where it is not set, the environment's; with the name of its source for messages.
struct Setting {
  const char *source = "";
  const char *text = nullptr;  // nullptr: neither is set
};

void check_executor(const rayo_executor *executor) {
  check_struct_header(executor, RAYO_TYPE_EXECUTOR, "options.executor");
  if (!RAYO_HAS(executor, rayo_executor, parallel_for) || executor->parallel_for == nullptr) {
    fail(RAYO_INVALID_ARGUMENT, "options.executor has no parallel_for");
  }
}

class Resolver {
 public:
  explicit Resolver(const rayo_runtime_options &options)
      : options_(options), use_environment_((options.flags & RAYO_RUNTIME_NO_ENVIRONMENT) == 0) {}

  Setting text(const char *option_name, const char *option, const char *variable) const {
    if (option != nullptr) return {option_name, option};
    return {variable, use_environment_ ? env_text(variable) : nullptr};
  }

  uint32_t threads() const {
    if (options_.threads != 0) return check_threads("options.threads", options_.threads);
    const Setting setting = text("", nullptr, "RAYO_NUM_THREADS");
    return setting.text != nullptr ? parse_threads(setting.source, setting.text) : std::min(usable_cpus(), kMaxThreads);
  }

  uint32_t numerics() const {
    if (options_.numerics > RAYO_POLICY_RELAXED) {
      fail(RAYO_INVALID_ARGUMENT,
           "options.numerics is {}; legal: 0, RAYO_POLICY_REPRODUCIBLE (1), _ACCURATE (2), "
           "_RELAXED (3)",
           options_.numerics);
    }
    if (options_.numerics != 0) return options_.numerics;
    const Setting setting = text("", nullptr, "RAYO_NUMERICS");
    return setting.text != nullptr ? parse_policy(setting.source, setting.text) : RAYO_POLICY_ACCURATE;
  }

  Log log() const {
    if (options_.log != nullptr) return Log(RAYO_LOG_DEBUG, options_.log, options_.log_ctx);
    const Setting setting = text("", nullptr, "RAYO_LOG");
    const int32_t level = setting.text != nullptr ? parse_log_level(setting.source, setting.text) : RAYO_LOG_WARN;
    return Log(level, nullptr, nullptr);
  }

  // The application's, or the one that is named; nullptr = the pool.
  const rayo_executor *executor() const {
    if (options_.executor != nullptr) {
      if (options_.executor_name != nullptr) {
        fail(RAYO_INVALID_ARGUMENT, "options.executor and options.executor_name ({}) are both set; set one",
             quote(options_.executor_name));
      }
      check_executor(options_.executor);
      return options_.executor;
    }
    const Setting setting = text("options.executor_name", options_.executor_name, "RAYO_EXECUTOR");
    return setting.text != nullptr ? find_executor(setting.source, setting.text) : nullptr;
  }

  bool require_conformance() const {
    switch (options_.require_conformance) {
      case 0:
        break;
      case RAYO_CONFORMANCE_REQUIRED:
        return true;
      case RAYO_CONFORMANCE_NOT_REQUIRED:
        return false;
      default:
        fail(RAYO_INVALID_ARGUMENT,
             "options.require_conformance is {}; legal: 0, RAYO_CONFORMANCE_REQUIRED (1), _NOT_REQUIRED (2)",
             options_.require_conformance);
    }
    const Setting setting = text("", nullptr, "RAYO_REQUIRE_CONFORMANCE");
    return setting.text != nullptr && parse_switch(setting.source, setting.text);
  }

  RegistryOptions registry(const Log &log) const {
    RegistryOptions out;
    out.require_conformance = require_conformance();
    const Setting disable = text("options.cpu_disable", options_.cpu_disable, "RAYO_CPU_DISABLE");
    out.cpu_features = detect_cpu_features();
    if (disable.text != nullptr) out.cpu_features &= ~parse_cpu_disable(disable.source, disable.text);
    if (options_.plugin_file_count > 0 && options_.plugin_files == nullptr) {
      fail(RAYO_INVALID_ARGUMENT, "options.plugin_files is NULL, but plugin_file_count is {}",
           options_.plugin_file_count);
    }
    for (uint32_t i = 0; i < options_.plugin_file_count; ++i) {
      if (options_.plugin_files[i] == nullptr) fail(RAYO_INVALID_ARGUMENT, "options.plugin_files[{}] is NULL", i);
      out.files.emplace_back(options_.plugin_files[i]);
    }
    if ((options_.flags & RAYO_RUNTIME_ONLY_FILES) != 0) return out;
    Setting path = text("options.plugin_path", options_.plugin_path, "RAYO_PLUGIN_PATH");
    if (path.text != nullptr && options_.plugin_path == nullptr && privileged_process()) {
      log(RAYO_LOG_WARN, "RAYO_PLUGIN_PATH is ignored in a privileged (set-uid, set-gid or file-capability) process");
      path.text = nullptr;
    }
    out.folders = path.text != nullptr ? split_plugin_path(path.text) : default_folders("plugins");
    return out;
  }

 private:
  const rayo_runtime_options &options_;
  bool use_environment_;
};

// "no plugin could be used", with as many reasons as fit into an error's text.
[[noreturn]] void fail_without_plugins(const Registry &registry, const std::vector<std::string> &folders) {
  std::string text = "no plugin could be used";
  if (registry.plugins().empty()) {
    text += ": no plugin file was found in";
    for (const std::string &folder : folders) text += " " + quote(folder);
    if (folders.empty()) text += " the built-in folders (none exists)";
    text += "; set RAYO_PLUGIN_PATH to the folder that holds scalar.so";
    throw Error(RAYO_NOT_FOUND, std::move(text));
  }
  constexpr size_t kRoom = RAYO_ERROR_TEXT - 60;  // for the closing words
  size_t told = 0;
  for (const auto &record : registry.plugins()) {
    std::string line = fmt::format("; {} {}", quote(record->file), record->reason);
    if (told > 0 && text.size() + line.size() > kRoom) break;
    text += line.substr(0, kRoom);
    ++told;
  }
  const size_t rest = registry.plugins().size() - told;
  if (rest > 0) text += fmt::format("; and {} more: see rayo devices --all", rest);
  throw Error(RAYO_NOT_FOUND, std::move(text));
}

// Ids of all devices with commas between, or of the ready plugins too where they name something else.
std::string legal_devices(const Registry &registry) {
  std::string names = "auto";
  for (const DeviceRecord &device : registry.devices()) names += ", " + device.id;
  return names;
}

void check_device(const Registry &registry, const Setting &setting) {
  const std::string_view name = setting.text;
  if (name == "auto" || registry.find_plugin(name) != nullptr) return;
  for (const DeviceRecord &device : registry.devices()) {
    if (device.id == name) return;
  }
  std::string why;
  for (const auto &record : registry.plugins()) {
    if (record->name == name && record->state != PluginState::ready) {
      why = fmt::format(" (its plugin {} is rejected: it {})", quote(record->file), record->reason);
    }
  }
  fail(RAYO_INVALID_ARGUMENT, "{} is {}; legal here: {}{}", setting.source, quote(name), legal_devices(registry), why);
}

std::unique_ptr<rayo_runtime> create(const rayo_runtime_options *given) {
  rayo_runtime_options options = RAYO_RUNTIME_OPTIONS_INIT;
  if (given != nullptr) options = read_struct(given, RAYO_TYPE_RUNTIME_OPTIONS, "options");
  constexpr uint32_t kFlags = RAYO_RUNTIME_NO_ENVIRONMENT | RAYO_RUNTIME_ONLY_FILES | RAYO_RUNTIME_ALLOW_EMPTY;
  if ((options.flags & ~kFlags) != 0) {
    fail(RAYO_INVALID_ARGUMENT, "options.flags is {:#x}; legal bits: {:#x}", options.flags, kFlags);
  }
  const Resolver resolver(options);
  auto runtime = std::make_unique<rayo_runtime>();
  runtime->log = resolver.log();
  runtime->numerics = resolver.numerics();
  runtime->default_threads = resolver.threads();
  runtime->threads = runtime->default_threads;
  const RegistryOptions registry_options = resolver.registry(runtime->log);

  static std::atomic<uint64_t> generations{0};
  runtime->generation = generations.fetch_add(1, std::memory_order_relaxed) + 1;
  fill_host_table(&runtime->host, &runtime->log);
  runtime->host.cpu_features = registry_options.cpu_features;
  runtime->host.max_threads = runtime->default_threads;
  runtime->executor = resolver.executor();
  if (runtime->executor == nullptr) {
    runtime->pool = std::make_unique<ThreadPool>();
    runtime->executor = runtime->pool->executor();
  }
  runtime->registry = build_registry(registry_options, runtime->host, runtime->log);
  const bool allow_empty = (options.flags & RAYO_RUNTIME_ALLOW_EMPTY) != 0;
  if (runtime->registry->all_kernels().empty() && !allow_empty)
    fail_without_plugins(*runtime->registry, registry_options.folders);

  const Setting device = resolver.text("options.device", options.device, "RAYO_DEVICE");
  if (device.text != nullptr) check_device(*runtime->registry, device);
  runtime->device = device.text != nullptr ? device.text : "auto";
  return runtime;
}

}  // namespace

extern "C" {

rayo_status rayo_runtime_create(const rayo_runtime_options *options, rayo_runtime **out_runtime) {
  return fence([&] {
    if (out_runtime == nullptr) fail(RAYO_INVALID_ARGUMENT, "out_runtime is NULL");
    *out_runtime = create(options).release();
  });
}

void rayo_runtime_destroy(rayo_runtime *runtime) { delete runtime; }

uint32_t rayo_runtime_threads(const rayo_runtime *runtime) {
  return runtime != nullptr ? runtime->threads.load(std::memory_order_relaxed) : 0;
}

rayo_status rayo_runtime_set_threads(rayo_runtime *runtime, uint32_t threads) {
  return fence([&] {
    if (runtime == nullptr) fail(RAYO_INVALID_ARGUMENT, "runtime is NULL");
    const uint32_t value = threads == 0 ? runtime->default_threads : check_threads("threads", threads);
    runtime->threads.store(value, std::memory_order_relaxed);
  });
}

}  // extern "C"
