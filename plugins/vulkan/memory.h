// SPDX-License-Identifier: Apache-2.0
//
// Memory of a device, and the buffer over it. Freed when its handle and every submission have let go.
#pragma once

#include "device.h"

namespace rayo::vulkan {

struct Memory {
  // kind: RAYO_MEMORY_*
  static std::shared_ptr<Memory> create(const std::shared_ptr<Device> &device, uint64_t size, uint32_t kind,
                                        std::string_view what);
  static std::shared_ptr<Memory> import(const std::shared_ptr<Device> &device, void *host, uint64_t size);
  explicit Memory(std::shared_ptr<Device> owner) : device(std::move(owner)) {}
  ~Memory();
  Memory(const Memory &) = delete;
  Memory &operator=(const Memory &) = delete;

  std::shared_ptr<Device> device;
  uint64_t id = 0;    // never used twice, unlike a Vulkan handle
  uint64_t size = 0;  // as asked for
  uint64_t base = 0;  // bytes of `buffer` before the first one
  uint32_t kind = 0;
  bool imported = false;
  std::byte *host = nullptr;  // address of the first byte, where the host sees it
  VkBuffer buffer = VK_NULL_HANDLE;
  VkDeviceMemory memory = VK_NULL_HANDLE;
  uint64_t counted = 0;

 private:
  void make_buffer(uint64_t bytes, const void *next, std::string_view what);
};

rayo_status buffer_create(rayo_device *device, const rayo_buffer_desc *desc, rayo_buffer **out, rayo_error *error);
rayo_status buffer_import(rayo_device *device, void *host, uint64_t size, rayo_buffer **out, rayo_error *error);
void buffer_destroy(rayo_buffer *buffer);
rayo_status buffer_map(rayo_buffer *buffer, void **out_host, rayo_error *error);
rayo_status buffer_handle(rayo_buffer *buffer, void **out_handle, rayo_error *error);

}  // namespace rayo::vulkan

struct rayo_buffer {
  std::shared_ptr<rayo::vulkan::Memory> memory;
};
