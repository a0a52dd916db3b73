// SPDX-License-Identifier: Apache-2.0
//
// An opened device: the logical Vulkan device and what its buffers, queues, semaphores and kernels share. It lives
// until the last of them lets go. Thread-safe; `mutex` guards what the comments say.
#pragma once

#include <sys/types.h>

#include <map>

#include <rayo/plugin_trace.hpp>

#include "clock.h"
#include "driver.h"

namespace rayo::vulkan {

struct DeviceFunctions {
#define GLOBAL(name)
#define INSTANCE(name)
#define DEVICE(name) PFN_vk##name name = nullptr;
#include "functions.def"
#undef GLOBAL
#undef INSTANCE
#undef DEVICE
  PFN_vkGetMemoryHostPointerPropertiesEXT GetMemoryHostPointerPropertiesEXT = nullptr;
  PFN_vkGetCalibratedTimestampsEXT GetCalibratedTimestampsEXT = nullptr;
};

// A Vulkan queue; several Rayo queues may use one.
struct Lane {
  VkQueue queue = VK_NULL_HANDLE;
  std::mutex mutex;
};

// Storage buffers that every pipeline has: one descriptor set layout and one pipeline layout serve all.
inline constexpr uint32_t kBindings = 4;
inline constexpr uint32_t kPushBytes = 128;  // every device has that many

enum class Shader : uint32_t { unary, binary, quantise, reduce, rows, matmul };

// Specialisation constants by id.
using Constants = std::map<uint32_t, uint32_t>;

// Failures on demand, for tests: at the given call of the device's functions, counted from 1.
struct Faults {
  std::atomic<uint64_t> calls{0};
  std::atomic<uint64_t> lost_at{0};
  std::atomic<uint64_t> memory_at{0};
  std::atomic<uint64_t> hang_at{0};  // counts submissions alone
  std::atomic<uint64_t> submissions{0};
};

class Device : public std::enable_shared_from_this<Device> {
 public:
  // Throws what stands in the way.
  static std::shared_ptr<Device> open(std::shared_ptr<Driver> driver, uint32_t index);
  Device(std::shared_ptr<Driver> driver, uint32_t index);  // for open
  ~Device();
  Device(const Device &) = delete;
  Device &operator=(const Device &) = delete;

  const PhysicalDevice &physical() const { return physical_; }
  const rayo_host *host() const { return driver_->host(); }
  const Driver &driver() const { return *driver_; }
  VkDevice handle() const { return handle_; }
  const char *id() const { return physical_.info.id; }
  bool forked() const;

  // At the head of every function: throws RAYO_FORKED or RAYO_DEVICE_LOST, or the failure that a test asked for.
  void enter(std::string_view what);
  // Throws unless the result is good; a lost device is remembered. Text: what, plugin, device, code, hint.
  void check(VkResult result, std::string_view what, std::string_view hint);
  [[noreturn]] void fail(rayo_status status, std::string_view what, const std::string &why,
                         std::string_view hint) const;
  void lose(const std::string &why);
  void throw_if_lost(std::string_view what) const;
  // Lost because its work does not end: nothing of it can be destroyed, since all may be in use.
  void abandon(const std::string &why);
  // Nothing may be destroyed: a forked child, or work that does not end.
  bool abandoned() const { return hung_ || forked(); }
  // Destroys a semaphore that no work uses any more, but not at once: the thread that submits for the driver may hold
  // it for a moment after the host has seen its last value (Mesa 22.3 crashes otherwise).
  void retire(VkSemaphore semaphore);
  void bury();       // destroys those, once there are many; waits for the Vulkan queues
  void end_stall();  // lets a submission go that a test made hang
  bool lost() const { return lost_; }

  Lane &next_lane();
  VkPipeline pipeline(Shader shader, const Constants &constants);
  VkPipelineLayout pipeline_layout() const { return pipeline_layout_; }
  VkDescriptorSetLayout set_layout() const { return set_layout_; }
  // Index of a memory type among `allowed` with all of `wanted`, or -1.
  int32_t memory_type(uint32_t allowed, VkMemoryPropertyFlags wanted) const;
  uint64_t next_id() { return ++ids_; }
  // A small buffer for bindings that a kernel does not use.
  VkBuffer dummy() const { return dummy_; }

  DeviceFunctions vk;
  std::mutex mutex;
  std::vector<rayo_queue *> queues;  // guarded by mutex; for the watchdog
  plugin::Numbers numbers;           // of queues; guarded by mutex
  // Times steps of traced queues; NULL = the device times nothing, or nothing is traced.
  DeviceClock *clock() const { return clock_.get(); }
  // With the first traced queue, since an estimate needs the device idle. With mutex held.
  void start_clock();
  uint64_t watchdog_ns;
  Faults faults;
  VkSemaphore stall = VK_NULL_HANDLE;  // what a submission that a test made hang waits for; guarded by mutex
  bool stalled = false;                // nobody has let it go yet; guarded by mutex
  std::atomic<uint64_t> live_bytes{0};

 private:
  void create();
  void create_dummy();
  void create_layouts();
  void read_faults();
  VkPipeline build(Shader shader, const Constants &constants);
  void open_cache();
  void save_cache();

  std::shared_ptr<Driver> driver_;
  const PhysicalDevice &physical_;
  pid_t pid_;
  VkDevice handle_ = VK_NULL_HANDLE;
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::atomic<uint32_t> turn_{0};
  std::atomic<uint64_t> ids_{0};
  std::atomic<bool> lost_{false};
  mutable std::mutex lost_mutex_;
  std::unique_ptr<DeviceClock> clock_;
  bool clock_tried_ = false;
  std::string lost_text_;
  std::atomic<bool> hung_{false};
  VkDescriptorSetLayout set_layout_ = VK_NULL_HANDLE;
  VkPipelineLayout pipeline_layout_ = VK_NULL_HANDLE;
  VkPipelineCache cache_ = VK_NULL_HANDLE;
  bool cache_grew_ = false;
  std::mutex retired_mutex_;
  std::vector<VkSemaphore> retired_;
  std::mutex pipelines_mutex_;
  std::map<std::pair<Shader, Constants>, VkPipeline> pipelines_;
  VkBuffer dummy_ = VK_NULL_HANDLE;
  VkDeviceMemory dummy_memory_ = VK_NULL_HANDLE;
};

}  // namespace rayo::vulkan

struct rayo_device {
  std::shared_ptr<rayo::vulkan::Device> device;
};
