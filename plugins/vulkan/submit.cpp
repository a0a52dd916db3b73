// SPDX-License-Identifier: Apache-2.0
//
// Submissions: operands are resolved to buffers, the dispatches that prepare made are recorded with their offsets.
#include <algorithm>

#include "kernel.h"
#include "queue.h"

namespace rayo::vulkan {
namespace {

// Element operations in one submission to the driver: a second or two on the slowest device.
constexpr double kPieceWork = 4e9;

struct Operand {
  std::shared_ptr<Memory> memory;  // null: without elements
  int64_t element = 0;             // of the buffer, where the operand's element 0 lies
};

Operand resolve(const Device &device, const State &state, const rayo_tensor &tensor, const Reach &reach,
                const std::string &name) {
  if (reach.high < reach.low) return {};
  if (tensor.buffer == nullptr || tensor.buffer->memory->device.get() != &device)
    device.fail(RAYO_INVALID_ARGUMENT, state.op, name + "'s buffer is not of this device", "copy it here first");
  const std::shared_ptr<Memory> &memory = tensor.buffer->memory;
  if (tensor.dl.data != reinterpret_cast<void *>(memory->buffer))
    device.fail(RAYO_INVALID_ARGUMENT, state.op, name + "'s dl.data is not its buffer's handle", "ask buffer_handle");
  const uint64_t size = reach.bytes;
  if (tensor.dl.byte_offset % size != 0)
    device.fail(RAYO_INVALID_ARGUMENT, state.op,
                name + "'s byte_offset " + std::to_string(tensor.dl.byte_offset) + " is no multiple of its element's " +
                    std::to_string(size) + " bytes",
                "align it");
  const auto first = static_cast<int64_t>(tensor.dl.byte_offset / size);
  const auto elements = static_cast<int64_t>(memory->size / size);
  if (tensor.dl.byte_offset > memory->size || first + reach.low < 0 || first + reach.high >= elements)
    device.fail(RAYO_INVALID_ARGUMENT, state.op,
                name + " reaches elements " + std::to_string(first + reach.low) + " to " +
                    std::to_string(first + reach.high) + " of a buffer of " + std::to_string(elements),
                "use a larger buffer");
  return {memory, first + static_cast<int64_t>(memory->base / size)};
}

using Bound = std::array<Operand, kBindings>;

Bound resolve_all(const Device &device, const State &state, const rayo_submit &submit) {
  if (submit.input_count != state.inputs.size() || submit.output_count != state.outputs.size())
    device.fail(RAYO_INVALID_ARGUMENT, state.op,
                std::to_string(submit.input_count) + " inputs and " + std::to_string(submit.output_count) +
                    " outputs; prepared were " + std::to_string(state.inputs.size()) + " and " +
                    std::to_string(state.outputs.size()),
                "submit what was prepared");
  Bound bound;
  for (uint32_t i = 0; i < kBindings; ++i) {
    const int which = state.bindings[i];
    if (which == kNoOperand) continue;
    if (which == kWorkspace) {
      if (submit.workspace == nullptr || submit.workspace->memory->device.get() != &device ||
          submit.workspace->memory->size < state.workspace)
        device.fail(RAYO_INVALID_ARGUMENT, state.op,
                    "a workspace of " + std::to_string(state.workspace) + " bytes on this device is needed",
                    "pass one");
      bound[i] = {submit.workspace->memory, static_cast<int64_t>(submit.workspace->memory->base / sizeof(float))};
    } else if (which >= kOutput) {
      const auto index = static_cast<size_t>(which - kOutput);
      bound[i] =
          resolve(device, state, *submit.outputs[index], state.outputs[index], "output " + std::to_string(index));
    } else {
      const auto index = static_cast<size_t>(which);
      bound[i] = resolve(device, state, *submit.inputs[index], state.inputs[index], "input " + std::to_string(index));
    }
  }
  return bound;
}

// The slot's descriptor set keeps what it points to from step to step; it is written where that changes.
void write_set(const Device &device, Slot &slot, const Bound &bound) {
  std::array<uint64_t, kBindings> ids{};
  std::array<VkDescriptorBufferInfo, kBindings> buffers{};
  for (uint32_t i = 0; i < kBindings; ++i) {
    ids[i] = bound[i].memory ? bound[i].memory->id : 0;
    buffers[i] = {bound[i].memory ? bound[i].memory->buffer : device.dummy(), 0, VK_WHOLE_SIZE};
  }
  if (slot.written && slot.bound == ids) return;
  std::array<VkWriteDescriptorSet, kBindings> writes{};
  for (uint32_t i = 0; i < kBindings; ++i) {
    writes[i] = {VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET};
    writes[i].dstSet = slot.set;
    writes[i].dstBinding = i;
    writes[i].descriptorCount = 1;
    writes[i].descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
    writes[i].pBufferInfo = &buffers[i];
  }
  device.vk.UpdateDescriptorSets(device.handle(), kBindings, writes.data(), 0, nullptr);
  slot.bound = ids;
  slot.written = true;
}

// Records the passes, cut into pieces of bounded work; the number of pieces.
size_t record(Device &device, const State &state, Slot &slot, const Bound &bound) {
  size_t pieces = 0;
  double work = 0;
  VkCommandBuffer commands = VK_NULL_HANDLE;
  VkPipeline pipeline = VK_NULL_HANDLE;
  const auto end = [&] {
    end_barrier(device, commands);
    device.check(device.vk.EndCommandBuffer(commands), state.op, "");
  };
  const auto begin = [&] {
    commands = slot.begin(pieces++);
    begin_barrier(device, commands);
    device.vk.CmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, device.pipeline_layout(), 0, 1, &slot.set,
                                    0, nullptr);
    pipeline = VK_NULL_HANDLE;
    work = 0;
  };
  begin();
  if (slot.times) slot.times->begin(commands);
  for (const Pass &pass : state.passes) {
    if (work > 0 && work + pass.work > kPieceWork) {
      end();
      begin();
    } else if (pass.after_all) {
      begin_barrier(device, commands);
    }
    work += pass.work;
    if (pipeline != pass.pipeline) device.vk.CmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, pass.pipeline);
    pipeline = pass.pipeline;
    Push push = pass.push;
    for (size_t i = 0; i < kBindings; ++i) push[i] += word(bound[i].element);
    device.vk.CmdPushConstants(commands, device.pipeline_layout(), VK_SHADER_STAGE_COMPUTE_BIT, 0, kPushBytes,
                               push.data());
    device.vk.CmdDispatch(commands, pass.groups[0], pass.groups[1], pass.groups[2]);
  }
  if (slot.times) slot.times->end(commands);
  end();
  return pieces;
}

}  // namespace

rayo_status submit(rayo_queue *queue, const rayo_submit *submit) {
  return fence(queue->device->host(), [&] {
    Device &device = *queue->device;
    const char *what = submit->kernel != nullptr && is_ours(submit->kernel) ? submit->kernel->op : "submit";
    device.enter(what);
    plugin::check_extensions(submit->next);
    const auto *state = static_cast<const State *>(submit->state);
    if (submit->kernel == nullptr || !is_ours(submit->kernel) || state == nullptr || state->device.get() != &device ||
        state->op != std::string_view(submit->kernel->op))
      device.fail(RAYO_INVALID_ARGUMENT, what, "kernel and state are not of this plugin and device",
                  "submit what prepare gave for this device");
    const Bound bound = resolve_all(device, *state, *submit);
    auto step = std::make_shared<Step>();
    step->op = state->op;
    step->name = submit->kernel->op;
    step->waits = points_of(device, submit->waits, submit->wait_count, what);
    step->signals = points_of(device, submit->signals, submit->signal_count, what);
    for (const Operand &operand : bound)
      if (operand.memory) step->memory.push_back(operand.memory);
    step->slot = take_slot(*queue);
    write_set(device, *step->slot, bound);
    const size_t pieces = record(device, *state, *step->slot, bound);
    enqueue_device(*queue, step, pieces);
  });
}

}  // namespace rayo::vulkan
