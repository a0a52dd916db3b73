// SPDX-License-Identifier: Apache-2.0
#include "device/device_set.hpp"

#include "device/host_device.hpp"

namespace rayo {

std::shared_ptr<Device> DeviceSet::open(const DeviceRecord &record) {
  const PluginRecord &plugin = *registry_->plugins()[record.plugin];
  if (!record.device_tier) return host(record.id);
  const std::lock_guard lock(mutex_);
  Slot &slot = slots_[record.id];
  if (slot.status != RAYO_OK) throw Error(slot.status, slot.text);
  if (slot.device) return slot.device;
  try {
    slot.device = std::make_shared<Device>(runtime_, trace_, record.id, *plugin.plugin->device_api, plugin.instance,
                                           record.index, record.info);
  } catch (const Error &error) {
    slot.status = error.status();
    slot.text = error.what();
    throw;
  }
  return slot.device;
}

bool DeviceSet::is_open(const DeviceRecord &record) {
  const std::lock_guard lock(mutex_);
  const auto slot = slots_.find(record.id);
  return slot != slots_.end() && slot->second.device != nullptr;
}

std::shared_ptr<Device> DeviceSet::host(const std::string &id) {
  const std::lock_guard lock(mutex_);
  Slot &slot = slots_[id];
  if (!slot.device) {
    slot.device = std::make_shared<Device>(runtime_, trace_, id, host_device_api(), nullptr, 0, host_device_info(id));
  }
  return slot.device;
}

std::shared_ptr<Device> DeviceSet::find(std::string_view id) {
  if (id == "host") return host("host");
  std::string known = "host";
  for (const DeviceRecord &record : registry_->devices()) {
    if (record.id == id) return open(record);
    known += ", " + record.id;
  }
  fail(RAYO_NOT_FOUND, "unknown device '{}'; here are: {}; `rayo devices --all` shows every file found", id, known);
}

std::shared_ptr<Device> DeviceSet::owner_of(DLDevice dl) {
  for (const DeviceRecord &record : registry_->devices()) {
    const DLDevice each = record.info.dl;
    if (record.device_tier && (record.info.flags & RAYO_DEVICE_PEER_POINTERS) != 0 &&
        each.device_type == dl.device_type && each.device_id == dl.device_id) {
      return open(record);
    }
  }
  return nullptr;
}

void DeviceSet::drain() noexcept {
  for (auto &[id, slot] : slots_) {
    if (slot.device) slot.device->drain();
  }
}

void DeviceSet::close() noexcept {
  for (auto &[id, slot] : slots_) {
    if (slot.device) slot.device->close();
  }
}

}  // namespace rayo
