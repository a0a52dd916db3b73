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
    devices.push_back({info.id, info.name, kind_of(info.dl.device_type, info.flags), index});
  }
  return devices;
}

}  // namespace

const std::string &PluginRecord::sha256() const {
  std::call_once(hashed_, [this] { sha256_ = sha256_of_file(file); });
  return sha256_;
}

// Collects loaded plugins in the order found, then sorts kernels and lists devices.
class RegistryBuilder {
 public:
  RegistryBuilder(Registry *registry, const RegistryOptions &options, const rayo_host &host, const Log &log)
      : registry_(*registry), options_(options), host_(host), log_(log) {}

  void build();

 private:
  PluginRecord *add(const std::string &real_path);
  void add_file(const std::string &file);
  void adopt(LoadedPlugin loaded);
  void sort_kernels();
  void list_devices();

  Registry &registry_;
  const RegistryOptions &options_;
  const rayo_host &host_;
  const Log &log_;
};

PluginRecord *RegistryBuilder::add(const std::string &real_path) {
  adopt(load_plugin(real_path, host_, {options_.cpu_features, options_.require_conformance}, log_,
                    [this](std::string_view name) {
                      const PluginRecord *other = registry_.find_plugin(name);
                      return other != nullptr ? &other->file : nullptr;
                    }));
  return registry_.plugins_.back().get();
}

void RegistryBuilder::adopt(LoadedPlugin loaded) {
  PluginRecord *record = loaded.record.get();
  record->kernel_count = static_cast<uint32_t>(loaded.answer.kernels.size());
  registry_.plugins_.push_back(std::move(loaded.record));
  for (auto &schema : loaded.answer.schemas) {
    // Two plugins may bring the same op: the first one's schema holds for both.
    if (registry_.schema(schema->op) == nullptr) registry_.schemas_.push_back(schema.get());
    registry_.vendor_schemas_.push_back(std::move(schema));
  }
  for (auto &kernel : loaded.answer.kernels) {
    kernel->owner = record;
    registry_.kernels_.push_back(std::move(kernel));
  }
}

// A file that the application named: its refusal fails the whole start.
void RegistryBuilder::add_file(const std::string &file) {
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(file.c_str(), nullptr), &std::free);
  if (!real) {
    fail(RAYO_NOT_FOUND, "plugin file {} cannot be opened: {}; check the path", quote(file), std::strerror(errno));
  }
  const PluginRecord *record = add(real.get());
  if (record->state != PluginState::ready) {
    fail(RAYO_REFUSED, "plugin file {} is refused: it {}", quote(file), record->reason);
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

void RegistryBuilder::list_devices() {
  const std::string cpu = cpu_model();
  std::vector<uint32_t> order;
  for (uint32_t i = 0; i < registry_.plugins_.size(); ++i) {
    if (registry_.plugins_[i]->state == PluginState::ready) order.push_back(i);
  }
  for (const uint32_t index : order) {
    const PluginRecord &record = *registry_.plugins_[index];
    const bool host_kernels =
        std::any_of(registry_.kernels_.begin(), registry_.kernels_.end(), [&record](const auto &kernel) {
          return kernel->owner == &record && (kernel->kernel->flags & RAYO_KERNEL_DEVICE) == 0;
        });
    if (host_kernels) registry_.devices_.push_back({record.name, cpu, RAYO_DEVICE_KIND_CPU, index});
    if (record.plugin->device_api == nullptr) continue;
    for (DeviceRecord &device : enumerate_devices(record, index, log_)) {
      registry_.devices_.push_back(std::move(device));
    }
  }
}

void RegistryBuilder::build() {
  for (const auto &schema : catalogue()) registry_.schemas_.push_back(schema.get());
  for (const std::string &file : options_.files) add_file(file);
  SearchResult found = search_folders(options_.folders);
  for (Refusal &refusal : found.refused) {
    log_(RAYO_LOG_WARN, "plugin path {}: {}", quote(refusal.path), refusal.reason);
    registry_.plugins_.push_back(rejected(std::move(refusal.path), std::move(refusal.reason)));
  }
  for (const std::string &file : found.files) {
    const auto seen = [&file](const auto &record) { return record->file == file; };
    if (std::any_of(registry_.plugins_.begin(), registry_.plugins_.end(), seen)) continue;  // the very same file
    add(file);
  }
  sort_kernels();
  list_devices();
}

Registry::~Registry() {
  for (const auto &record : plugins_) {
    if (record->state == PluginState::ready && record->plugin != nullptr) record->plugin->destroy(record->instance);
  }
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
    if (record->state == PluginState::ready && record->name == name) return record.get();
  }
  return nullptr;
}

std::unique_ptr<Registry> build_registry(const RegistryOptions &options, const rayo_host &host, const Log &log) {
  auto registry = std::make_unique<Registry>();
  RegistryBuilder(registry.get(), options, host, log).build();
  return registry;
}

}  // namespace rayo
