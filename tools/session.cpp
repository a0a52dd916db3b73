// SPDX-License-Identifier: Apache-2.0
//
// Starting a runtime from the command line's options, and listing what is in it.
#include "session.hpp"

#include <climits>
#include <cstdlib>

#include <fmt/core.h>

#include "command.hpp"
#include "suggest.hpp"

namespace rayo::tools {
namespace {

uint32_t policy_from_name(const std::string &name) {
  if (name.empty()) return 0;
  if (name == "reproducible") return RAYO_POLICY_REPRODUCIBLE;
  if (name == "accurate") return RAYO_POLICY_ACCURATE;
  if (name == "relaxed") return RAYO_POLICY_RELAXED;
  throw usage_error(fmt::format("--numerics '{}': legal: reproducible, accurate, relaxed", name));
}

// All items behind a count function and a get function of the C API.
template <typename Info, typename Get>
std::vector<Info> list(const rayo_runtime *runtime, uint32_t type, uint32_t count, Get get) {
  std::vector<Info> items;
  for (uint32_t i = 0; i < count; ++i) {
    Info info{};
    info.struct_size = sizeof info;
    info.struct_type = type;
    check(get(runtime, i, &info));
    items.push_back(info);
  }
  return items;
}

// The core wants plugin files by absolute path: a relative one would depend on who is asked when.
std::string absolute_path(const std::string &file) {
  const std::unique_ptr<char, decltype(&std::free)> resolved(::realpath(file.c_str(), nullptr), std::free);
  if (resolved == nullptr) {
    throw CommandError(RAYO_NOT_FOUND, fmt::format("--plugin {}: no such file; give the path of a plugin's .so", file));
  }
  return resolved.get();
}

}  // namespace

std::string last_error() {
  char buffer[4096];
  rayo_last_error(buffer, sizeof buffer);
  return buffer;
}

void check(rayo_status status) {
  if (status == RAYO_OK) return;
  const std::string text = last_error();
  throw CommandError(status, text.empty() ? rayo_status_name(status) : text);
}

Session::Session(const SessionOptions &options) {
  std::vector<std::string> files;
  for (const std::string &file : options.plugin_files) files.push_back(absolute_path(file));
  std::vector<const char *> file_pointers;
  for (const std::string &file : files) file_pointers.push_back(file.c_str());

  rayo_runtime_options runtime_options = RAYO_RUNTIME_OPTIONS_INIT;
  runtime_options.flags = options.allow_empty ? RAYO_RUNTIME_ALLOW_EMPTY : 0;
  runtime_options.threads = options.threads;
  runtime_options.numerics = policy_from_name(options.numerics);
  runtime_options.plugin_files = file_pointers.data();
  if (options.isolate) runtime_options.isolation = "process";
  runtime_options.plugin_file_count = static_cast<uint32_t>(file_pointers.size());
  // A device on the command line wins over RAYO_DEVICE; it is checked below, where a better message is possible.
  if (!options.device.empty()) runtime_options.device = "auto";
  rayo_runtime *runtime = nullptr;
  check(rayo_runtime_create(&runtime_options, &runtime));
  runtime_.reset(runtime);
  if (!options.device.empty()) check_device(options.device);
}

Session::Session(const rayo_runtime_options &options) {
  rayo_runtime *runtime = nullptr;
  check(rayo_runtime_create(&options, &runtime));
  runtime_.reset(runtime);
}

std::vector<rayo_plugin_info> Session::plugins() const {
  return list<rayo_plugin_info>(runtime(), RAYO_TYPE_PLUGIN_INFO, rayo_plugin_count(runtime()), rayo_plugin_get);
}

std::vector<rayo_device_listing> Session::devices() const {
  return list<rayo_device_listing>(runtime(), RAYO_TYPE_DEVICE_LISTING, rayo_device_count(runtime()), rayo_device_get);
}

std::vector<rayo_op_info> Session::ops() const {
  return list<rayo_op_info>(runtime(), RAYO_TYPE_OP_INFO, rayo_op_count(runtime()), rayo_op_get);
}

std::vector<rayo_kernel_info> Session::kernels() const {
  return list<rayo_kernel_info>(runtime(), RAYO_TYPE_KERNEL_INFO, rayo_kernel_count(runtime()), rayo_kernel_get);
}

std::vector<rayo_fallback> Session::fallbacks() const {
  return list<rayo_fallback>(runtime(), RAYO_TYPE_FALLBACK, rayo_fallback_count(runtime()), rayo_fallback_get);
}

rayo_op_info Session::find_op(const std::string &name) const {
  std::vector<std::string> names;
  for (const rayo_op_info &op : ops()) {
    if (name == op.name) return op;
    names.emplace_back(op.name);
  }
  throw CommandError(
      RAYO_NOT_FOUND, kExitUsage,
      fmt::format("unknown op '{}'{}; 'rayo ops' lists the {} ops", name, did_you_mean(name, names), names.size()));
}

void Session::check_device(const std::string &name) const {
  // "NAME,auto" prefers NAME and is right everywhere.
  if (name == "auto" || (name.size() > 5 && name.compare(name.size() - 5, 5, ",auto") == 0)) return;
  std::vector<std::string> ready = {"auto", "host"};
  for (const rayo_device_listing &device : devices()) ready.emplace_back(device.id);
  for (const std::string &id : ready) {
    if (id == name) return;
  }
  for (const rayo_plugin_info &plugin : plugins()) {
    if (name != plugin.name) continue;
    if (plugin.state == RAYO_PLUGIN_READY) return;
    throw CommandError(RAYO_UNSUPPORTED, fmt::format("device '{}' cannot be used here: {} ({}); ready: {}", name,
                                                     plugin.reason, plugin.file, join_names(ready)));
  }
  throw CommandError(RAYO_NOT_FOUND, kExitUsage,
                     fmt::format("unknown device '{}'{}; ready: {}; 'rayo devices --all' says why others are not", name,
                                 did_you_mean(name, ready), join_names(ready)));
}

const char *numerics_name(uint32_t numerics) {
  switch (numerics) {
    case RAYO_NUMERICS_REPRODUCIBLE:
      return "reproducible";
    case RAYO_NUMERICS_STRICT:
      return "strict";
    case RAYO_NUMERICS_RELAXED:
      return "relaxed";
    default:
      return "unknown";
  }
}

const char *plugin_state_name(uint32_t state) {
  switch (state) {
    case RAYO_PLUGIN_READY:
      return "ready";
    case RAYO_PLUGIN_REJECTED:
      return "rejected";
    default:
      return "quarantined";
  }
}

}  // namespace rayo::tools
