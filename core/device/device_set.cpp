// SPDX-License-Identifier: Apache-2.0
#include "device/device_set.hpp"

#include <unistd.h>

#include <chrono>
#include <thread>

#include "device/host_device.hpp"

namespace rayo {

std::shared_ptr<Device> DeviceSet::open_slot(const std::string &id,
                                             const std::function<std::shared_ptr<Device>()> &make) {
  Slot *slot = nullptr;
  const pid_t self = ::getpid();
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      slot = &slots_[id];
      if (slot->status != RAYO_OK) throw Error(slot->status, slot->text);
      if (slot->device) return slot->device;
      if (slot->opening == 0) {
        slot->opening = self;
        break;
      }
      if (slot->opening != self) {
        fail(RAYO_FORKED, "{}: the parent of this process was opening it at the fork; use another device here", id);
      }
    }
    // Another thread opens it. No condition variable: a forked child must be able to destroy it.
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  std::shared_ptr<Device> device;
  Error error(RAYO_OK, "");
  try {
    device = make();
  } catch (const Error &why) {
    error = why;
  } catch (...) {
    const std::lock_guard lock(mutex_);
    slot->opening = 0;
    throw;
  }
  const std::lock_guard lock(mutex_);
  slot->opening = 0;
  slot->status = error.status();
  if (error.status() != RAYO_OK) {
    slot->text = error.what();
    throw Error(error);
  }
  slot->device = device;
  return device;
}

std::shared_ptr<Device> DeviceSet::open(const DeviceRecord &record) {
  const PluginRecord &plugin = *registry_->plugins()[record.plugin];
  if (!record.device_tier) return host(record.id);
  return open_slot(record.id, [&] {
    return std::make_shared<Device>(runtime_, trace_, record.id, *plugin.plugin->device_api, plugin.instance,
                                    record.index, record.info);
  });
}

bool DeviceSet::is_open(const DeviceRecord &record) {
  const std::lock_guard lock(mutex_);
  const auto slot = slots_.find(record.id);
  return slot != slots_.end() && slot->second.device != nullptr;
}

std::shared_ptr<Device> DeviceSet::host(const std::string &id) {
  return open_slot(id, [&] {
    return std::make_shared<Device>(runtime_, trace_, id, host_device_api(), nullptr, 0, host_device_info(id));
  });
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
