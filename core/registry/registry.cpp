// SPDX-License-Identifier: Apache-2.0
#include "registry/registry.hpp"

#include <rayo/rayo.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "base/cpu_count.hpp"
#include "base/env.hpp"
#include "base/error.hpp"
#include "base/sha256.hpp"
#include "loader/load.hpp"
#include "loader/search.hpp"
#include "trace/trace.hpp"

namespace rayo {
namespace {

constexpr uint32_t kMaxDevices = 64;  // of one plugin

std::unique_ptr<PluginRecord> rejected(std::string file, std::string reason) {
  auto record = std::make_unique<PluginRecord>();
  record->file = std::move(file);
  record->reason = std::move(reason);
  return record;
}

uint32_t kind_of(DLDeviceType type, uint32_t flags) {
  if (type == kDLCPU || (flags & RAYO_DEVICE_SOFTWARE) != 0) return RAYO_DEVICE_KIND_CPU;
  return type == kDLCUDA || type == kDLVulkan || type == kDLROCM || type == kDLMetal || type == kDLOpenCL
             ? RAYO_DEVICE_KIND_GPU
             : RAYO_DEVICE_KIND_OTHER;
}

// Devices of a device-tier plugin. A failure costs its devices, not the plugin's host kernels.
std::vector<DeviceRecord> enumerate_devices(const PluginRecord &record, uint32_t index, const Log &log) {
  std::vector<DeviceRecord> devices;
  const rayo_device_api &api = *record.plugin->device_api;
  std::vector<rayo_device_info> infos(kMaxDevices);
  std::vector<rayo_device_info *> pointers;
  for (rayo_device_info &info : infos) {
    info.struct_size = sizeof info;
    info.struct_type = RAYO_TYPE_DEVICE_INFO;
    pointers.push_back(&info);
  }
  rayo_error error{};
  uint32_t count = 0;
  const rayo_status status = api.enumerate(record.instance, kMaxDevices, pointers.data(), &count, &error);
  if (status != RAYO_OK) {
    error.text[RAYO_ERROR_TEXT - 1] = '\0';
    log(RAYO_LOG_WARN, "plugin {}: its devices cannot be listed (status {}): {}", record.name, status, error.text);
    return devices;
  }
  for (uint32_t i = 0; i < std::min(count, kMaxDevices); ++i) {
    rayo_device_info &info = infos[i];
    info.id[sizeof info.id - 1] = '\0';
    info.name[sizeof info.name - 1] = '\0';
    devices.push_back({info.id, info.name, kind_of(info.dl.device_type, info.flags), index, true, i, info});
  }
  return devices;
}

}  // namespace

void PluginRecord::end() noexcept {
  if (state == PluginState::ready && plugin != nullptr && !ended_) plugin->destroy(instance);
  if (!ended_) remote.reset();
  ended_ = true;
}

uint32_t PluginRecord::state_now() const noexcept {
  return state == PluginState::ready && !ready() ? RAYO_PLUGIN_UNLOADED : static_cast<uint32_t>(state);
}

std::string PluginRecord::why_not_ready() const { return state == PluginState::ready && !ready() ? kUnloaded : reason; }

const std::string &PluginRecord::sha256() const {
  std::call_once(hashed_, [this] { sha256_ = sha256_of_file(file); });
  return sha256_;
}

void PluginRecord::set_sha256(const std::string &hash) {
  std::call_once(hashed_, [&] { sha256_ = hash; });
}

// Collects loaded plugins in the order found, then sorts kernels and lists devices.
class RegistryBuilder {
 public:
  RegistryBuilder(Registry *registry, const RegistryOptions &options, const rayo_host &host, const Log &log)
      : registry_(*registry), options_(options), host_(host), log_(log) {}

  void build();
  void add_file(const Registry &before, const std::string &file);
  void leave_out(const Registry &before, const PluginRecord &plugin);

 private:
  void examine(const std::string &real_path, bool trusted);
  void examine_file(const std::string &file);
  void examine_folders();
  void start(PluginCandidate candidate);
  void adopt(LoadedPlugin loaded);
  void take_over(const Registry &before);
  void list_schemas();
  void sort_kernels();
  void list_devices(size_t first_plugin);

  Registry &registry_;
  const RegistryOptions &options_;
  const rayo_host &host_;
  const Log &log_;
  LoadRules rules_{options_.cpu_features, options_.require_conformance, options_.on_step, &options_.isolation};
  std::vector<PluginCandidate> candidates_;  // in the order found
};

void RegistryBuilder::examine(const std::string &real_path, bool trusted) {
  PluginCandidate candidate = examine_plugin(real_path, rules_);
  candidate.unprobed = trusted;
  candidates_.push_back(std::move(candidate));
}

void RegistryBuilder::start(PluginCandidate candidate) {
  const std::string &file = candidate.record->file;
  const Span span(options_.trace, SpanKind::load, file.substr(file.rfind('/') + 1));
  // What is refused already claims no name: a path of many thousand missing folders would be searched for each of them.
  const PluginRecord *same_name =
      candidate.record->reason.empty() ? registry_.find_plugin(candidate.record->name) : nullptr;
  adopt(start_plugin(std::move(candidate), host_, rules_, log_, same_name));
}

void RegistryBuilder::adopt(LoadedPlugin loaded) {
  PluginRecord *record = loaded.record.get();
  record->kernel_count = static_cast<uint32_t>(loaded.answer.kernels.size());
  registry_.plugins_.push_back(std::move(loaded.record));
  for (auto &schema : loaded.answer.schemas) registry_.vendor_schemas_.push_back({std::move(schema), record});
  for (auto &kernel : loaded.answer.kernels) {
    kernel->owner = record;
    registry_.kernels_.push_back(std::move(kernel));
  }
}

// A file that the application named.
void RegistryBuilder::examine_file(const std::string &file) {
  const std::string real = real_path(file);
  if (real.empty()) {
    fail(RAYO_NOT_FOUND, "plugin file {} cannot be opened: {}; check the path", quote(file), std::strerror(errno));
  }
  examine(real, options_.trust_files);
}

void RegistryBuilder::examine_folders() {
  SearchResult found = search_folders(options_.folders);
  for (Refusal &refusal : found.refused) {
    log_(RAYO_LOG_WARN, "plugin path {}: {}", quote(refusal.path), refusal.reason);
    PluginCandidate candidate;
    candidate.record = rejected(std::move(refusal.path), std::move(refusal.reason));
    candidates_.push_back(std::move(candidate));
  }
  for (const std::string &file : found.files) {
    const auto seen = [&file](const PluginCandidate &each) { return each.record->file == file; };
    if (std::none_of(candidates_.begin(), candidates_.end(), seen)) examine(file, false);
  }
}

void RegistryBuilder::list_schemas() {
  for (const auto &schema : catalogue()) registry_.schemas_.push_back(schema.get());
  for (const auto &vendors : registry_.vendor_schemas_) {
    // Two plugins may bring the same op: the first one's schema holds for both.
    if (registry_.schema(vendors.schema->op) == nullptr) registry_.schemas_.push_back(vendors.schema.get());
  }
}

void RegistryBuilder::sort_kernels() {
  for (const auto &kernel : registry_.kernels_) registry_.by_op_[kernel->op].push_back(kernel.get());
  for (auto &[op, list] : registry_.by_op_) {
    std::stable_sort(list.begin(), list.end(), [](const KernelRecord *a, const KernelRecord *b) {
      const uint32_t preference_a = a->owner->plugin->preference;
      const uint32_t preference_b = b->owner->plugin->preference;
      return preference_a != preference_b ? preference_a > preference_b : a->owner->name < b->owner->name;
    });
  }
}

void RegistryBuilder::list_devices(size_t first_plugin) {
  const std::string cpu = cpu_model();
  for (auto index = static_cast<uint32_t>(first_plugin); index < registry_.plugins_.size(); ++index) {
    const PluginRecord &record = *registry_.plugins_[index];
    if (!record.ready()) continue;
    const bool host_kernels =
        std::any_of(registry_.kernels_.begin(), registry_.kernels_.end(), [&record](const auto &kernel) {
          return kernel->owner == &record && (kernel->kernel->flags & RAYO_KERNEL_DEVICE) == 0;
        });
    if (host_kernels) registry_.devices_.push_back({record.name, cpu, RAYO_DEVICE_KIND_CPU, index, false, 0, {}});
    if (record.plugin->device_api == nullptr) continue;
    if (options_.on_step) options_.on_step("enumerating its devices");
    for (DeviceRecord &device : enumerate_devices(record, index, log_)) {
      registry_.devices_.push_back(std::move(device));
    }
  }
}

void RegistryBuilder::build() {
  for (const std::string &file : options_.files) examine_file(file);
  examine_folders();
  prove_candidates(&candidates_, {options_.cpu_features, options_.probe_ms, options_.use_verdict_cache}, log_);
  for (size_t i = 0; i < candidates_.size(); ++i) {
    start(std::move(candidates_[i]));
    const PluginRecord &record = *registry_.plugins_.back();
    // A file that the application named: its refusal fails the whole start.
    if (i < options_.files.size() && record.state != PluginState::ready && !options_.list_refused_files) {
      fail(RAYO_REFUSED, "plugin file {} is refused: it {}", quote(options_.files[i]), record.reason);
    }
  }
  list_schemas();
  sort_kernels();
  list_devices(0);
}

void RegistryBuilder::take_over(const Registry &before) {
  registry_.plugins_ = before.plugins_;
  registry_.kernels_ = before.kernels_;
  registry_.vendor_schemas_ = before.vendor_schemas_;
  registry_.devices_ = before.devices_;
}

void RegistryBuilder::add_file(const Registry &before, const std::string &file) {
  take_over(before);
  examine_file(file);
  prove_candidates(&candidates_, {options_.cpu_features, options_.probe_ms, options_.use_verdict_cache}, log_);
  start(std::move(candidates_.front()));
  const PluginRecord &record = *registry_.plugins_.back();
  if (!record.ready()) {
    const bool taken = before.find_plugin(record.name) != nullptr;
    fail(RAYO_REFUSED, "plugin file {} is refused: it {}{}", quote(file), record.reason,
         taken ? "; rayo_plugin_unload makes room for it" : "");
  }
  list_schemas();
  sort_kernels();
  list_devices(registry_.plugins_.size() - 1);
}

void RegistryBuilder::leave_out(const Registry &before, const PluginRecord &plugin) {
  take_over(before);
  std::erase_if(registry_.kernels_, [&](const auto &kernel) { return kernel->owner == &plugin; });
  std::erase_if(registry_.vendor_schemas_, [&](const auto &vendors) { return vendors.owner == &plugin; });
  std::erase_if(registry_.devices_,
                [&](const DeviceRecord &device) { return registry_.plugins_[device.plugin].get() == &plugin; });
  list_schemas();
  sort_kernels();
}

const std::vector<const KernelRecord *> &Registry::kernels(rayo_op op) const {
  static const std::vector<const KernelRecord *> none;
  const auto it = by_op_.find(op);
  return it == by_op_.end() ? none : it->second;
}

const Schema *Registry::schema(rayo_op op) const {
  for (const Schema *schema : schemas_) {
    if (schema->op == op) return schema;
  }
  return nullptr;
}

const PluginRecord *Registry::find_plugin(std::string_view name) const {
  for (const auto &record : plugins_) {
    if (record->name == name && record->ready()) return record.get();
  }
  return nullptr;
}

std::unique_ptr<Registry> build_registry(const RegistryOptions &options, const rayo_host &host, const Log &log) {
  auto registry = std::make_unique<Registry>();
  RegistryBuilder(registry.get(), options, host, log).build();
  return registry;
}

std::unique_ptr<Registry> registry_with(const Registry &before, const std::string &file, const RegistryOptions &options,
                                        const rayo_host &host, const Log &log) {
  auto registry = std::make_unique<Registry>();
  RegistryBuilder(registry.get(), options, host, log).add_file(before, file);
  return registry;
}

std::unique_ptr<Registry> registry_without(const Registry &before, const PluginRecord &plugin) {
  auto registry = std::make_unique<Registry>();
  RegistryBuilder(registry.get(), {}, {}, Log()).leave_out(before, plugin);
  return registry;
}

}  // namespace rayo
