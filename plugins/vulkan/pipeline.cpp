// SPDX-License-Identifier: Apache-2.0
//
// Pipelines of a device, made on first use and kept, and the driver's pipeline cache, kept in a file between runs.
#include <cstdio>
#include <cstring>

#include "cache_file.h"
#include "device.h"
#include "spirv.h"

namespace rayo::vulkan {
namespace {

// One file per driver and device, so that neither evicts the other's.
std::string cache_name(const PhysicalDevice &physical) {
  char name[96];
  int length = std::snprintf(name, sizeof name, "vulkan-%08x-%08x-", physical.vendor, physical.device);
  for (const uint8_t byte : physical.cache_uuid)
    length += std::snprintf(name + length, sizeof name - static_cast<size_t>(length), "%02x", byte);
  return std::string(name) + ".bin";
}

// Does the driver's own header (length, version 1, vendor, device, UUID) name this device?
bool is_of(const PhysicalDevice &physical, std::span<const std::byte> data) {
  uint32_t words[4];
  if (data.size() < sizeof words + VK_UUID_SIZE) return false;
  std::memcpy(words, data.data(), sizeof words);
  return words[1] == VK_PIPELINE_CACHE_HEADER_VERSION_ONE && words[2] == physical.vendor &&
         words[3] == physical.device && std::memcmp(data.data() + sizeof words, physical.cache_uuid, VK_UUID_SIZE) == 0;
}

}  // namespace

void Device::open_cache() {
  std::vector<std::byte> data = read_cached(cache_name(physical_));
  if (!is_of(physical_, data)) data.clear();
  VkPipelineCacheCreateInfo info{VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO};
  info.initialDataSize = data.size();
  info.pInitialData = data.data();
  if (vk.CreatePipelineCache(handle_, &info, nullptr, &cache_) == VK_SUCCESS) return;
  info.initialDataSize = 0;
  if (vk.CreatePipelineCache(handle_, &info, nullptr, &cache_) != VK_SUCCESS) cache_ = VK_NULL_HANDLE;
}

void Device::save_cache() {
  if (!cache_grew_ || cache_ == VK_NULL_HANDLE) return;
  size_t size = 0;
  if (vk.GetPipelineCacheData(handle_, cache_, &size, nullptr) != VK_SUCCESS) return;
  std::vector<std::byte> data(size);
  if (vk.GetPipelineCacheData(handle_, cache_, &size, data.data()) != VK_SUCCESS) return;
  data.resize(size);
  write_cached(cache_name(physical_), data);
}

VkPipeline Device::pipeline(Shader shader, const Constants &constants) {
  const std::lock_guard lock(pipelines_mutex_);
  auto &made = pipelines_[{shader, constants}];
  if (made == VK_NULL_HANDLE) {
    made = build(shader, constants);
    cache_grew_ = true;
  }
  return made;
}

VkPipeline Device::build(Shader shader, const Constants &constants) {
  const std::vector<uint32_t> code = with_exact_arithmetic(embedded(shader), physical_.floats);
  VkShaderModuleCreateInfo module_info{VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO};
  module_info.codeSize = code.size() * sizeof(uint32_t);
  module_info.pCode = code.data();
  VkShaderModule module = VK_NULL_HANDLE;
  const std::string what = std::string("shader ") + shader_name(shader);
  check(vk.CreateShaderModule(handle_, &module_info, nullptr, &module), what, "");
  std::vector<VkSpecializationMapEntry> entries;
  std::vector<uint32_t> values;
  for (const auto &[id, value] : constants) {
    entries.push_back({id, static_cast<uint32_t>(values.size() * sizeof(uint32_t)), sizeof(uint32_t)});
    values.push_back(value);
  }
  const VkSpecializationInfo special{static_cast<uint32_t>(entries.size()), entries.data(),
                                     values.size() * sizeof(uint32_t), values.data()};
  VkComputePipelineCreateInfo info{VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO};
  info.stage = {VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO};
  info.stage.stage = VK_SHADER_STAGE_COMPUTE_BIT;
  info.stage.module = module;
  info.stage.pName = "main";
  info.stage.pSpecializationInfo = &special;
  info.layout = pipeline_layout_;
  VkPipeline made = VK_NULL_HANDLE;
  const VkResult result = vk.CreateComputePipelines(handle_, cache_, 1, &info, nullptr, &made);
  vk.DestroyShaderModule(handle_, module, nullptr);
  check(result, what, "the driver could not compile it");
  return made;
}

}  // namespace rayo::vulkan
