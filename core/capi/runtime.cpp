// SPDX-License-Identifier: Apache-2.0
//
// Creating a runtime: options first, then the environment, then the defaults; every wrong value is named.
#include "capi/runtime.hpp"

#include <rayo/profile.h>

#include <algorithm>
#include <optional>
#include <string_view>

#include "base/cpu_count.hpp"
#include "base/env.hpp"
#include "base/error.hpp"
#include "capi/profile.hpp"
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
    const Setting format = text("options.log_format", options_.log_format, "RAYO_LOG_FORMAT");
    return Log(level, nullptr, nullptr, format.text != nullptr && parse_log_format(format.source, format.text));
  }

  // nullptr = off. A file is nothing that the environment of a privileged process may name.
  Trace *trace(const Log &log) const {
    const Setting setting = text("options.trace", options_.trace, "RAYO_TRACE");
    if (setting.text == nullptr) return nullptr;
    if (options_.trace == nullptr && privileged_process()) {
      log(RAYO_LOG_WARN, "RAYO_TRACE is ignored in a privileged (set-uid, set-gid or file-capability) process");
      return nullptr;
    }
    return Trace::open(setting.text);
  }

  VerifyRules verify(const Log &log) const {
    const Setting setting = text("options.verify", options_.verify, "RAYO_VERIFY");
    if (setting.text == nullptr) return {};
    if (options_.verify == nullptr && privileged_process()) {  // it may name a folder
      log(RAYO_LOG_WARN, "RAYO_VERIFY is ignored in a privileged (set-uid, set-gid or file-capability) process");
      return {};
    }
    return parse_verify(setting.source, setting.text);
  }

  bool metrics() const {
    if ((options_.flags & RAYO_RUNTIME_METRICS) != 0) return true;
    const Setting setting = text("", nullptr, "RAYO_METRICS");
    return setting.text != nullptr && parse_switch(setting.source, setting.text);
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

  bool use_verdict_cache() const {
    if ((options_.flags & RAYO_RUNTIME_NO_VERDICT_CACHE) != 0) return false;
    const Setting setting = text("", nullptr, "RAYO_VERDICT_CACHE");
    return setting.text == nullptr || parse_switch(setting.source, setting.text);
  }

  // "process:NAME,NAME" names a plugin's own name; an unknown one is nobody's, as its file may come later.
  Isolation isolation() const {
    Isolation out;
    const Setting limit = text("", nullptr, "RAYO_ISOLATION_MS");
    if (options_.isolation_ms != 0) {
      out.call_ms = options_.isolation_ms;
    } else if (limit.text != nullptr) {
      out.call_ms = parse_probe_ms(limit.source, limit.text);
    }
    const Setting setting = text("options.isolation", options_.isolation, "RAYO_ISOLATION");
    if (setting.text == nullptr || std::string_view(setting.text) == "off") return out;
    out.on = true;
    constexpr std::string_view kProcess = "process";
    std::string_view rest = setting.text;
    if (rest == kProcess) return out;
    const bool names = rest.starts_with("process:");
    rest.remove_prefix(names ? kProcess.size() + 1 : 0);
    while (names && !rest.empty()) {
      const size_t end = std::min(rest.find(','), rest.size());
      out.names.emplace_back(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    if (out.names.empty() || std::find(out.names.begin(), out.names.end(), "") != out.names.end()) {
      fail(RAYO_INVALID_ARGUMENT, "{} is {}; legal: off, process, process:NAME,NAME", setting.source,
           quote(setting.text));
    }
    return out;
  }

  uint32_t probe_ms() const {
    if (options_.probe_ms != 0) return options_.probe_ms;
    const Setting setting = text("", nullptr, "RAYO_PROBE_MS");
    return setting.text == nullptr ? 0 : parse_probe_ms(setting.source, setting.text);
  }

  // The layers of device profiles; nothing where "none" was asked for.
  std::optional<ProfileSources> profile(const Log &log) const {
    Setting setting = text("rayo_profile_options.profile", chained_profile(), "RAYO_PROFILE");
    if (setting.text != nullptr && chained_profile() == nullptr && privileged_process()) {
      log(RAYO_LOG_WARN, "RAYO_PROFILE is ignored in a privileged (set-uid, set-gid or file-capability) process");
      setting.text = nullptr;
    }
    ProfileSources sources;
    if (setting.text != nullptr) sources.application = setting.text;
    if (sources.application == "none") return std::nullopt;
    if (use_environment_) sources.user = user_profile_path();
    sources.class_folders = default_folders("profiles");
    return sources;
  }

  // What a rayo_profile_options behind the options says; nullptr = nothing.
  const char *chained_profile() const {
    for (const auto *each = static_cast<const rayo_struct *>(options_.next); each != nullptr;
         each = static_cast<const rayo_struct *>(each->next)) {
      if (each->struct_type != RAYO_TYPE_PROFILE_OPTIONS) continue;
      return read_struct(reinterpret_cast<const rayo_profile_options *>(each), RAYO_TYPE_PROFILE_OPTIONS,
                         "rayo_profile_options")
          .profile;
    }
    return nullptr;
  }

  // RAYO_CAPTURE's file; null = calls are not written down.
  std::unique_ptr<Capture> capture(const Log &log) const {
    const Setting setting = text("", nullptr, "RAYO_CAPTURE");
    if (setting.text == nullptr) return nullptr;
    if (privileged_process()) {
      log(RAYO_LOG_WARN, "RAYO_CAPTURE is ignored in a privileged (set-uid, set-gid or file-capability) process");
      return nullptr;
    }
    return std::make_unique<Capture>(setting.text);
  }

  RegistryOptions registry(const Log &log) const {
    RegistryOptions out;
    out.require_conformance = require_conformance();
    out.trust_files = (options_.flags & RAYO_RUNTIME_TRUST_FILES) != 0;
    out.list_refused_files = (options_.flags & RAYO_RUNTIME_LIST_REFUSED) != 0;
    out.use_verdict_cache = use_verdict_cache();
    out.probe_ms = probe_ms();
    out.isolation = isolation();
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
    for (const std::string &folder : folders) text.append(1, ' ').append(quote(folder));
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
  std::string names = "auto, host";
  for (const DeviceRecord &device : registry.devices()) names += ", " + device.id;
  return names;
}

void check_device(const Registry &registry, const Setting &setting) {
  const DeviceChoice choice = read_choice(setting.text);
  const std::string_view name = choice.name;
  if (choice.fallback || name == "host" || registry.find_plugin(name) != nullptr) return;
  for (const DeviceRecord &device : registry.devices()) {
    if (device.id == name) return;
  }
  std::string why;
  for (const auto &record : registry.plugins()) {
    if (record->name == name && !record->ready()) {
      why = fmt::format(" (its plugin {} is rejected: it {})", quote(record->file), record->reason);
    }
  }
  fail(RAYO_INVALID_ARGUMENT, "{} is {}; legal here: {}{}", setting.source, quote(name), legal_devices(registry), why);
}

std::unique_ptr<rayo_runtime> create(const rayo_runtime_options *given) {
  rayo_runtime_options options = RAYO_RUNTIME_OPTIONS_INIT;
  if (given != nullptr) options = read_struct(given, RAYO_TYPE_RUNTIME_OPTIONS, "options");
  constexpr uint32_t kFlags = RAYO_RUNTIME_NO_ENVIRONMENT | RAYO_RUNTIME_ONLY_FILES | RAYO_RUNTIME_ALLOW_EMPTY |
                              RAYO_RUNTIME_TRUST_FILES | RAYO_RUNTIME_NO_VERDICT_CACHE | RAYO_RUNTIME_LIST_REFUSED |
                              RAYO_RUNTIME_METRICS;
  if ((options.flags & ~kFlags) != 0) {
    fail(RAYO_INVALID_ARGUMENT, "options.flags is {:#x}; legal bits: {:#x}", options.flags, kFlags);
  }
  const Resolver resolver(options);
  auto runtime = std::make_unique<rayo_runtime>();
  runtime->log = resolver.log();
  RuntimeWatch &watch = runtime->plans->watch();
  watch.log = runtime->log;
  watch.trace = resolver.trace(runtime->log);
  watch.count_calls = resolver.metrics();
  watch.verify = resolver.verify(runtime->log);
  const Span span(watch.trace, SpanKind::runtime, "runtime create");
  runtime->numerics = resolver.numerics();
  runtime->default_threads = resolver.threads();
  runtime->threads = runtime->default_threads;
  RegistryOptions registry_options = resolver.registry(runtime->log);

  runtime->generation = next_generation();
  runtime->capture = resolver.capture(runtime->log);
  fill_host_table(&runtime->host, &runtime->log, watch.trace);
  runtime->host.cpu_features = registry_options.cpu_features;
  runtime->host.max_threads = runtime->default_threads;
  runtime->executor = resolver.executor();
  if (runtime->executor == nullptr) {
    runtime->pool = std::make_unique<ThreadPool>();
    runtime->executor = runtime->pool->executor();
  }
  registry_options.trace = watch.trace;
  runtime->registry.publish(build_registry(registry_options, runtime->host, runtime->log));
  runtime->devices = std::make_unique<DeviceSet>(runtime.get(), runtime->registry, runtime->log, watch.trace);
  const bool allow_empty = (options.flags & RAYO_RUNTIME_ALLOW_EMPTY) != 0;
  if (runtime->registry->all_kernels().empty() && !allow_empty)
    fail_without_plugins(*runtime->registry, registry_options.folders);

  const Setting device = resolver.text("options.device", options.device, "RAYO_DEVICE");
  if (device.text != nullptr) check_device(*runtime->registry, device);
  runtime->device = device.text != nullptr ? device.text : "auto";
  if (const std::optional<ProfileSources> sources = resolver.profile(runtime->log)) {
    runtime->profile_sources = *sources;
    publish_profile(runtime.get(), sources);
  }
  registry_options.folders.clear();
  registry_options.files.clear();
  runtime->registry_options = std::move(registry_options);
  return runtime;
}

}  // namespace

rayo_runtime::~rayo_runtime() {
  if (devices) devices->drain();  // nothing uses a kernel's state any more
  plans->close();                 // before the devices and plugins go
  if (devices) devices->close();
  devices.reset();
  registry.clear();
  if (Trace *trace = plans->watch().trace; trace != nullptr) {
    if (rayo::fence([trace] { trace->flush(); }) != RAYO_OK) log(RAYO_LOG_ERROR, "{}", rayo::last_error());
  }
}

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
