// SPDX-License-Identifier: Apache-2.0
#include "dispatch/device_run.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstring>

namespace rayo {
namespace {

// Where a device shares the host's memory, operands from this size on are imported and not copied. Below it a copy
// costs less than two calls into a driver; the copy that is saved grows with the size, the calls do not.
constexpr uint64_t kLeastImport = uint64_t{1} << 20;

bool has_elements(const OperandDesc &operand) { return !operand.absent() && operand.elements() != 0; }

}  // namespace

Detour::DeviceRun::DeviceRun(const Detour &detour, const Located &located)
    : detour_(detour), located_(located), staging_(detour.device_->staging()) {}

Detour::DeviceRun::~DeviceRun() {
  for (rayo_buffer *each : imports_) detour_.device_->api().buffer_destroy(each);
}

const BlockLease *Detour::DeviceRun::take(uint64_t bytes) {
  blocks_.push_back(std::make_unique<BlockLease>(staging_, bytes));
  return blocks_.back().get();
}

char *Detour::DeviceRun::host_bytes(uint64_t bytes) { return bytes_.emplace_back(bytes).data(); }

Detour::DeviceRun::Slot Detour::DeviceRun::slot_of(const OperandDesc &seen, const Staged &staged,
                                                   const rayo_tensor *given, const void *at) {
  Slot slot;
  if (staged.resident) {
    slot.tensor = *given;
    slot.tensor.buffer = given->buffer == nullptr ? nullptr : Buffer::from(given->buffer)->raw();
    if (QueueEnd end = written_by(given); end.semaphore) behind_.push_back(std::move(end));
  } else {
    slot.tensor = rayo_tensor_make(nullptr, seen.dtype, 0, nullptr, nullptr);
    slot.tensor.dl.byte_offset = staged.layout.origin;
    slot.host = static_cast<char *>(const_cast<void *>(at));
  }
  slot.tensor.queue = nullptr;
  slot.tensor.dl.device = detour_.device_->info().dl;
  slot.tensor.dl.ndim = seen.ndim;
  slot.tensor.dl.shape = const_cast<int64_t *>(seen.shape);
  slot.tensor.dl.strides = const_cast<int64_t *>(seen.strides);
  return slot;
}

bool Detour::DeviceRun::in_place(size_t input, size_t output) const {
  return detour_.staged_pair(input, output) && located_.in[input] == located_.out[output];
}

// The output lies where its input does, if the kernel can work so.
void Detour::DeviceRun::share_in_place(size_t output) {
  if ((detour_.kernel_->kernel->flags & RAYO_KERNEL_IN_PLACE) == 0) return;
  for (size_t i = 0; i < in_.size(); ++i) {
    if (in_place(i, output)) out_[output].block = in_[i].block;
  }
}

// The caller's own memory as a buffer of the device: whole pages, since that is what drivers take. False: it is staged.
bool Detour::DeviceRun::import(Slot *slot, const Staged &staged) {
  constexpr uint32_t kNeeded = RAYO_DEVICE_UNIFIED | RAYO_DEVICE_HOST_IMPORT;
  const rayo_device_info &info = detour_.device_->info();
  if ((info.flags & kNeeded) != kNeeded || !staged.layout.whole || staged.layout.bytes < kLeastImport) return false;
  const auto first = reinterpret_cast<uintptr_t>(slot->host) - staged.layout.origin;
  const auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  const uintptr_t begin = first / page * page;
  const uintptr_t end = (first + staged.layout.bytes + page - 1) / page * page;
  if ((first - begin) % std::max(info.alignment, 1u) != 0) return false;
  rayo_error error = no_error();
  rayo_buffer *raw = nullptr;
  void *host = reinterpret_cast<void *>(begin);
  if (detour_.device_->api().buffer_import(detour_.device_->raw(), host, end - begin, &raw, &error) != RAYO_OK) {
    return false;
  }
  imports_.push_back(raw);
  detour_.device_->check(detour_.device_->api().buffer_handle(raw, &slot->tensor.dl.data, &error), error,
                         "take a buffer's handle");
  slot->tensor.buffer = raw;
  slot->tensor.dl.byte_offset = first - begin + staged.layout.origin;
  return true;
}

void Detour::DeviceRun::stage(const rayo_tensor *const *inputs, const rayo_tensor *const *outputs) {
  const KernelView &view = *detour_.view_;
  for (size_t i = 0; i < detour_.inputs_.size(); ++i) {
    const Staged &staged = detour_.inputs_[i];
    if (staged.given.absent()) {
      in_.emplace_back();
      continue;
    }
    in_.push_back(slot_of(view.inputs()[i], staged, inputs[i], located_.in[i]));
    bool overwritten = false;
    for (size_t o = 0; o < detour_.outputs_.size(); ++o) overwritten = overwritten || in_place(i, o);
    // An input that the call overwrites is kept apart until the result is there: a failure must not cost it.
    if (staged.resident || (!overwritten && import(&in_.back(), staged))) continue;
    in_.back().block = take(staged.layout.bytes);
  }
  for (size_t o = 0; o < detour_.outputs_.size(); ++o) {
    const Staged &staged = detour_.outputs_[o];
    out_.push_back(slot_of(view.outputs()[o], staged, outputs[o], located_.out[o]));
    if (staged.resident) continue;
    bool overwrites = false;
    for (size_t i = 0; i < in_.size(); ++i) overwrites = overwrites || in_place(i, o);
    if (!overwrites && import(&out_[o], staged)) continue;
    if (o == 0) share_in_place(o);
    if (out_[o].block == nullptr) out_[o].block = take(staged.layout.bytes);
  }
  for (std::vector<Slot> *slots : {&in_, &out_}) {
    for (Slot &slot : *slots) {
      if (slot.block == nullptr) continue;
      slot.tensor.buffer = (*slot.block)->raw;
      slot.tensor.dl.data = (*slot.block)->data;
    }
  }
}

void Detour::DeviceRun::fill(LaneLease &lane, const Slot &slot, const Staged &staged) {
  if (slot.block == nullptr || !has_elements(staged.given)) return;
  const Block &block = slot.block->get();
  const StagedLayout &layout = staged.layout;
  const char *source = slot.host - layout.origin;
  if (!layout.whole) {
    char *picked = block.host != nullptr ? block.host : host_bytes(layout.bytes);
    copy_elements(staged.given, slot.host, layout.operand, picked + layout.origin);
    source = picked;
  } else if (block.host != nullptr) {
    std::memcpy(block.host, source, layout.bytes);
  }
  if (block.host == nullptr) lane->upload(block.raw, 0, source, layout.bytes);
}

void Detour::DeviceRun::submit(LaneLease &lane) {
  std::vector<const rayo_tensor *> inputs;
  std::vector<const rayo_tensor *> outputs;
  for (size_t i = 0; i < in_.size(); ++i) {
    inputs.push_back(detour_.inputs_[i].given.absent() ? nullptr : &in_[i].tensor);
  }
  for (const Slot &slot : out_) outputs.push_back(&slot.tensor);
  std::vector<rayo_point> waits;
  for (const QueueEnd &end : behind_) waits.push_back({end.semaphore->raw(), end.value});
  rayo_submit work{};
  work.struct_size = sizeof work;
  work.struct_type = RAYO_TYPE_SUBMIT;
  work.kernel = detour_.kernel_->kernel;
  work.state = detour_.prepared_.state;
  work.inputs = inputs.data();
  work.outputs = outputs.data();
  work.input_count = static_cast<uint32_t>(inputs.size());
  work.output_count = static_cast<uint32_t>(outputs.size());
  if (detour_.prepared_.workspace_size != 0) work.workspace = (*take(detour_.prepared_.workspace_size))->raw;
  lane->submit(work, waits);
  for (size_t o = 0; o < out_.size(); ++o) {
    if (!detour_.outputs_[o].resident) continue;
    for (size_t i = 0; i < in_.size(); ++i) {
      spoiled_ = spoiled_ || (detour_.inputs_[i].resident && located_.in[i] == located_.out[o]);
    }
  }
}

void Detour::DeviceRun::fetch(LaneLease &lane) {
  for (size_t o = 0; o < out_.size(); ++o) {
    Slot &slot = out_[o];
    const Staged &staged = detour_.outputs_[o];
    if (slot.block == nullptr || !has_elements(staged.given)) continue;
    const Block &block = slot.block->get();
    bool overwrites = false;
    for (size_t i = 0; i < in_.size(); ++i) overwrites = overwrites || in_place(i, o);
    if (block.host != nullptr) {
      slot.arrived = block.host;
    } else if (staged.layout.whole && !overwrites) {
      lane->download(block.raw, 0, slot.host - staged.layout.origin, staged.layout.bytes);
    } else {
      slot.arrived = host_bytes(staged.layout.bytes);
      lane->download(block.raw, 0, slot.arrived, staged.layout.bytes);
    }
  }
}

void Detour::DeviceRun::hand_over() {
  for (size_t o = 0; o < out_.size(); ++o) {
    const Slot &slot = out_[o];
    if (slot.arrived == nullptr) continue;
    const Staged &staged = detour_.outputs_[o];
    if (staged.layout.whole) {
      std::memcpy(slot.host - staged.layout.origin, slot.arrived, staged.layout.bytes);
    } else {
      copy_elements(staged.layout.operand, slot.arrived + staged.layout.origin, staged.given, slot.host);
    }
  }
}

void Detour::DeviceRun::run(const rayo_tensor *const *inputs, const rayo_tensor *const *outputs) {
  bool work = false;
  for (const Staged &output : detour_.outputs_) work = work || has_elements(output.given);
  if (!work) return;
  stage(inputs, outputs);
  LaneLease lane(staging_);
  for (size_t i = 0; i < in_.size(); ++i) fill(lane, in_[i], detour_.inputs_[i]);
  submit(lane);
  fetch(lane);
  lane->finish();
  hand_over();
}

}  // namespace rayo
