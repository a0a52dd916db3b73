// SPDX-License-Identifier: Apache-2.0
//
// The Vulkan loader, opened at run time, an instance, and the physical devices that can be Rayo devices. The plugin
// links no Vulkan: where there is no loader or no driver it loads all the same and has no device.
#pragma once

#define VK_NO_PROTOTYPES
#include <rayo/plugin.h>
#include <vulkan/vulkan.h>
#include <rayo/plugin_support.hpp>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace rayo::vulkan {

using plugin::Error;
using plugin::fence;

struct GlobalFunctions {
#define GLOBAL(name) PFN_vk##name name = nullptr;
#define INSTANCE(name)
#define DEVICE(name)
#include "functions.def"
#undef GLOBAL
#undef INSTANCE
#undef DEVICE
};
struct InstanceFunctions {
#define GLOBAL(name)
#define INSTANCE(name) PFN_vk##name name = nullptr;
#define DEVICE(name)
#include "functions.def"
#undef GLOBAL
#undef INSTANCE
#undef DEVICE
};

// What the device promises about f32 arithmetic in shaders: its float controls.
struct FloatControls {
  bool round_to_even = false;
  bool keep_subnormals = false;
  bool keep_special = false;  // signed zeros, infinities, NaN
};

// A physical device that fulfils what the plugin needs: Vulkan 1.2, timeline semaphores, a compute queue.
struct PhysicalDevice {
  VkPhysicalDevice handle = VK_NULL_HANDLE;
  rayo_device_info info{};
  VkPhysicalDeviceLimits limits{};
  VkPhysicalDeviceMemoryProperties memory{};
  FloatControls floats;
  uint32_t family = 0;            // with compute
  uint32_t queue_count = 0;       // of the family
  uint64_t import_alignment = 0;  // 0 = host memory cannot be imported
  bool bytes = false;             // 8-bit elements in buffers
  uint32_t timestamp_bits = 0;    // of the family's queues; 0 = the device times nothing
  bool calibrated = false;        // VK_EXT_calibrated_timestamps, with the host's monotonic clock
  uint8_t cache_uuid[VK_UUID_SIZE]{};
  uint32_t vendor = 0;
  uint32_t device = 0;
};

// Where messages of the validation layer go.
struct MessageSink {
  const rayo_host *host;
  std::atomic<uint64_t> count{0};
};

// Made once per plugin instance, on first use; immutable afterwards, so read without locks.
class Driver {
 public:
  explicit Driver(const rayo_host *host);
  ~Driver();
  Driver(const Driver &) = delete;
  Driver &operator=(const Driver &) = delete;

  const std::vector<PhysicalDevice> &devices() const { return devices_; }
  const std::string &reason() const { return reason_; }  // why there is no device; empty if there is one
  const InstanceFunctions &vk() const { return vk_; }
  const rayo_host *host() const { return host_; }
  // Messages of the validation layer so far; counted where RAYO_VULKAN_VALIDATION=1.
  uint64_t validation_messages() const { return sink_.count; }

 private:
  void open_loader();
  void create_instance();
  void watch_validation();
  void find_devices();
  bool describe(VkPhysicalDevice handle, PhysicalDevice *out) const;
  bool has_host_clock(VkPhysicalDevice handle) const;

  const rayo_host *host_;
  pid_t pid_;
  GlobalFunctions global_;
  InstanceFunctions vk_;
  PFN_vkGetInstanceProcAddr get_proc_ = nullptr;
  VkInstance instance_ = VK_NULL_HANDLE;
  VkDebugUtilsMessengerEXT messenger_ = VK_NULL_HANDLE;
  MessageSink sink_;
  std::vector<PhysicalDevice> devices_;
  std::string reason_;
};

// "VK_ERROR_DEVICE_LOST (-4)"
std::string result_name(VkResult result);
rayo_status status_of(VkResult result);

}  // namespace rayo::vulkan

struct rayo_instance {
  const rayo_host *host;
  std::mutex mutex;
  std::shared_ptr<rayo::vulkan::Driver> driver;  // made by the first call that needs it
};

namespace rayo::vulkan {
// Makes the driver if it is not there yet, which takes its time.
std::shared_ptr<Driver> driver_of(rayo_instance *instance);
// The same devices' descriptions without a driver, where they are known from an earlier run.
std::vector<rayo_device_info> devices_of(rayo_instance *instance);
}  // namespace rayo::vulkan
