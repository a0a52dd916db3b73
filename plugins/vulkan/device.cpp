// SPDX-License-Identifier: Apache-2.0
#include "device.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace rayo::vulkan {
namespace {

constexpr uint64_t kWatchdogMs = 10000;
constexpr uint32_t kMaxLanes = 4;

// A number from the environment; `fallback` where it is not set.
uint64_t number_of(const char *variable, uint64_t fallback, uint64_t low, uint64_t high) {
  const char *text = std::getenv(variable);
  if (text == nullptr || text[0] == '\0') return fallback;
  char *end = nullptr;
  const uint64_t value = std::strtoull(text, &end, 10);
  if (*end != '\0' || value < low || value > high)
    throw Error(RAYO_INVALID_ARGUMENT, std::string(variable) + " is '" + text + "'; legal: a whole number from " +
                                           std::to_string(low) + " to " + std::to_string(high));
  return value;
}

}  // namespace

std::shared_ptr<Device> Device::open(std::shared_ptr<Driver> driver, uint32_t index) {
  auto device = std::make_shared<Device>(std::move(driver), index);
  device->read_faults();
  device->create();
  device->create_layouts();
  device->create_dummy();
  device->open_cache();
  return device;
}

Device::Device(std::shared_ptr<Driver> driver, uint32_t index)
    : watchdog_ns(number_of("RAYO_VULKAN_WATCHDOG_MS", kWatchdogMs, 10, 86400000) * 1000000),
      driver_(std::move(driver)),
      physical_(driver_->devices()[index]),
      pid_(getpid()) {}

Device::~Device() {
  // In a forked child the driver's threads do not exist; on a device whose work never ends, waiting for it does not
  // end either. Both are left as they are.
  if (handle_ == VK_NULL_HANDLE || abandoned()) return;
  vk.DeviceWaitIdle(handle_);
  for (VkSemaphore semaphore : retired_) vk.DestroySemaphore(handle_, semaphore, nullptr);
  save_cache();
  for (const auto &[key, pipeline] : pipelines_) vk.DestroyPipeline(handle_, pipeline, nullptr);
  vk.DestroyPipelineCache(handle_, cache_, nullptr);
  vk.DestroyPipelineLayout(handle_, pipeline_layout_, nullptr);
  vk.DestroyDescriptorSetLayout(handle_, set_layout_, nullptr);
  vk.DestroyBuffer(handle_, dummy_, nullptr);
  vk.FreeMemory(handle_, dummy_memory_, nullptr);
  vk.DestroySemaphore(handle_, stall, nullptr);
  vk.DestroyDevice(handle_, nullptr);
}

bool Device::forked() const { return pid_ != getpid(); }

void Device::create() {
  const std::vector<float> priorities(kMaxLanes, 1.0f);
  VkDeviceQueueCreateInfo queue{VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO};
  queue.queueFamilyIndex = physical_.family;
  queue.queueCount = std::min(physical_.queue_count, kMaxLanes);
  queue.pQueuePriorities = priorities.data();
  VkPhysicalDeviceVulkan12Features features{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES};
  features.timelineSemaphore = VK_TRUE;
  features.storageBuffer8BitAccess = physical_.bytes ? VK_TRUE : VK_FALSE;
  std::vector<const char *> extensions;
  if (physical_.import_alignment != 0) extensions.push_back(VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME);
  if (physical_.calibrated) extensions.push_back(VK_EXT_CALIBRATED_TIMESTAMPS_EXTENSION_NAME);
  VkDeviceCreateInfo info{VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO, &features};
  info.queueCreateInfoCount = 1;
  info.pQueueCreateInfos = &queue;
  info.enabledExtensionCount = static_cast<uint32_t>(extensions.size());
  info.ppEnabledExtensionNames = extensions.data();
  const InstanceFunctions &of_instance = driver_->vk();
  const VkResult result = of_instance.CreateDevice(physical_.handle, &info, nullptr, &handle_);
  if (result != VK_SUCCESS) handle_ = VK_NULL_HANDLE;
  check(result, "device_open", "is another process using it up?");
#define GLOBAL(name)
#define INSTANCE(name)
#define DEVICE(name) vk.name = reinterpret_cast<PFN_vk##name>(of_instance.GetDeviceProcAddr(handle_, "vk" #name));
#include "functions.def"
#undef GLOBAL
#undef INSTANCE
#undef DEVICE
  vk.GetMemoryHostPointerPropertiesEXT = reinterpret_cast<PFN_vkGetMemoryHostPointerPropertiesEXT>(
      of_instance.GetDeviceProcAddr(handle_, "vkGetMemoryHostPointerPropertiesEXT"));
  if (physical_.calibrated)
    vk.GetCalibratedTimestampsEXT = reinterpret_cast<PFN_vkGetCalibratedTimestampsEXT>(
        of_instance.GetDeviceProcAddr(handle_, "vkGetCalibratedTimestampsEXT"));
  for (uint32_t i = 0; i < queue.queueCount; ++i) {
    lanes_.push_back(std::make_unique<Lane>());
    vk.GetDeviceQueue(handle_, physical_.family, i, &lanes_.back()->queue);
  }
}

void Device::create_layouts() {
  std::vector<VkDescriptorSetLayoutBinding> bindings(kBindings);
  for (uint32_t i = 0; i < kBindings; ++i) {
    bindings[i].binding = i;
    bindings[i].descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
    bindings[i].descriptorCount = 1;
    bindings[i].stageFlags = VK_SHADER_STAGE_COMPUTE_BIT;
  }
  VkDescriptorSetLayoutCreateInfo set{VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO};
  set.bindingCount = kBindings;
  set.pBindings = bindings.data();
  check(vk.CreateDescriptorSetLayout(handle_, &set, nullptr, &set_layout_), "device_open", "");
  const VkPushConstantRange range{VK_SHADER_STAGE_COMPUTE_BIT, 0, kPushBytes};
  VkPipelineLayoutCreateInfo layout{VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO};
  layout.setLayoutCount = 1;
  layout.pSetLayouts = &set_layout_;
  layout.pushConstantRangeCount = 1;
  layout.pPushConstantRanges = &range;
  check(vk.CreatePipelineLayout(handle_, &layout, nullptr, &pipeline_layout_), "device_open", "");
}

void Device::create_dummy() {
  VkBufferCreateInfo info{VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO};
  info.size = 16;
  info.usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT;
  check(vk.CreateBuffer(handle_, &info, nullptr, &dummy_), "device_open", "");
  VkMemoryRequirements needs;
  vk.GetBufferMemoryRequirements(handle_, dummy_, &needs);
  VkMemoryAllocateInfo memory{VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO};
  memory.allocationSize = needs.size;
  memory.memoryTypeIndex = static_cast<uint32_t>(memory_type(needs.memoryTypeBits, 0));
  check(vk.AllocateMemory(handle_, &memory, nullptr, &dummy_memory_), "device_open", "");
  check(vk.BindBufferMemory(handle_, dummy_, dummy_memory_, 0), "device_open", "");
}

int32_t Device::memory_type(uint32_t allowed, VkMemoryPropertyFlags wanted) const {
  for (uint32_t i = 0; i < physical_.memory.memoryTypeCount; ++i) {
    if ((allowed >> i & 1u) != 0 && (physical_.memory.memoryTypes[i].propertyFlags & wanted) == wanted)
      return static_cast<int32_t>(i);
  }
  return -1;
}

void Device::start_clock() {
  if (clock_tried_ || physical_.timestamp_bits == 0) return;
  clock_tried_ = true;
  // Without a clock there are no spans of the device's work: the trace's loss, nobody else's.
  fence(static_cast<rayo_error *>(nullptr), [&] { clock_ = std::make_unique<DeviceClock>(*this); });
}

Lane &Device::next_lane() { return *lanes_[turn_++ % lanes_.size()]; }

void Device::fail(rayo_status status, std::string_view what, const std::string &why, std::string_view hint) const {
  std::string text(what);
  text += ": plugin vulkan, device ";
  text += id();
  text += ": " + why;
  if (!hint.empty()) text += "; " + std::string(hint);
  throw Error(status, text);
}

void Device::check(VkResult result, std::string_view what, std::string_view hint) {
  if (result >= VK_SUCCESS) return;
  if (result == VK_ERROR_DEVICE_LOST) {
    lose(std::string(what) + " met " + result_name(result));
    throw_if_lost(what);
  }
  fail(status_of(result), what, result_name(result), hint);
}

void Device::lose(const std::string &why) {
  const std::lock_guard lock(lost_mutex_);
  if (!lost_) lost_text_ = why;
  lost_ = true;
}

void Device::abandon(const std::string &why) {
  lose(why);
  if (!stalled) hung_ = true;
}

void Device::retire(VkSemaphore semaphore) {
  if (semaphore == VK_NULL_HANDLE || abandoned()) return;
  const std::lock_guard lock(retired_mutex_);
  retired_.push_back(semaphore);
}

void Device::bury() {
  constexpr size_t kMany = 64;
  std::vector<VkSemaphore> dead;
  {
    const std::lock_guard lock(retired_mutex_);
    if (retired_.size() < kMany) return;
    dead.swap(retired_);
  }
  for (const auto &lane : lanes_) {
    const std::lock_guard lock(lane->mutex);
    vk.QueueWaitIdle(lane->queue);
  }
  for (VkSemaphore semaphore : dead) vk.DestroySemaphore(handle_, semaphore, nullptr);
}

void Device::end_stall() {
  const std::lock_guard lock(mutex);
  if (!stalled) return;
  stalled = false;
  const VkSemaphoreSignalInfo info{VK_STRUCTURE_TYPE_SEMAPHORE_SIGNAL_INFO, nullptr, stall, 1};
  vk.SignalSemaphore(handle_, &info);
}

void Device::throw_if_lost(std::string_view what) const {
  if (!lost_) return;
  std::string why;
  {
    const std::lock_guard lock(lost_mutex_);
    why = lost_text_;
  }
  fail(RAYO_DEVICE_LOST, what, "the device was lost: " + why, "close it and open it again, or use another");
}

void Device::enter(std::string_view what) {
  if (forked())  // before any lock: a thread that does not exist here may hold it
    fail(RAYO_FORKED, what, "the device belongs to the parent of this process", "open it again here");
  throw_if_lost(what);
  const uint64_t call = ++faults.calls;
  if (call == faults.memory_at)
    fail(RAYO_OUT_OF_MEMORY, what, result_name(VK_ERROR_OUT_OF_DEVICE_MEMORY) + ", injected", "a test asked for it");
  if (call == faults.lost_at) check(VK_ERROR_DEVICE_LOST, std::string(what) + " (injected)", "");
}

// RAYO_VULKAN_INJECT: oom@N, lost@N, hang@N, with commas between.
void Device::read_faults() {
  const char *text = std::getenv("RAYO_VULKAN_INJECT");
  if (text == nullptr) return;
  std::string_view rest(text);
  while (!rest.empty()) {
    const std::string item(rest.substr(0, rest.find(',')));
    rest.remove_prefix(std::min(rest.size(), item.size() + 1));
    const size_t at = item.find('@');
    const std::string kind = item.substr(0, at);
    char *end = nullptr;
    const uint64_t call = at == std::string::npos ? 0 : std::strtoull(item.c_str() + at + 1, &end, 10);
    std::atomic<uint64_t> *fault = kind == "oom"    ? &faults.memory_at
                                   : kind == "lost" ? &faults.lost_at
                                   : kind == "hang" ? &faults.hang_at
                                                    : nullptr;
    if (fault == nullptr || call == 0 || *end != '\0')
      throw Error(RAYO_INVALID_ARGUMENT,
                  "RAYO_VULKAN_INJECT has '" + item + "'; legal: oom@N, lost@N, hang@N with N from 1, commas between");
    *fault = call;
  }
}

}  // namespace rayo::vulkan
