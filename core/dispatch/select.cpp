// SPDX-License-Identifier: Apache-2.0
#include "dispatch/select.hpp"

#include <algorithm>
#include <string_view>

#include "base/error.hpp"
#include "dispatch/choose.hpp"

namespace rayo {
namespace {

const char *numerics_name(uint32_t numerics) {
  switch (numerics) {
    case RAYO_NUMERICS_REPRODUCIBLE:
      return "reproducible";
    case RAYO_NUMERICS_STRICT:
      return "strict";
    default:
      return "relaxed";
  }
}

const char *policy_name(uint32_t policy) {
  switch (policy) {
    case RAYO_POLICY_REPRODUCIBLE:
      return "reproducible";
    case RAYO_POLICY_ACCURATE:
      return "accurate";
    default:
      return "relaxed";
  }
}

std::string why_text(uint32_t why) {
  switch (why) {
    case RAYO_WHY_DTYPE:
      return "does not take these types";
    case RAYO_WHY_RANK:
      return "does not take this rank";
    case RAYO_WHY_LAYOUT:
      return "does not take these strides";
    case RAYO_WHY_ATTRIBUTE:
      return "does not take these attributes";
    case RAYO_WHY_SHAPE:
      return "does not take these shapes";
    case RAYO_WHY_SIZE:
      return "does not take this size";
    case RAYO_WHY_CPU:
      return "needs a CPU feature that is absent";
    case RAYO_WHY_DEVICE_LIMIT:
      return "exceeds a limit of the device";
    case RAYO_WHY_NUMERICS:
      return "cannot keep the numerics asked for";
    case RAYO_WHY_SCHEMA:
      return "supports another version of the op";
    default:
      return "declined the call (reason " + std::to_string(why) + ")";
  }
}

bool is_named(const Candidate &candidate, std::string_view name) {
  if (name == candidate.kernel->owner->name) return true;
  return candidate.device == nullptr ? name == "host" : name == candidate.device->id;
}

std::string masked_by(const Candidate &candidate, const BoundCall &call, const CallRequest &request) {
  const rayo_kernel &kernel = *candidate.kernel->kernel;
  const DeviceChoice choice = read_choice(request.device);
  if (!choice.fallback && !is_named(candidate, choice.name)) {
    return fmt::format("device '{}' was asked for", choice.name);
  }
  if (candidate.device != nullptr && call.home() && call.home()->id() != candidate.device->id) {
    return fmt::format("the call's tensors live on {}", call.home()->id());
  }
  if (kernel.numerics > request.policy) {
    return fmt::format("numerics class {} is outside policy {}", numerics_name(kernel.numerics),
                       policy_name(request.policy));
  }
  return {};
}

// What the kernel's own fields say, without asking it.
std::string unsupported_by_fields(const KernelRecord &record, const BoundCall &call, const KernelView &view,
                                  const Addressing &addressing) {
  const rayo_kernel &kernel = *record.kernel;
  const uint32_t version = view.desc().schema_version;
  if (version < kernel.schema_min || version > kernel.schema_max) {
    return fmt::format("supports schema versions {} to {}, the op has {}", kernel.schema_min, kernel.schema_max,
                       version);
  }
  for (const auto &[variable, bound] : call.types()) {
    const DLDataType dtype = bound;
    const auto legal = record.types.find(variable);
    const bool known =
        legal != record.types.end() && std::any_of(legal->second.begin(), legal->second.end(),
                                                   [&](DLDataType each) { return same_dtype(each, dtype); });
    if (!known) return fmt::format("does not take {} = {} (takes {})", variable, dtype_name(dtype), kernel.types);
  }
  if (kernel.max_ndim != 0 && view.max_ndim() > kernel.max_ndim) {
    return fmt::format("takes ranks up to {}, this call has {}", kernel.max_ndim, view.max_ndim());
  }
  if ((kernel.layouts & RAYO_LAYOUT_STRIDED) == 0 && !view.compact()) return "takes compact operands only";
  if (addressing.in_place && (kernel.flags & RAYO_KERNEL_IN_PLACE) == 0) return "does not work in place";
  if (kernel.alignment > addressing.alignment) {
    return fmt::format("needs addresses aligned to {} bytes", kernel.alignment);
  }
  return {};
}

std::string unsupported_by(const KernelRecord &record, const KernelView &view) {
  if (record.kernel->supports == nullptr) return {};
  const uint32_t why = record.kernel->supports(record.owner->instance, &view.desc());
  return why == RAYO_WHY_SUPPORTED ? std::string() : why_text(why);
}

// Opens the device and describes the call to it. False: it cannot be used, reason and fallback tell.
bool open_device(Candidate *candidate, const BoundCall &call, const CallRequest &request) {
  try {
    candidate->opened = request.devices->open(*candidate->device);
    candidate->opened->check_usable();
    candidate->view = call.view_on(*candidate->opened, request);
    return true;
  } catch (const Error &error) {
    candidate->reason = error.what();
    candidate->fallback = error.status() == RAYO_DEVICE_LOST ? RAYO_FALLBACK_DEVICE_LOST
                          : error.status() == RAYO_FORKED    ? RAYO_FALLBACK_FORKED
                                                             : RAYO_FALLBACK_NO_DEVICE;
    return false;
  }
}

// What resident operands ask of a device's kernel; staged ones are aligned and apart.
Addressing resident_addressing(const BoundCall &call, const CallRequest &request) {
  Addressing addressing;
  uint64_t bits = addressing.alignment;
  const auto resident = [](uint32_t mask, uint32_t i) { return (mask >> i & 1u) != 0; };
  for (uint32_t o = 0; o < request.output_count; ++o) {
    if (!resident(call.resident_outputs(), o)) continue;
    const rayo_tensor &out = *request.outputs[o];
    bits |= out.dl.byte_offset | (out.buffer == nullptr ? reinterpret_cast<uintptr_t>(out.dl.data) : 0);
    for (uint32_t i = 0; i < call.inputs().size(); ++i) {
      if (!resident(call.resident_inputs(), i)) continue;
      const rayo_tensor &in = *request.inputs[i];
      if (in.dl.data == out.dl.data && in.dl.byte_offset == out.dl.byte_offset) addressing.in_place = true;
    }
  }
  for (uint32_t i = 0; i < call.inputs().size(); ++i) {
    if (!resident(call.resident_inputs(), i)) continue;
    const rayo_tensor &in = *request.inputs[i];
    bits |= in.dl.byte_offset | (in.buffer == nullptr ? reinterpret_cast<uintptr_t>(in.dl.data) : 0);
  }
  addressing.alignment = static_cast<uint32_t>(bits & (~bits + 1));
  return addressing;
}

void judge_on_device(Candidate *candidate, const BoundCall &call, const CallRequest &request) {
  const KernelRecord &record = *candidate->kernel;
  candidate->reason = masked_by(*candidate, call, request);
  if (!candidate->reason.empty()) {
    candidate->state = RAYO_CANDIDATE_MASKED;
    return;
  }
  candidate->state = RAYO_CANDIDATE_UNSUPPORTED;
  if (!open_device(candidate, call, request)) return;
  candidate->reason = unsupported_by_fields(record, call, *candidate->view, resident_addressing(call, request));
  if (candidate->reason.empty()) candidate->reason = unsupported_by(record, *candidate->view);
  if (candidate->reason.empty()) candidate->state = RAYO_CANDIDATE_POSSIBLE;
}

// Puts the profile's choice first; what gave a wrong result when it was measured is not used. Before any is judged.
void apply_profile(const Registry &registry, std::vector<Candidate> *candidates, const BoundCall &call,
                   const CallRequest &request) {
  if (request.table == nullptr || std::string_view(request.device) != "auto" || request.host_only) return;
  const TableKey key = table_key(*request.table, call, request.policy, request.threads);
  for (Candidate &candidate : *candidates) {
    const std::string wrong = request.table->wrong_result(key, *candidate.kernel->owner);
    if (wrong.empty()) continue;
    candidate.state = RAYO_CANDIDATE_MASKED;
    candidate.reason = "gave a wrong result when it was tuned: " + wrong;
  }
  const TableChoice *choice = call.mixed() ? choose_mixed(*request.table, call, request.policy, request.threads)
                                           : choose(*request.table, call, request.policy, request.threads);
  if (choice == nullptr) return;
  const DeviceRecord &device = registry.devices()[choice->device];
  const auto chosen = [&](const Candidate &each) {
    return each.kernel->owner == choice->plugin &&
           (device.device_tier ? each.device == &device : each.device == nullptr);
  };
  for (Candidate &candidate : *candidates) {
    if (chosen(candidate)) candidate.threads = std::min(choice->threads, std::max(request.threads, 1u));
  }
  std::stable_partition(candidates->begin(), candidates->end(), chosen);
}

}  // namespace

DeviceChoice read_choice(std::string_view text) {
  if (text == "auto") return {};
  constexpr std::string_view kOrElse = ",auto";
  if (text.size() > kOrElse.size() && text.substr(text.size() - kOrElse.size()) == kOrElse) {
    return {text.substr(0, text.size() - kOrElse.size()), true};
  }
  return {text, false};
}

std::string_view belongs_to(const BoundCall &call, const CallRequest &request) {
  const DeviceChoice choice = read_choice(request.device);
  if (!choice.name.empty()) return choice.name;
  return call.home() && !request.host_only ? std::string_view(call.home()->id()) : std::string_view();
}

std::vector<Candidate> list_candidates(const Registry &registry, const BoundCall &call, const CallRequest &request) {
  const std::string_view where = belongs_to(call, request);
  std::vector<Candidate> all;
  const auto add = [&](const KernelRecord *kernel, const DeviceRecord *device) {
    Candidate candidate;
    candidate.kernel = kernel;
    candidate.device = device;
    candidate.belongs = where.empty() || is_named(candidate, where);
    all.push_back(std::move(candidate));
  };
  for (const KernelRecord *record : registry.kernels(call.desc().op)) {
    if (record->owner->leaving.load(std::memory_order_relaxed) || record->owner == request.without) continue;
    if ((record->kernel->flags & RAYO_KERNEL_DEVICE) == 0) {
      add(record, nullptr);
      continue;
    }
    if (request.host_only) continue;
    for (const DeviceRecord &device : registry.devices()) {
      if (device.device_tier && registry.plugins()[device.plugin].get() == record->owner) add(record, &device);
    }
  }
  const auto turn = [&](const Candidate &each) {
    if (!where.empty() && each.belongs) return 0;
    return each.device == nullptr ? 1 : 2;
  };
  std::stable_sort(all.begin(), all.end(), [&](const Candidate &a, const Candidate &b) { return turn(a) < turn(b); });
  apply_profile(registry, &all, call, request);
  return all;
}

void judge(Candidate *candidate, const BoundCall &call, const CallRequest &request, const Addressing &addressing) {
  if (candidate->state != RAYO_CANDIDATE_POSSIBLE) return;  // by the profile
  if (candidate->device != nullptr) {
    judge_on_device(candidate, call, request);
    return;
  }
  candidate->reason = unsupported_by_fields(*candidate->kernel, call, call.host_view(), addressing);
  if (candidate->reason.empty()) candidate->reason = unsupported_by(*candidate->kernel, call.host_view());
  if (!candidate->reason.empty()) {
    candidate->state = RAYO_CANDIDATE_UNSUPPORTED;
    return;
  }
  candidate->reason = masked_by(*candidate, call, request);
  if (!candidate->reason.empty()) candidate->state = RAYO_CANDIDATE_MASKED;
}

void check_device(const Registry &registry, const char *device) {
  const DeviceChoice choice = read_choice(device);
  const std::string_view name = choice.name;
  if (choice.fallback || name == "host" || registry.find_plugin(name) != nullptr) return;
  std::string ready;
  for (const DeviceRecord &each : registry.devices()) {
    if (name == each.id) return;
    ready += (ready.empty() ? "" : ", ") + each.id;
  }
  for (const auto &plugin : registry.plugins()) {
    if (plugin->name != name || plugin->ready()) continue;
    fail(RAYO_UNSUPPORTED, "device '{}' is not ready: {} ({}); ready are: auto, host, {}", name,
         plugin->why_not_ready(), plugin->file, ready);
  }
  fail(RAYO_NOT_FOUND, "unknown device '{}'; ready are: auto, host, {}; `rayo devices --all` shows every file found",
       name, ready);
}

}  // namespace rayo
