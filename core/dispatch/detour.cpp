// SPDX-License-Identifier: Apache-2.0
#include "dispatch/detour.hpp"

#include <algorithm>

#include "dispatch/device_run.hpp"
#include "dispatch/overlap.hpp"
#include "dispatch/plan.hpp"

namespace rayo {
namespace {

bool bit(uint32_t mask, size_t i) noexcept { return (mask >> i & 1u) != 0; }

}  // namespace

QueueEnd written_by(const rayo_tensor *tensor) {
  if (!RAYO_HAS(tensor, rayo_tensor, queue) || tensor->queue == nullptr) return {};
  return Queue::from(tensor->queue)->end();
}

Detour::Detour(const Registry &registry, std::shared_ptr<PlanSet> set, const BoundCall &call,
               const CallRequest &request, const Candidate &chosen, const rayo_prepared &prepared)
    : registry_(registry),
      set_(std::move(set)),
      call_(call),
      devices_(*request.devices),
      threads_(request.threads),
      policy_(request.policy),
      belongs_(chosen.device->id),
      may_fall_back_(read_choice(request.device).fallback),
      device_(chosen.opened),
      kernel_(chosen.kernel),
      prepared_(prepared),
      view_(chosen.view) {
  note_operands();
}

Detour::Detour(const Registry &registry, std::shared_ptr<PlanSet> set, const BoundCall &call,
               const CallRequest &request, const Candidate &chosen, uint32_t reason, std::string text)
    : registry_(registry),
      set_(std::move(set)),
      call_(call),
      devices_(*request.devices),
      threads_(chosen.threads != 0 ? chosen.threads : request.threads),
      policy_(request.policy),
      host_device_(reason == 0 ? chosen.kernel->owner->name + ",auto" : "auto"),
      belongs_(belongs_to(call, request)),
      may_fall_back_(true),
      bound_reason_(reason),
      bound_text_(std::move(text)) {
  note_operands();
  (void)host_plan();
}

Detour::~Detour() {
  release();
  delete host_plan_.load(std::memory_order_relaxed);
}

void Detour::release() noexcept {
  if (kernel_ != nullptr) kernel_->release(prepared_.state);
  kernel_ = nullptr;
}

void Detour::note_operands() {
  const auto note = [this](const std::vector<OperandDesc> &operands, uint32_t resident, std::vector<Staged> *out) {
    for (size_t i = 0; i < operands.size(); ++i) {
      Staged staged;
      staged.given = operands[i];
      staged.resident = bit(resident, i);
      staged.layout = staged_layout(operands[i]);
      if (!staged.resident) largest_ = std::max(largest_, staged.layout.bytes);
      out->push_back(staged);
    }
  };
  note(call_.inputs(), call_.resident_inputs(), &inputs_);
  note(call_.outputs(), call_.resident_outputs(), &outputs_);
}

bool Detour::lives_right(bool resident, const rayo_tensor *tensor) const noexcept {
  const DLDevice dl = tensor->dl.device;
  const bool buffered = RAYO_HAS(tensor, rayo_tensor, buffer) && tensor->buffer != nullptr;
  if (!resident) return dl.device_type == kDLCPU || dl.device_type == kDLCUDAHost;
  const Device &home = *call_.home();
  const DLDevice there = home.info().dl;
  if (dl.device_type != there.device_type || dl.device_id != there.device_id) return false;
  return !buffered || &Buffer::from(tensor->buffer)->device() == &home;
}

bool Detour::staged_pair(size_t input, size_t output) const noexcept {
  return !inputs_[input].resident && !outputs_[output].resident;
}

Located Detour::locate(const rayo_tensor *const *inputs, const rayo_tensor *const *outputs) const {
  Located located;
  const auto place = [&](const char *kind, const OperandSpec &spec, const Staged &staged,
                         const rayo_tensor *tensor) -> uintptr_t {
    if (tensor == nullptr || staged.given.absent()) return 0;
    const bool empty = staged.given.elements() == 0;
    if (!staged.resident || tensor->buffer == nullptr) {
      if (tensor->dl.data == nullptr && !empty) {
        fail(RAYO_INVALID_ARGUMENT, "{}: data of {} {} is NULL", call_.schema().raw->name, kind, spec.name);
      }
      const auto at = reinterpret_cast<uintptr_t>(tensor->dl.data) + tensor->dl.byte_offset;
      if (staged.resident) located.resident_bits |= at;
      return tensor->dl.data == nullptr ? 0 : at;
    }
    const Buffer &buffer = *Buffer::from(tensor->buffer);
    const ByteSpan span = byte_span(staged.given);
    const auto low = static_cast<uint64_t>(-span.low);
    const std::string what = fmt::format("{}: {} {}", call_.schema().raw->name, kind, spec.name);
    if (tensor->dl.data != buffer.data()) {
      fail(RAYO_INVALID_ARGUMENT, "{}: dl.data is not that of its buffer: fill it by rayo_buffer_tensor", what);
    }
    if (!empty && tensor->dl.byte_offset < low) {
      fail(RAYO_INVALID_ARGUMENT, "{} begins {} bytes before its buffer", what, low - tensor->dl.byte_offset);
    }
    if (!empty) {
      buffer.check_range(tensor->dl.byte_offset - low, static_cast<uint64_t>(span.high - span.low), what.c_str());
    }
    located.resident_bits |= tensor->dl.byte_offset;
    return buffer.place() + tensor->dl.byte_offset;
  };
  const Schema &schema = call_.schema();
  for (size_t i = 0; i < inputs_.size(); ++i) {
    located.in[i] = reinterpret_cast<const void *>(place("input", schema.inputs[i], inputs_[i], inputs[i]));
  }
  for (size_t o = 0; o < outputs_.size(); ++o) {
    located.out[o] = reinterpret_cast<void *>(place("output", schema.outputs[o], outputs_[o], outputs[o]));
  }
  return located;
}

// What a failure on the device counts as; 0 = it is the call's own failure, and running elsewhere would hide it.
uint32_t Detour::fallback_reason(rayo_status status) const noexcept {
  const uint64_t most = device_->info().max_buffer_bytes;
  switch (status) {
    case RAYO_OUT_OF_MEMORY:
      return most != 0 && largest_ > most ? RAYO_FALLBACK_TOO_LARGE : RAYO_FALLBACK_OUT_OF_MEMORY;
    case RAYO_DEVICE_LOST:
      return RAYO_FALLBACK_DEVICE_LOST;
    case RAYO_UNSUPPORTED:
      return RAYO_FALLBACK_UNSUPPORTED;
    case RAYO_FORKED:
      return RAYO_FALLBACK_FORKED;
    default:
      return 0;
  }
}

rayo_status Detour::run(const rayo_tensor *const *inputs, const rayo_tensor *const *outputs, const Located &located,
                        const rayo_executor *executor) noexcept {
  return fence([&] {
    if (!device_) {
      run_on_host(inputs, outputs, located, executor);
      if (bound_reason_ != 0) count_fallback(bound_reason_, bound_text_);
      return;
    }
    bool spoiled = false;
    try {
      run_on_device(inputs, outputs, located, &spoiled);
    } catch (const Error &error) {
      const uint32_t reason = fallback_reason(error.status());
      if (!may_fall_back_ || spoiled || reason == 0) {
        fail(error.status(), "{} ({}): {}", call_.schema().raw->name, kernel_->kernel->name, error.what());
      }
      fall_back(reason, error.what(), inputs, outputs, located, executor);
    }
  });
}

void Detour::fall_back(uint32_t reason, const std::string &text, const rayo_tensor *const *inputs,
                       const rayo_tensor *const *outputs, const Located &located, const rayo_executor *executor) {
  try {
    run_on_host(inputs, outputs, located, executor);
  } catch (const Error &error) {
    fail(error.status(), "{}: {}; and the host could not run it instead: {}", call_.schema().raw->name, text,
         error.what());
  }
  count_fallback(reason, text);
}

void Detour::count_fallback(uint32_t reason, const std::string &text) {
  devices_.fallbacks().count(call_.desc().op, belongs_, reason, text);
  set_->watch().metrics.count(Metric::fallbacks, {call_.schema().raw->name, belongs_, "host", fallback_name(reason)});
}

// Counts the call like one of a host kernel, where that is asked for.
void Detour::run_on_device(const rayo_tensor *const *inputs, const rayo_tensor *const *outputs, const Located &located,
                           bool *out_spoiled) {
  RuntimeWatch &watch = set_->watch();
  const char *op = call_.schema().raw->name;
  const char *kernel = kernel_->kernel->name;
  device_->check_usable();
  DeviceRun run(*this, located);
  const Span span(watch.trace, SpanKind::call, op, device_->id(), kernel);
  const int64_t begin = watch.count_calls ? trace_now() : 0;
  try {
    run.run(inputs, outputs);
  } catch (...) {
    *out_spoiled = run.spoiled();
    watch.metrics.count(Metric::failures, {op, device_->id(), kernel});
    throw;
  }
  if (!watch.count_calls) return;
  watch.metrics.count(Metric::calls, {op, device_->id(), kernel});
  watch.metrics.counter(Metric::call_ns, {op, device_->id(), kernel})
      ->fetch_add(static_cast<uint64_t>(trace_now() - begin), std::memory_order_relaxed);
}

void Detour::submit(Queue &queue, const rayo_tensor *const *inputs, const rayo_tensor *const *outputs,
                    const rayo_sync *sync, std::shared_ptr<const void> keeps) const {
  const auto refuse_host = [this](const std::vector<Staged> &operands, const char *kind) {
    for (size_t i = 0; i < operands.size(); ++i) {
      if (operands[i].resident || operands[i].given.absent()) continue;
      fail(RAYO_INVALID_ARGUMENT, "{}: {} {} is in host memory: upload it first, or use rayo_run",
           call_.schema().raw->name, kind, i);
    }
  };
  refuse_host(inputs_, "input");
  refuse_host(outputs_, "output");
  std::vector<rayo_tensor> tensors;
  std::vector<QueueEnd> behind;
  tensors.reserve(inputs_.size() + outputs_.size());
  const auto add = [&](const OperandDesc &seen, const rayo_tensor *given) {
    rayo_tensor &tensor = tensors.emplace_back(*given);
    if (given->queue != nullptr && given->queue != queue.handle()) behind.push_back(written_by(given));
    tensor.queue = nullptr;
    tensor.buffer = given->buffer == nullptr ? nullptr : Buffer::from(given->buffer)->raw();
    tensor.dl.ndim = seen.ndim;
    tensor.dl.shape = const_cast<int64_t *>(seen.shape);
    tensor.dl.strides = const_cast<int64_t *>(seen.strides);
    return &tensor;
  };
  std::vector<const rayo_tensor *> in;
  std::vector<const rayo_tensor *> out;
  for (size_t i = 0; i < inputs_.size(); ++i) {
    in.push_back(inputs_[i].given.absent() ? nullptr : add(view_->inputs()[i], inputs[i]));
  }
  for (size_t o = 0; o < outputs_.size(); ++o) out.push_back(add(view_->outputs()[o], outputs[o]));
  rayo_submit work{};
  work.struct_size = sizeof work;
  work.struct_type = RAYO_TYPE_SUBMIT;
  work.kernel = kernel_->kernel;
  work.state = prepared_.state;
  work.inputs = in.data();
  work.outputs = out.data();
  work.input_count = static_cast<uint32_t>(in.size());
  work.output_count = static_cast<uint32_t>(out.size());
  std::unique_ptr<Buffer> workspace;  // the submission holds its memory
  if (prepared_.workspace_size != 0) {
    workspace = std::make_unique<Buffer>(device_, prepared_.workspace_size, RAYO_MEMORY_DEVICE);
    work.workspace = workspace->raw();
  }
  queue.submit(work, sync, std::move(keeps), behind);
}

}  // namespace rayo
