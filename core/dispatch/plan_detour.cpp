// SPDX-License-Identifier: Apache-2.0
//
// The part of a plan that is about devices: matching tensors that live there, running, queueing.
#include "device/host_device.hpp"
#include "dispatch/plan.hpp"

namespace rayo {
namespace {

// A host kernel in the host's queue: what the queue is given, and the plan that owns its state.
struct QueuedHostWork {
  HostWork work;
  std::shared_ptr<const void> plan;
};

const void *address_of(const rayo_tensor *tensor) noexcept {
  if (tensor == nullptr || tensor->dl.data == nullptr) return nullptr;
  return static_cast<const char *>(tensor->dl.data) + tensor->dl.byte_offset;
}

}  // namespace

bool Plan::matches_detour(const rayo_tensor *const *inputs, const rayo_tensor *const *outputs) const noexcept {
  const auto right = [this](uint32_t mask, size_t i, const rayo_tensor *tensor) {
    return tensor == nullptr || detour_->lives_right((mask >> i & 1u) != 0, tensor);
  };
  for (size_t i = 0; i < input_places_.size(); ++i) {
    if (!right(call_.resident_inputs(), i, inputs[i])) return false;
  }
  for (size_t i = 0; i < output_places_.size(); ++i) {
    if (!right(call_.resident_outputs(), i, outputs[i])) return false;
  }
  return true;
}

rayo_status Plan::find_places(const rayo_tensor *const *inputs, const rayo_tensor *const *outputs, Located *out_located,
                              bool *out_rebind) const noexcept {
  rayo_status status = fence([&] { *out_located = detour_->locate(inputs, outputs); });
  if (status != RAYO_OK) return status;
  status = check_places(out_located->in, out_located->out, out_rebind);
  if (detour_->device() != nullptr && (out_located->resident_bits & alignment_mask_) != 0) *out_rebind = true;
  return status;
}

rayo_status Plan::run_detour(const rayo_tensor *const *inputs, const rayo_tensor *const *outputs,
                             const rayo_executor *executor, bool *out_rebind) const noexcept {
  Located located;
  const rayo_status status = find_places(inputs, outputs, &located, out_rebind);
  if (status != RAYO_OK || *out_rebind) return status;
  if (const Device *device = detour_->device(); device != nullptr) {
    const Span span(set_->watch().trace, SpanKind::call, call_.schema().raw->name, device->id(), kernel_->kernel->name);
    return detour_->run(inputs, outputs, located, executor);
  }
  return detour_->run(inputs, outputs, located, executor);
}

void Plan::submit_to_host(Queue &queue, const rayo_tensor *const *inputs, const rayo_tensor *const *outputs,
                          const rayo_sync *sync, std::shared_ptr<const void> self, bool *out_rebind) const {
  Located located;
  std::vector<rayo_tensor> tensors;
  std::vector<const rayo_tensor *> pointers;
  std::vector<QueueEnd> behind;
  uintptr_t bits = 0;
  tensors.reserve(input_places_.size() + output_places_.size());
  const auto add = [&](const rayo_tensor *given, const Place &place, const char *kind, const OperandSpec &spec) {
    const void *at = address_of(given);
    if (at == nullptr && given != nullptr && !place.empty) {
      fail(RAYO_INVALID_ARGUMENT, "{}: data of {} {} is NULL", call_.schema().raw->name, kind, spec.name);
    }
    bits |= reinterpret_cast<uintptr_t>(at);
    pointers.push_back(nullptr);
    if (given == nullptr) return at;
    tensors.push_back(*given);
    if (given->queue != nullptr && given->queue != queue.handle()) behind.push_back(written_by(given));
    tensors.back().buffer = given->buffer == nullptr ? nullptr : Buffer::from(given->buffer)->raw();
    tensors.back().queue = nullptr;
    pointers.back() = &tensors.back();
    return at;
  };
  const Schema &schema = call_.schema();
  for (size_t i = 0; i < input_places_.size(); ++i) {
    located.in[i] = add(inputs[i], input_places_[i], "input", schema.inputs[i]);
  }
  for (size_t o = 0; o < output_places_.size(); ++o) {
    located.out[o] = const_cast<void *>(add(outputs[o], output_places_[o], "output", schema.outputs[o]));
  }
  const rayo_status places = check_places(located.in, located.out, out_rebind);
  if (places != RAYO_OK) throw Error(places, std::string(last_error()));
  if ((bits & alignment_mask_) != 0) *out_rebind = true;
  if (*out_rebind) return;
  auto queued = std::make_shared<QueuedHostWork>();
  queued->work = {prepared_.fn,     prepared_.state,  prepared_.workspace_size, prepared_.workspace_alignment, threads_,
                  set_->executor(), schema.raw->name, kernel_->kernel->name,    &kernel_->owner->queued};
  queued->plan = std::move(self);
  rayo_submit work{};
  work.struct_size = sizeof work;
  work.struct_type = RAYO_TYPE_SUBMIT;
  work.kernel = kernel_->kernel;
  work.state = &queued->work;
  work.inputs = pointers.data();
  work.outputs = pointers.data() + input_places_.size();
  work.input_count = static_cast<uint32_t>(input_places_.size());
  work.output_count = static_cast<uint32_t>(output_places_.size());
  queue.submit(work, sync, std::move(queued), behind);
}

void Plan::submit(Queue &queue, const rayo_tensor *const *inputs, const rayo_tensor *const *outputs,
                  const rayo_sync *sync, std::shared_ptr<const void> self, bool *out_rebind) const {
  const InFlight in_flight(flight_target());
  if (unloaded()) {
    *out_rebind = true;
    return;
  }
  const bool here = detour_ == nullptr ? queue.device().is_host() : detour_->device() == &queue.device();
  if (!here) {
    const std::string bound = detour_ == nullptr             ? "host memory"
                              : detour_->device() == nullptr ? "the host with tensors of a device"
                                                             : detour_->device()->id();
    fail(RAYO_INVALID_ARGUMENT, "{}: the plan is bound to {}, the queue belongs to {}", call_.schema().raw->name, bound,
         queue.device().id());
  }
  if (detour_ == nullptr) {
    submit_to_host(queue, inputs, outputs, sync, std::move(self), out_rebind);
    return;
  }
  Located located;
  const rayo_status status = find_places(inputs, outputs, &located, out_rebind);
  if (status != RAYO_OK) throw Error(status, std::string(last_error()));
  const Span span(set_->watch().trace, SpanKind::submit, call_.schema().raw->name, queue.device().id(),
                  kernel_->kernel->name);
  if (!*out_rebind) detour_->submit(queue, inputs, outputs, sync, std::move(self));
}

}  // namespace rayo
