// SPDX-License-Identifier: Apache-2.0
//
// What a physical device is and can do, asked once.
#include <algorithm>
#include <cstring>

#include "driver.h"

namespace rayo::vulkan {
namespace {

// Offsets are 32-bit in the shaders, in elements of as little as one byte.
constexpr uint64_t kMaxBufferBytes = (uint64_t{1} << 31) - 4096;

bool find_family(const InstanceFunctions &vk, VkPhysicalDevice handle, PhysicalDevice *out) {
  uint32_t count = 0;
  vk.GetPhysicalDeviceQueueFamilyProperties(handle, &count, nullptr);
  std::vector<VkQueueFamilyProperties> families(count);
  vk.GetPhysicalDeviceQueueFamilyProperties(handle, &count, families.data());
  // One without graphics first: work there does not queue behind the desktop's.
  for (const bool graphics : {false, true}) {
    for (uint32_t i = 0; i < count; ++i) {
      const VkQueueFlags flags = families[i].queueFlags;
      if ((flags & VK_QUEUE_COMPUTE_BIT) == 0 || ((flags & VK_QUEUE_GRAPHICS_BIT) != 0) != graphics) continue;
      out->family = i;
      out->queue_count = families[i].queueCount;
      out->timestamp_bits = families[i].timestampValidBits;
      return true;
    }
  }
  return false;
}

bool has_extension(const InstanceFunctions &vk, VkPhysicalDevice handle, const char *name) {
  uint32_t count = 0;
  vk.EnumerateDeviceExtensionProperties(handle, nullptr, &count, nullptr);
  std::vector<VkExtensionProperties> all(count);
  vk.EnumerateDeviceExtensionProperties(handle, nullptr, &count, all.data());
  return std::any_of(all.begin(), all.end(),
                     [&](const VkExtensionProperties &e) { return std::strcmp(e.extensionName, name) == 0; });
}

// Is all memory that kernels want the host's as well?
bool is_unified(const VkPhysicalDeviceMemoryProperties &memory) {
  constexpr VkMemoryPropertyFlags kBoth =
      VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT | VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
  bool both = false;
  for (uint32_t i = 0; i < memory.memoryTypeCount; ++i)
    both = both || (memory.memoryTypes[i].propertyFlags & kBoth) == kBoth;
  return both;
}

}  // namespace

bool Driver::has_host_clock(VkPhysicalDevice handle) const {
  const auto domains = reinterpret_cast<PFN_vkGetPhysicalDeviceCalibrateableTimeDomainsEXT>(
      get_proc_(instance_, "vkGetPhysicalDeviceCalibrateableTimeDomainsEXT"));
  uint32_t count = 0;
  if (domains == nullptr || domains(handle, &count, nullptr) < 0) return false;
  std::vector<VkTimeDomainEXT> all(count);
  if (domains(handle, &count, all.data()) < 0) return false;
  return std::find(all.begin(), all.end(), VK_TIME_DOMAIN_CLOCK_MONOTONIC_EXT) != all.end() &&
         std::find(all.begin(), all.end(), VK_TIME_DOMAIN_DEVICE_EXT) != all.end();
}

bool Driver::describe(VkPhysicalDevice handle, PhysicalDevice *out) const {
  VkPhysicalDeviceProperties basic;
  vk_.GetPhysicalDeviceProperties(handle, &basic);
  if (basic.apiVersion < VK_API_VERSION_1_2 || !find_family(vk_, handle, out)) return false;
  VkPhysicalDeviceVulkan12Features features12{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES};
  VkPhysicalDeviceFeatures2 features{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, &features12, {}};
  vk_.GetPhysicalDeviceFeatures2(handle, &features);
  if (features12.timelineSemaphore == VK_FALSE) return false;

  const bool can_import = has_extension(vk_, handle, VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME);
  VkPhysicalDeviceExternalMemoryHostPropertiesEXT import{
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_MEMORY_HOST_PROPERTIES_EXT};
  VkPhysicalDeviceMaintenance3Properties maintenance3{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_3_PROPERTIES,
                                                      can_import ? &import : nullptr};
  VkPhysicalDeviceVulkan12Properties properties12{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_PROPERTIES,
                                                  &maintenance3};
  VkPhysicalDeviceProperties2 properties{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, &properties12, {}};
  vk_.GetPhysicalDeviceProperties2(handle, &properties);
  vk_.GetPhysicalDeviceMemoryProperties(handle, &out->memory);

  out->calibrated = has_extension(vk_, handle, VK_EXT_CALIBRATED_TIMESTAMPS_EXTENSION_NAME) && has_host_clock(handle);
  out->handle = handle;
  out->limits = basic.limits;
  out->floats.round_to_even = properties12.shaderRoundingModeRTEFloat32 != VK_FALSE;
  out->floats.keep_subnormals = properties12.shaderDenormPreserveFloat32 != VK_FALSE;
  out->floats.keep_special = properties12.shaderSignedZeroInfNanPreserveFloat32 != VK_FALSE;
  out->bytes = features12.storageBuffer8BitAccess != VK_FALSE;
  out->import_alignment = can_import ? import.minImportedHostPointerAlignment : 0;
  std::memcpy(out->cache_uuid, basic.pipelineCacheUUID, VK_UUID_SIZE);
  out->vendor = basic.vendorID;
  out->device = basic.deviceID;

  rayo_device_info &info = out->info;
  std::strncpy(info.name, basic.deviceName, sizeof info.name - 1);
  std::strncpy(info.driver, properties12.driverInfo, sizeof info.driver - 1);
  const bool software = basic.deviceType == VK_PHYSICAL_DEVICE_TYPE_CPU;
  const bool shares = software || basic.deviceType == VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU;
  info.flags = (software ? RAYO_DEVICE_SOFTWARE : 0u) | (shares && is_unified(out->memory) ? RAYO_DEVICE_UNIFIED : 0u) |
               (can_import ? RAYO_DEVICE_HOST_IMPORT : 0u);
  info.alignment = static_cast<uint32_t>(std::max<uint64_t>(16, basic.limits.minStorageBufferOffsetAlignment));
  for (uint32_t i = 0; i < out->memory.memoryHeapCount; ++i) {
    if ((out->memory.memoryHeaps[i].flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT) != 0)
      info.memory_bytes = std::max<uint64_t>(info.memory_bytes, out->memory.memoryHeaps[i].size);
  }
  info.max_buffer_bytes = std::min({kMaxBufferBytes, static_cast<uint64_t>(basic.limits.maxStorageBufferRange),
                                    static_cast<uint64_t>(maintenance3.maxMemoryAllocationSize)});
  return true;
}

}  // namespace rayo::vulkan
