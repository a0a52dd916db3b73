// SPDX-License-Identifier: Apache-2.0
#include "queue.h"

namespace rayo::vulkan {

Slot::Slot(Device &owner) : device(owner) {
  const VkCommandPoolCreateInfo pool_info{VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO, nullptr, 0,
                                          device.physical().family};
  device.check(device.vk.CreateCommandPool(device.handle(), &pool_info, nullptr, &pool), "submit", "");
  const VkDescriptorPoolSize size{VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, kBindings};
  VkDescriptorPoolCreateInfo info{VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO};
  info.maxSets = 1;
  info.poolSizeCount = 1;
  info.pPoolSizes = &size;
  VkResult result = device.vk.CreateDescriptorPool(device.handle(), &info, nullptr, &descriptors);
  if (result == VK_SUCCESS) {
    VkDescriptorSetLayout layout = device.set_layout();
    VkDescriptorSetAllocateInfo one{VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO};
    one.descriptorPool = descriptors;
    one.descriptorSetCount = 1;
    one.pSetLayouts = &layout;
    result = device.vk.AllocateDescriptorSets(device.handle(), &one, &set);
  }
  if (result == VK_SUCCESS) return;
  device.vk.DestroyDescriptorPool(device.handle(), descriptors, nullptr);
  device.vk.DestroyCommandPool(device.handle(), pool, nullptr);
  device.check(result, "submit", "wait for the queue, then try again");
}

Slot::~Slot() {
  if (device.abandoned()) return;
  device.vk.DestroyDescriptorPool(device.handle(), descriptors, nullptr);
  device.vk.DestroyCommandPool(device.handle(), pool, nullptr);
}

void Slot::reset() { device.check(device.vk.ResetCommandPool(device.handle(), pool, 0), "submit", ""); }

VkCommandBuffer Slot::begin(size_t piece) {
  while (commands.size() <= piece) {
    VkCommandBufferAllocateInfo info{VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO};
    info.commandPool = pool;
    info.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY;
    info.commandBufferCount = 1;
    VkCommandBuffer made = VK_NULL_HANDLE;
    device.check(device.vk.AllocateCommandBuffers(device.handle(), &info, &made), "submit", "");
    commands.push_back(made);
  }
  VkCommandBufferBeginInfo info{VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
  info.flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT;
  device.check(device.vk.BeginCommandBuffer(commands[piece], &info), "submit", "");
  return commands[piece];
}

}  // namespace rayo::vulkan
