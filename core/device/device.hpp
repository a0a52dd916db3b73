// SPDX-License-Identifier: Apache-2.0
//
// An opened device: a plugin's, or the host dressed as one. Everything made from it is known to it, so that a runtime
// can be destroyed before the application's buffers and queues: their raw handles go first, the shells answer
// RAYO_PRECONDITION from then on.
#pragma once

#include <rayo/device.h>
#include <rayo/plugin.h>
#include <sys/types.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_set>

#include "base/error.hpp"

struct rayo_runtime;

namespace rayo {

class Trace;

class Device;
class Staging;

// Owns one raw handle of a device. Derived destructors call drop().
class DeviceChild {
 public:
  explicit DeviceChild(std::shared_ptr<Device> device) : device_(std::move(device)) {}
  virtual ~DeviceChild() = default;
  DeviceChild(const DeviceChild &) = delete;
  DeviceChild &operator=(const DeviceChild &) = delete;

  Device &device() const noexcept { return *device_; }

 protected:
  void adopt();          // makes it known to the device; last step of a constructor
  void drop() noexcept;  // destroys the raw handle unless the device has done so already
  virtual void release_raw() noexcept = 0;

 private:
  friend class Device;
  std::shared_ptr<Device> device_;
};

class Device : public std::enable_shared_from_this<Device> {
 public:
  // `id`: what the application calls it. `instance` is null for the host. Throws Error.
  Device(rayo_runtime *runtime, Trace *trace, std::string id, const rayo_device_api &api, rayo_instance *instance,
         uint32_t index, const rayo_device_info &info);
  ~Device();
  Device(const Device &) = delete;
  Device &operator=(const Device &) = delete;

  rayo_runtime *runtime() const noexcept { return runtime_; }  // gone once check_usable says so
  Trace *trace() const noexcept { return trace_; }             // null: off
  const std::string &id() const noexcept { return id_; }
  const rayo_device_info &info() const noexcept { return info_; }
  const rayo_device_api &api() const noexcept { return api_; }
  rayo_device *raw() const noexcept { return raw_; }
  bool is_host() const noexcept { return instance_ == nullptr; }
  bool unified() const noexcept { return (info_.flags & RAYO_DEVICE_UNIFIED) != 0; }
  Staging &staging() noexcept { return *staging_; }

  bool forked() const noexcept;
  bool lost() const noexcept { return lost_.load(std::memory_order_relaxed); }
  // Throws RAYO_PRECONDITION after close, RAYO_FORKED in a child, RAYO_DEVICE_LOST once it has said so.
  void check_usable() const;

  // Throws the failure of a cold function of the API (text in `error`), or of a hot one (text left for last_error).
  void check(rayo_status status, const rayo_error &error, const char *what);
  void check_hot(rayo_status status, const char *what);

  // Queues first: nothing runs any more. Then the rest, and the device itself.
  void drain() noexcept;
  void close() noexcept;

 private:
  friend class DeviceChild;
  [[noreturn]] void fail_with(rayo_status status, std::string_view text, const char *what);
  void take_down(bool queues_only) noexcept;

  rayo_runtime *runtime_;
  Trace *trace_;
  std::string id_;
  const rayo_device_api &api_;
  rayo_instance *instance_;
  rayo_device_info info_;
  rayo_device *raw_ = nullptr;
  pid_t pid_;
  std::atomic<bool> lost_{false};
  std::atomic<bool> closed_{false};
  std::mutex mutex_;
  std::unordered_set<DeviceChild *> children_;
  std::unique_ptr<Staging> staging_;
};

// What a call to the device's API fills on failure; text empty.
inline rayo_error no_error() noexcept {
  rayo_error error;
  error.status = RAYO_OK;
  error.text[0] = '\0';
  return error;
}

}  // namespace rayo
