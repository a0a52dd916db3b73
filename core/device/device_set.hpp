// SPDX-License-Identifier: Apache-2.0
//
// The devices of one runtime: opened on first use, once, and kept until the runtime goes.
#pragma once

#include <sys/types.h>

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/log.hpp"
#include "device/counters.hpp"
#include "device/device.hpp"
#include "registry/registry.hpp"

namespace rayo {

class DeviceSet {
 public:
  DeviceSet(rayo_runtime *runtime, const LiveRegistry &registry, const Log &log, Trace *trace)
      : runtime_(runtime), trace_(trace), registry_(registry), fallbacks_(log) {}
  ~DeviceSet() { close(); }
  DeviceSet(const DeviceSet &) = delete;
  DeviceSet &operator=(const DeviceSet &) = delete;

  // Opens it. A device that could not be opened stays so. Throws Error; RAYO_FORKED where the parent's thread was about
  // to open it when this process was forked.
  std::shared_ptr<Device> open(const DeviceRecord &record);
  bool is_open(const DeviceRecord &record);
  // By the name that the application uses: a device's id, "host", or a CPU plugin's name. Throws RAYO_NOT_FOUND.
  std::shared_ptr<Device> find(std::string_view id);
  // Whose memory a tensor without a buffer points into; null if none has PEER_POINTERS and this DLPack device.
  std::shared_ptr<Device> owner_of(DLDevice dl);

  FallbackCounters &fallbacks() noexcept { return fallbacks_; }

  void drain() noexcept;  // no queue runs any more
  void close() noexcept;  // after that kernel states may not be used

 private:
  struct Slot {
    std::shared_ptr<Device> device;
    rayo_status status = RAYO_OK;
    std::string text;
    pid_t opening = 0;  // the process of the thread that opens it; 0 = nobody does
  };
  // The slot's device, made by `make` the first time. Not under the mutex: opening takes long, and drivers fork.
  std::shared_ptr<Device> open_slot(const std::string &id, const std::function<std::shared_ptr<Device>()> &make);
  std::shared_ptr<Device> host(const std::string &id);

  rayo_runtime *runtime_;
  Trace *trace_;
  const LiveRegistry &registry_;
  FallbackCounters fallbacks_;
  ForkMutex mutex_{ForkMutex::Kind::inner};
  std::map<std::string, Slot, std::less<>> slots_;  // guarded by mutex_; a slot stays where it is
};

}  // namespace rayo
