// SPDX-License-Identifier: Apache-2.0
#include "dispatch/plan.hpp"

#include <algorithm>
#include <cstring>
#include <mutex>

#include "base/error.hpp"
#include "dispatch/call_line.hpp"
#include "dispatch/choose.hpp"
#include "dispatch/isolated_fallback.hpp"
#include "dispatch/plan_fast.hpp"
#include "isolation/remote_plugin.hpp"
#include "tuner/capture.hpp"

namespace rayo {
namespace {

const void *address_of(const rayo_tensor *tensor) noexcept {
  if (tensor == nullptr || tensor->dl.data == nullptr) return nullptr;
  return static_cast<const char *>(tensor->dl.data) + tensor->dl.byte_offset;
}

bool on_host(const rayo_tensor *tensor) noexcept {
  if (tensor == nullptr) return true;
  const DLDeviceType type = tensor->dl.device.device_type;
  return type == kDLCPU || type == kDLCUDAHost;
}

bool same_layout(const OperandDesc &bound, bool bound_compact, const rayo_tensor *tensor) noexcept {
  if (tensor == nullptr) return bound.absent();
  const DLTensor &dl = tensor->dl;
  if (tensor->struct_type != RAYO_TYPE_TENSOR || dl.ndim != bound.ndim || !same_dtype(dl.dtype, bound.dtype)) {
    return false;
  }
  if (dl.shape == nullptr) return bound.ndim == 0;
  for (int32_t i = 0; i < bound.ndim; ++i) {
    if (dl.shape[i] != bound.shape[i]) return false;
  }
  if (dl.strides == nullptr) return bound_compact;
  for (int32_t i = 0; i < bound.ndim; ++i) {
    if (dl.strides[i] != bound.strides[i] && bound.shape[i] > 1) return false;
  }
  return true;
}

bool same_strides(const OperandDesc &a, const OperandDesc &b) {
  if (a.ndim != b.ndim || !same_dtype(a.dtype, b.dtype)) return false;
  for (int32_t i = 0; i < a.ndim; ++i) {
    if (a.shape[i] != b.shape[i] || (a.shape[i] > 1 && a.strides[i] != b.strides[i])) return false;
  }
  return true;
}

bool spans_meet(const char *a, ByteSpan sa, const char *b, ByteSpan sb) noexcept {
  const auto a_low = reinterpret_cast<uintptr_t>(a) + static_cast<uintptr_t>(sa.low);
  const auto b_low = reinterpret_cast<uintptr_t>(b) + static_cast<uintptr_t>(sb.low);
  const auto a_size = static_cast<uintptr_t>(sa.high - sa.low);
  const auto b_size = static_cast<uintptr_t>(sb.high - sb.low);
  return a_size != 0 && b_size != 0 && a_low < b_low + b_size && b_low < a_low + a_size;
}

// No kernel of the place where the call belongs was even a candidate.
uint32_t why_not_there(const Registry &registry, std::string_view where, const char *op, std::string *out_text) {
  const auto &devices = registry.devices();
  const bool known = registry.find_plugin(where) != nullptr ||
                     std::any_of(devices.begin(), devices.end(), [&](const auto &each) { return each.id == where; });
  *out_text = known ? fmt::format("{} has no kernel for {}", where, op)
                    : fmt::format("there is no device {}; `rayo devices --all` says why", where);
  return known ? RAYO_FALLBACK_UNSUPPORTED : RAYO_FALLBACK_NO_DEVICE;
}

}  // namespace

void PlanSet::add(Plan *plan) {
  const std::lock_guard lock(mutex_);
  plans_.insert(plan);
}

void PlanSet::remove(Plan *plan) {
  const std::lock_guard lock(mutex_);
  if (plans_.erase(plan) != 0) plan->release();
}

void PlanSet::close() {
  const std::lock_guard lock(mutex_);
  closed_.store(true, std::memory_order_release);
  for (Plan *plan : plans_) plan->release();
  plans_.clear();
}

void PlanSet::release_of(const PluginRecord &plugin) {
  const std::lock_guard lock(mutex_);
  std::erase_if(plans_, [&](Plan *plan) {
    if (plan->kernel_->owner != &plugin) return false;
    plan->release();
    return true;
  });
}

Addressing addressing_of(const rayo_tensor *const *inputs, uint32_t input_count, const rayo_tensor *const *outputs,
                         uint32_t output_count) noexcept {
  Addressing addressing;
  uintptr_t bits = addressing.alignment;
  for (uint32_t o = 0; o < output_count; ++o) {
    const void *out = address_of(outputs[o]);
    bits |= reinterpret_cast<uintptr_t>(out);
    if (out == nullptr) bits |= 1;
    for (uint32_t i = 0; i < input_count; ++i) {
      if (out != nullptr && out == address_of(inputs[i])) addressing.in_place = true;
    }
  }
  for (uint32_t i = 0; i < input_count; ++i) {
    if (inputs[i] == nullptr) continue;
    const void *in = address_of(inputs[i]);
    bits |= in == nullptr ? 1 : reinterpret_cast<uintptr_t>(in);
  }
  if (output_count == 0) bits |= 1;
  addressing.alignment = static_cast<uint32_t>(bits & (~bits + 1));
  return addressing;
}

Plan::Plan(const Registry &registry, std::shared_ptr<PlanSet> set, const CallRequest &request,
           const Addressing &addressing)
    : call_(registry, request), set_(std::move(set)) {
  const Span span(set_->watch().trace, SpanKind::plan, call_.schema().raw->name);
  const InFlight in_flight(kAnyTarget);
  check_device(registry, request.device);
  prepare(registry, request, addressing);
  try {
    note_places();
    if (!detour_) {
      if (launch_mark_ != 0) {
        rayo_op_desc desc = call_.desc();
        desc.max_threads = threads_;
        launch_mark_ = with_launch_line(launch_mark_, call_line(kernel_->kernel->name, desc));
      }
      if (kernel_->owner->remote != nullptr) {
        fallback_ = std::make_unique<IsolatedFallback>(registry, set_, request, call_, *kernel_);
      }
      watch_ = CallWatch::make(registry, set_, request, call_, *kernel_);
    }
    note_fast();
    set_->add(this);
    if (request.capture != nullptr) request.capture->record(call_);
  } catch (...) {
    set_->remove(this);
    release();
    release_launch_line(launch_mark_);
    throw;
  }
}

Plan::~Plan() {
  set_->remove(this);
  release_launch_line(launch_mark_);
}

void Plan::check_usable() const {
  if (closed()) fail(RAYO_PRECONDITION, "the plan's runtime was destroyed");
  if (unloaded()) {
    fail(RAYO_PRECONDITION, "{}: the plan's plugin {} was unloaded; create another plan", call_.schema().raw->name,
         kernel_->owner->name);
  }
}

void Plan::release() noexcept {
  if (released_) return;
  released_ = true;
  if (detour_ != nullptr) {
    detour_->release();
  } else if (kernel_ != nullptr) {
    kernel_->release(prepared_.state);
  }
}

// RAYO_OK: the candidate is bound. Otherwise *out_why says why it is not.
rayo_status Plan::try_prepare(const Registry &registry, const CallRequest &request, const Candidate &candidate,
                              std::string *out_why) {
  const KernelRecord &record = *candidate.kernel;
  const bool on_device = candidate.device != nullptr;
  rayo_op_desc desc = on_device ? candidate.view->desc() : call_.desc();
  if (candidate.threads != 0) desc.max_threads = candidate.threads;
  rayo_error error = no_error();
  prepared_ = {};
  prepared_.struct_size = sizeof(prepared_);
  prepared_.struct_type = RAYO_TYPE_PREPARED;
  const rayo_status status = record.prepare(desc, &prepared_, &error);
  if (status != RAYO_OK || (!on_device && prepared_.fn == nullptr)) {
    error.text[RAYO_ERROR_TEXT - 1] = '\0';
    *out_why = error.text[0] == '\0' ? rayo_status_name(status) : error.text;
    return status == RAYO_OK ? RAYO_UNSUPPORTED : status;
  }
  threads_ = std::clamp(prepared_.threads, 1u, desc.max_threads);
  alignment_mask_ = record.kernel->alignment > 1 ? record.kernel->alignment - 1 : 0;
  kernel_ = &record;
  launch_mark_ = record.owner->launch_mark;
  if (on_device) detour_ = std::make_unique<Detour>(registry, set_, call_, request, candidate, prepared_);
  return RAYO_OK;
}

void Plan::prepare(const Registry &registry, const CallRequest &request, const Addressing &addressing) {
  const char *op = call_.schema().raw->name;
  automatic_ = std::string_view(request.device) == "auto";
  if (automatic_ && request.table != nullptr) {
    choice_ = call_.mixed() ? choose_mixed(*request.table, call_, request.policy, request.threads)
                            : choose(*request.table, call_, request.policy, request.threads);
  }
  std::string reasons;
  std::string refused;  // why it does not run where it belongs
  uint32_t refusal = RAYO_FALLBACK_UNSUPPORTED;
  const KernelRecord *fell_from = nullptr;  // the first choice, where it failed
  std::string fell_why;
  for (Candidate &candidate : list_candidates(registry, call_, request)) {
    judge(&candidate, call_, request, addressing);
    std::string why = candidate.reason;
    if (candidate.state == RAYO_CANDIDATE_POSSIBLE) {
      const rayo_status status = try_prepare(registry, request, candidate, &why);
      if (status == RAYO_OK) {
        if (fell_from != nullptr) {
          set_->watch().metrics.count(Metric::fallbacks,
                                      {op, fell_from->owner->name, candidate.kernel->owner->name, fell_why});
        }
        if (candidate.device != nullptr || (candidate.belongs && !call_.home())) return;
        // A host kernel that works on a device's data, or in a device's stead.
        candidate.kernel->release(prepared_.state);
        prepared_.state = nullptr;
        const bool meant = candidate.belongs || candidate.threads != 0;  // asked for, or cheaper by the profile
        if (!meant && refused.empty()) refusal = why_not_there(registry, belongs_to(call_, request), op, &refused);
        detour_ = std::make_unique<Detour>(registry, set_, call_, request, candidate, meant ? 0 : refusal, refused);
        return;
      }
      if (status == RAYO_OUT_OF_MEMORY && !(candidate.device != nullptr && read_choice(request.device).fallback)) {
        fail(status, "{}: out of memory in prepare of {} ({})", op, candidate.kernel->kernel->name, candidate.place());
      }
      if (status == RAYO_OUT_OF_MEMORY) candidate.fallback = RAYO_FALLBACK_OUT_OF_MEMORY;
      if (status == RAYO_DEVICE_LOST) candidate.fallback = RAYO_FALLBACK_DEVICE_LOST;
      if (fell_from == nullptr) fell_from = candidate.kernel, fell_why = why;
    }
    if (candidate.belongs && refused.empty()) {
      refused = why;
      refusal = candidate.fallback;
    }
    reasons +=
        fmt::format("{}{}/{}: {}", reasons.empty() ? "" : "; ", candidate.place(), candidate.kernel->kernel->name, why);
  }
  fail(RAYO_UNSUPPORTED, "{}: no kernel can run this call: {}", op,
       reasons.empty() ? "no loaded plugin has the op" : reasons);
}

void Plan::note_places() {
  const auto place_of = [](const OperandDesc &operand) {
    Place place;
    if (operand.absent()) return place;
    place.span = byte_span(operand);
    place.compact = operand.compact();
    place.empty = operand.elements() == 0;
    return place;
  };
  const std::vector<OperandDesc> &inputs = call_.inputs();
  for (const OperandDesc &output : call_.outputs()) output_places_.push_back(place_of(output));
  for (size_t i = 0; i < inputs.size(); ++i) {
    Place place = place_of(inputs[i]);
    place.in_place = (call_.schema().raw->in_place >> i & 1u) != 0 && !call_.outputs().empty() && !inputs[i].absent() &&
                     same_strides(inputs[i], call_.outputs()[0]);
    input_places_.push_back(place);
  }
}

void Plan::note_fast() {
  fast_inputs_ = UINT32_MAX;
  if (detour_ != nullptr || output_places_.size() != 1) return;
  const auto note = [&](const OperandDesc &operand, const Place &place) {
    if (operand.absent() || !place.compact || place.empty) return false;
    FastOperand fast;
    DLTensor typed{};
    typed.ndim = operand.ndim;
    typed.dtype = operand.dtype;
    std::memcpy(&fast.rank_and_type, &typed.ndim, sizeof fast.rank_and_type);
    fast.ndim = operand.ndim;
    fast.shape = operand.shape;
    fast.strides = operand.strides;
    fast.in_place = place.in_place && (kernel_->kernel->flags & RAYO_KERNEL_IN_PLACE) != 0;
    for (int32_t i = 0; i < std::min(operand.ndim, 2); ++i) fast.extents[i] = operand.shape[i];
    fast.bytes = static_cast<uint64_t>(place.span.high);  // compact: from the address up
    fast_.push_back(fast);
    return true;
  };
  const std::vector<OperandDesc> &inputs = call_.inputs();
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!note(inputs[i], input_places_[i])) return;
  }
  if (note(call_.outputs()[0], output_places_[0])) fast_inputs_ = static_cast<uint32_t>(inputs.size());
}

bool Plan::matches(const rayo_tensor *const *inputs, uint32_t input_count, const rayo_tensor *const *outputs,
                   uint32_t output_count) const noexcept {
  const size_t bound = input_places_.size();
  const bool detour = detour_ != nullptr;
  if (input_count < bound || output_count != output_places_.size()) return false;
  for (size_t i = 0; i < bound; ++i) {
    if (!same_layout(call_.inputs()[i], input_places_[i].compact, inputs[i])) return false;
    if (!detour && !on_host(inputs[i])) return false;
  }
  for (size_t i = bound; i < input_count; ++i) {
    if (inputs[i] != nullptr) return false;
  }
  for (size_t i = 0; i < output_count; ++i) {
    if (outputs[i] == nullptr || !same_layout(call_.outputs()[i], output_places_[i].compact, outputs[i])) return false;
    if (!detour && !on_host(outputs[i])) return false;
  }
  return !detour || matches_detour(inputs, outputs);
}

rayo_status Plan::refuse_overlap(size_t output, const char *other_kind, size_t other) const noexcept {
  const Schema &schema = call_.schema();
  const auto &names = *other_kind == 'i' ? schema.inputs : schema.outputs;
  return fence([&] {
    fail(RAYO_INVALID_ARGUMENT, "{}: output {} overlaps {} {}: an output must be disjoint from the other operands{}",
         schema.raw->name, schema.outputs[output].name, other_kind, names[other].name,
         schema.raw->in_place != 0 ? ", or exactly the input (same address, shape and strides)" : "");
  });
}

rayo_status Plan::check_places(const void *const *inputs, void *const *outputs, bool *out_rebind) const noexcept {
  for (size_t o = 0; o < output_places_.size(); ++o) {
    const auto *out = static_cast<const char *>(outputs[o]);
    for (size_t i = 0; i < input_places_.size(); ++i) {
      const Place &place = input_places_[i];
      const auto *in = static_cast<const char *>(inputs[i]);
      if (in == nullptr || !spans_meet(out, output_places_[o].span, in, place.span)) continue;
      if (o == 0 && in == out && place.in_place) {
        const bool apart = detour_ != nullptr && (detour_->device() == nullptr || detour_->staged_pair(i, o));
        if ((kernel_->kernel->flags & RAYO_KERNEL_IN_PLACE) == 0 && !apart) *out_rebind = true;
        continue;
      }
      bool apart = false;
      const rayo_status status = fence([&] {
        apart = disjoint(call_.outputs()[o], reinterpret_cast<uintptr_t>(out), call_.inputs()[i],
                         reinterpret_cast<uintptr_t>(in));
      });
      if (status != RAYO_OK) return status;
      if (!apart) return refuse_overlap(o, "input", i);
    }
    for (size_t p = 0; p < o; ++p) {
      if (spans_meet(out, output_places_[o].span, static_cast<const char *>(outputs[p]), output_places_[p].span)) {
        return refuse_overlap(o, "output", p);
      }
    }
  }
  return RAYO_OK;
}

bool Plan::apart(const void *const *inputs, void *const *outputs) const noexcept {
  if (output_places_.size() != 1) return false;
  const ByteSpan span = output_places_[0].span;
  const uintptr_t out = reinterpret_cast<uintptr_t>(outputs[0]) + static_cast<uintptr_t>(span.low);
  const auto out_size = static_cast<uintptr_t>(span.high - span.low);
  const void *const *input = inputs;
  for (const Place &place : input_places_) {
    const uintptr_t in = reinterpret_cast<uintptr_t>(*input++) + static_cast<uintptr_t>(place.span.low);
    if (in - out < out_size || out - in < static_cast<uintptr_t>(place.span.high - place.span.low)) return false;
  }
  return true;
}

bool Plan::bound_strides(const FastOperand &bound, const int64_t *strides) noexcept {
  for (int32_t i = 0; i < bound.ndim; ++i) {
    if (strides[i] != bound.strides[i] && bound.shape[i] > 1) return false;
  }
  return true;
}

rayo_status Plan::run(const rayo_tensor *const *inputs, const rayo_tensor *const *outputs,
                      const rayo_executor *executor, bool *out_rebind) const noexcept {
  const InFlight in_flight(flight_target());
  if (unloaded()) [[unlikely]] {
    *out_rebind = true;
    return RAYO_OK;
  }
  if (detour_ != nullptr) [[unlikely]]
    return run_detour(inputs, outputs, executor, out_rebind);
  const void *in[RAYO_MAX_OPERANDS] = {};
  void *out[RAYO_MAX_OPERANDS] = {};
  uintptr_t bits = 0;
  for (size_t i = 0; i < input_places_.size(); ++i) {
    in[i] = address_of(inputs[i]);
    bits |= reinterpret_cast<uintptr_t>(in[i]);
    if (in[i] == nullptr && inputs[i] != nullptr && !input_places_[i].empty) {
      return fence([&] {
        fail(RAYO_INVALID_ARGUMENT, "{}: data of input {} is NULL", call_.schema().raw->name,
             call_.schema().inputs[i].name);
      });
    }
  }
  for (size_t o = 0; o < output_places_.size(); ++o) {
    out[o] = const_cast<void *>(address_of(outputs[o]));
    bits |= reinterpret_cast<uintptr_t>(out[o]);
    if (out[o] == nullptr && !output_places_[o].empty) {
      return fence([&] {
        fail(RAYO_INVALID_ARGUMENT, "{}: data of output {} is NULL", call_.schema().raw->name,
             call_.schema().outputs[o].name);
      });
    }
  }
  const rayo_status places = apart(in, out) ? RAYO_OK : check_places(in, out, out_rebind);
  if ((bits & alignment_mask_) != 0) *out_rebind = true;
  if (places != RAYO_OK || *out_rebind) return places;

  return call_kernel<false>(in, out, executor);
}

rayo_status Plan::no_workspace() const noexcept {
  return fence([&] {
    fail(RAYO_OUT_OF_MEMORY, "{}: no memory for a workspace of {} bytes; smaller work may succeed",
         call_.schema().raw->name, prepared_.workspace_size);
  });
}

rayo_status Plan::kernel_failed(rayo_status status, const void *const *inputs, void *const *outputs,
                                const rayo_executor *executor) const noexcept {
  const std::string_view text = last_error();
  if (fallback_ != nullptr && RemotePlugin::worker_failed()) {
    return fence([&] {
      const rayo_status result = fallback_->run(status, std::string(text), inputs, outputs, executor);
      if (result != RAYO_OK) throw Error(result, std::string(last_error()));
    });
  }
  return fence([&] {
    fail(status, "{} on {} ({}): {}", call_.schema().raw->name, kernel_->owner->name, kernel_->kernel->name,
         text.empty() ? "the kernel failed without a message" : std::string(text));
  });
}

}  // namespace rayo
