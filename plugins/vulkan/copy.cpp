// SPDX-License-Identifier: Apache-2.0
//
// Copies. Between buffers the device copies. To and from host memory: by the host where it sees the buffer (no staging,
// no device), else through a staging buffer, with a host step on the one side and a device step on the other.
#include <cstring>

#include "queue.h"

namespace rayo::vulkan {
namespace {

constexpr std::string_view kWhat = "copy";

// One end: a buffer's bytes, or the host's.
struct Place {
  std::shared_ptr<Memory> memory;  // null: host memory
  uint64_t offset = 0;             // in the Vulkan buffer
  std::byte *host = nullptr;       // where the host sees it

  bool on_host() const { return host != nullptr; }
};

Place place_of(const Device &device, const rayo_buffer *buffer, const void *host, uint64_t offset, uint64_t size,
               const std::string &name) {
  Place place;
  if (buffer == nullptr) {
    if (host == nullptr && size > 0)
      device.fail(RAYO_INVALID_ARGUMENT, kWhat, name + " is neither a buffer nor a host address", "give one");
    place.host = static_cast<std::byte *>(const_cast<void *>(host)) + offset;
    return place;
  }
  if (buffer->memory->device.get() != &device)
    device.fail(RAYO_INVALID_ARGUMENT, kWhat, name + "'s buffer is not of this device", "copy through host memory");
  const Memory &memory = *buffer->memory;
  if (offset > memory.size || size > memory.size - offset)
    device.fail(RAYO_INVALID_ARGUMENT, kWhat,
                std::to_string(size) + " bytes at " + std::to_string(offset) + " reach beyond " + name +
                    "'s buffer of " + std::to_string(memory.size) + " bytes",
                "copy less");
  place.memory = buffer->memory;
  place.offset = memory.base + offset;
  place.host = memory.host == nullptr ? nullptr : memory.host + offset;
  return place;
}

std::shared_ptr<Step> step_of(const Place &a, const Place &b) {
  auto step = std::make_shared<Step>();
  step->op = kWhat;
  for (const Place *p : {&a, &b})
    if (p->memory) step->memory.push_back(p->memory);
  return step;
}

std::shared_ptr<Step> host_step(const Place &to, const Place &from, uint64_t size) {
  auto step = step_of(to, from);
  step->bytes = size;
  step->host_work = [to = to.host, from = from.host, size] {
    if (size > 0) std::memcpy(to, from, size);
  };
  return step;
}

std::shared_ptr<Step> device_step(rayo_queue &queue, const Place &to, const Place &from, uint64_t size) {
  Device &device = *queue.device;
  auto step = step_of(to, from);
  step->slot = take_slot(queue);
  VkCommandBuffer commands = step->slot->begin(0);
  if (step->slot->times) step->slot->times->begin(commands);
  begin_barrier(device, commands);
  const VkBufferCopy region{from.offset, to.offset, size};
  if (size > 0) device.vk.CmdCopyBuffer(commands, from.memory->buffer, to.memory->buffer, 1, &region);
  end_barrier(device, commands);
  if (step->slot->times) step->slot->times->end(commands);
  device.check(device.vk.EndCommandBuffer(commands), kWhat, "");
  return step;
}

Place staging(const std::shared_ptr<Device> &device, uint64_t size) {
  Place place;
  place.memory = Memory::create(device, size, RAYO_MEMORY_PINNED, kWhat);
  place.host = place.memory->host;
  return place;
}

}  // namespace

rayo_status copy(rayo_queue *queue, const rayo_copy *copy) {
  return fence(queue->device->host(), [&] {
    Device &device = *queue->device;
    device.enter(kWhat);
    plugin::check_extensions(copy->next);
    const uint64_t size = copy->size;
    const Place to = place_of(device, copy->dst_buffer, copy->dst_host, copy->dst_offset, size, "the destination");
    const Place from = place_of(device, copy->src_buffer, copy->src_host, copy->src_offset, size, "the source");
    auto waits = points_of(device, copy->waits, copy->wait_count, kWhat);
    auto signals = points_of(device, copy->signals, copy->signal_count, kWhat);
    const bool both_buffers = to.memory && from.memory;
    if (both_buffers || (to.on_host() && from.on_host())) {
      auto step = both_buffers ? device_step(*queue, to, from, size) : host_step(to, from, size);
      if (!both_buffers) step->name = to.memory ? "upload" : from.memory ? "download" : "copy";
      step->waits = std::move(waits);
      step->signals = std::move(signals);
      both_buffers ? enqueue_device(*queue, step, 1) : enqueue_host(*queue, step);
      return;
    }
    const Place between = staging(queue->device, size);
    if (to.memory) {  // upload
      auto fill = host_step(between, from, size);
      fill->name = "upload, into staging";
      fill->waits = std::move(waits);
      auto move = device_step(*queue, to, between, size);
      move->name = "upload";
      move->signals = std::move(signals);
      enqueue_host(*queue, fill);
      enqueue_device(*queue, move, 1);
    } else {  // download
      auto move = device_step(*queue, between, from, size);
      move->name = "download";
      move->waits = std::move(waits);
      auto empty = host_step(to, between, size);
      empty->name = "download, from staging";
      empty->signals = std::move(signals);
      enqueue_device(*queue, move, 1);
      enqueue_host(*queue, empty);
    }
  });
}

}  // namespace rayo::vulkan
