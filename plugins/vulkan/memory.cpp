// SPDX-License-Identifier: Apache-2.0
#include "memory.h"

namespace rayo::vulkan {
namespace {

constexpr VkMemoryPropertyFlags kLocal = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT;
constexpr VkMemoryPropertyFlags kMapped = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
constexpr VkMemoryPropertyFlags kCached = VK_MEMORY_PROPERTY_HOST_CACHED_BIT;

// The best memory type for a kind, or -1. A unified device's own memory is the host's too, so nothing is copied there.
int32_t choose_type(const Device &device, uint32_t allowed, uint32_t kind) {
  const bool unified = (device.physical().info.flags & RAYO_DEVICE_UNIFIED) != 0;
  const auto first_of = [&](std::initializer_list<VkMemoryPropertyFlags> wishes) {
    for (const VkMemoryPropertyFlags wish : wishes)
      if (const int32_t type = device.memory_type(allowed, wish); type >= 0) return type;
    return -1;
  };
  switch (kind) {
    case RAYO_MEMORY_DEVICE:
      return unified ? first_of({kLocal | kMapped | kCached, kLocal | kMapped, kLocal, 0}) : first_of({kLocal, 0});
    case RAYO_MEMORY_PINNED:
      return first_of({kMapped | kCached, kMapped});
    default:
      return first_of({kLocal | kMapped | kCached, kLocal | kMapped});
  }
}

bool is_mapped(const Device &device, int32_t type) {
  return (device.physical().memory.memoryTypes[type].propertyFlags & kMapped) == kMapped;
}

}  // namespace

void Memory::make_buffer(uint64_t bytes, const void *next, std::string_view what) {
  VkBufferCreateInfo info{VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO, next};
  info.size = bytes;
  info.usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT;
  device->check(device->vk.CreateBuffer(device->handle(), &info, nullptr, &buffer), what, "try a smaller buffer");
}

std::shared_ptr<Memory> Memory::create(const std::shared_ptr<Device> &device, uint64_t size, uint32_t kind,
                                       std::string_view what) {
  if (kind != RAYO_MEMORY_DEVICE && kind != RAYO_MEMORY_PINNED && kind != RAYO_MEMORY_UNIFIED)
    device->fail(RAYO_INVALID_ARGUMENT, what, "memory kind " + std::to_string(kind),
                 "legal: RAYO_MEMORY_DEVICE, _PINNED, _UNIFIED");
  const uint64_t limit = device->physical().info.max_buffer_bytes;
  if (size > limit)
    device->fail(RAYO_OUT_OF_MEMORY, what,
                 "a buffer of " + std::to_string(size) + " bytes is above the device's limit of " +
                     std::to_string(limit) + " bytes",
                 "split it, or use another device");
  auto made = std::make_shared<Memory>(device);
  made->id = device->next_id();
  made->size = size;
  made->kind = kind;
  // Whole words: 8-bit data is copied and cleared by them.
  made->make_buffer((std::max<uint64_t>(size, 4) + 3) / 4 * 4, nullptr, what);
  VkMemoryRequirements needs;
  device->vk.GetBufferMemoryRequirements(device->handle(), made->buffer, &needs);
  const int32_t type = choose_type(*device, needs.memoryTypeBits, kind);
  if (type < 0)
    device->fail(RAYO_UNSUPPORTED, what, "the device has no memory of kind " + std::to_string(kind),
                 "use RAYO_MEMORY_DEVICE and copy");
  VkMemoryAllocateInfo info{VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO};
  info.allocationSize = needs.size;
  info.memoryTypeIndex = static_cast<uint32_t>(type);
  device->check(device->vk.AllocateMemory(device->handle(), &info, nullptr, &made->memory), what,
                std::to_string(size) + " bytes were asked for: free buffers or try smaller work");
  made->counted = needs.size;
  device->live_bytes += made->counted;
  device->check(device->vk.BindBufferMemory(device->handle(), made->buffer, made->memory, 0), what, "");
  if (is_mapped(*device, type)) {
    void *address = nullptr;
    device->check(device->vk.MapMemory(device->handle(), made->memory, 0, VK_WHOLE_SIZE, 0, &address), what, "");
    made->host = static_cast<std::byte *>(address);
  }
  return made;
}

// Imports the pages around the range: the alignment that Vulkan wants of imported memory is a page's.
std::shared_ptr<Memory> Memory::import(const std::shared_ptr<Device> &device, void *host, uint64_t size) {
  constexpr std::string_view kWhat = "buffer_import";
  const uint64_t page = device->physical().import_alignment;
  if (page == 0) device->fail(RAYO_UNSUPPORTED, kWhat, "no VK_EXT_external_memory_host", "copy into a buffer instead");
  const auto address = reinterpret_cast<uint64_t>(host);
  if (host == nullptr || size == 0 || address % 4 != 0)
    device->fail(RAYO_UNSUPPORTED, kWhat, "address or size do not allow it", "both nonzero, address a multiple of 4");
  auto made = std::make_shared<Memory>(device);
  made->id = device->next_id();
  made->size = size;
  made->base = address % page;
  made->kind = RAYO_MEMORY_PINNED;
  made->imported = true;
  made->host = static_cast<std::byte *>(host);
  std::byte *first = made->host - made->base;
  const uint64_t bytes = (made->base + size + page - 1) / page * page;
  const uint64_t limit = device->physical().info.max_buffer_bytes;
  if (bytes > limit)
    device->fail(RAYO_OUT_OF_MEMORY, kWhat,
                 std::to_string(size) + " bytes are above the device's limit of " + std::to_string(limit),
                 "split the range");
  constexpr VkExternalMemoryHandleTypeFlagBits kHost = VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT;
  VkMemoryHostPointerPropertiesEXT pointer{VK_STRUCTURE_TYPE_MEMORY_HOST_POINTER_PROPERTIES_EXT};
  VkResult result = device->vk.GetMemoryHostPointerPropertiesEXT(device->handle(), kHost, first, &pointer);
  if (result != VK_SUCCESS)
    device->fail(RAYO_UNSUPPORTED, kWhat, result_name(result), "this memory cannot be imported; copy it");
  const VkExternalMemoryBufferCreateInfo external{VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO, nullptr, kHost};
  made->make_buffer(bytes, &external, kWhat);
  VkMemoryRequirements needs;
  device->vk.GetBufferMemoryRequirements(device->handle(), made->buffer, &needs);
  const int32_t type = device->memory_type(needs.memoryTypeBits & pointer.memoryTypeBits, kMapped);
  if (type < 0 || needs.size > bytes)
    device->fail(RAYO_UNSUPPORTED, kWhat, "no coherent memory type takes host memory", "copy it instead");
  const VkImportMemoryHostPointerInfoEXT from{VK_STRUCTURE_TYPE_IMPORT_MEMORY_HOST_POINTER_INFO_EXT, nullptr, kHost,
                                              first};
  VkMemoryAllocateInfo info{VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO, &from};
  info.allocationSize = bytes;
  info.memoryTypeIndex = static_cast<uint32_t>(type);
  result = device->vk.AllocateMemory(device->handle(), &info, nullptr, &made->memory);
  if (result == VK_ERROR_INVALID_EXTERNAL_HANDLE)
    device->fail(RAYO_UNSUPPORTED, kWhat, result_name(result), "this memory cannot be imported; copy it");
  device->check(result, kWhat, "copy it instead");
  device->check(device->vk.BindBufferMemory(device->handle(), made->buffer, made->memory, 0), kWhat, "");
  return made;
}

Memory::~Memory() {
  if (device->abandoned()) return;
  device->live_bytes -= counted;
  device->vk.DestroyBuffer(device->handle(), buffer, nullptr);
  device->vk.FreeMemory(device->handle(), memory, nullptr);
}

rayo_status buffer_create(rayo_device *device, const rayo_buffer_desc *desc, rayo_buffer **out, rayo_error *error) {
  return fence(error, [&] {
    device->device->enter("buffer_create");
    plugin::check_extensions(desc->next);
    auto memory = Memory::create(device->device, desc->size, desc->memory, "buffer_create");
    *out = new rayo_buffer{std::move(memory)};
  });
}

rayo_status buffer_import(rayo_device *device, void *host, uint64_t size, rayo_buffer **out, rayo_error *error) {
  return fence(error, [&] {
    device->device->enter("buffer_import");
    auto memory = Memory::import(device->device, host, size);
    *out = new rayo_buffer{std::move(memory)};
  });
}

void buffer_destroy(rayo_buffer *buffer) {
  if (buffer == nullptr || buffer->memory->device->forked()) return;
  delete buffer;
}

rayo_status buffer_map(rayo_buffer *buffer, void **out_host, rayo_error *error) {
  return fence(error, [&] {
    Memory &memory = *buffer->memory;
    memory.device->enter("buffer_map");
    const bool unified = (memory.device->physical().info.flags & RAYO_DEVICE_UNIFIED) != 0;
    if (memory.host == nullptr || (memory.kind == RAYO_MEMORY_DEVICE && !unified))
      memory.device->fail(RAYO_UNSUPPORTED, "buffer_map", "device memory has no host address here",
                          "use RAYO_MEMORY_PINNED or _UNIFIED, or copy");
    *out_host = memory.host;
  });
}

rayo_status buffer_handle(rayo_buffer *buffer, void **out_handle, rayo_error *error) {
  return fence(error, [&] {
    buffer->memory->device->enter("buffer_handle");
    *out_handle = buffer->memory->buffer;
  });
}

}  // namespace rayo::vulkan
