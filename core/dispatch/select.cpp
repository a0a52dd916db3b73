// SPDX-License-Identifier: Apache-2.0
#include "dispatch/select.hpp"

#include <algorithm>
#include <string_view>

#include "base/error.hpp"

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

std::string masked_by(const KernelRecord &record, const CallRequest &request) {
  const std::string_view device(request.device);
  if (device != "auto" && device != record.owner->name) return fmt::format("device '{}' was asked for", device);
  if (record.kernel->numerics > request.policy) {
    return fmt::format("numerics class {} is outside policy {}", numerics_name(record.kernel->numerics),
                       policy_name(request.policy));
  }
  return {};
}

std::string unsupported_by(const KernelRecord &record, const BoundCall &call, const Addressing &addressing) {
  const rayo_kernel &kernel = *record.kernel;
  const uint32_t version = call.desc().schema_version;
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
  if (kernel.max_ndim != 0 && call.max_ndim() > kernel.max_ndim) {
    return fmt::format("takes ranks up to {}, this call has {}", kernel.max_ndim, call.max_ndim());
  }
  if ((kernel.layouts & RAYO_LAYOUT_STRIDED) == 0 && !call.compact()) return "takes compact operands only";
  if (addressing.in_place && (kernel.flags & RAYO_KERNEL_IN_PLACE) == 0) return "does not work in place";
  if (kernel.alignment > addressing.alignment) {
    return fmt::format("needs addresses aligned to {} bytes", kernel.alignment);
  }
  if (kernel.supports == nullptr) return {};
  const uint32_t why = kernel.supports(record.owner->instance, &call.desc());
  return why == RAYO_WHY_SUPPORTED ? std::string() : why_text(why);
}

}  // namespace

std::vector<Candidate> rank_candidates(const Registry &registry, const BoundCall &call, const CallRequest &request,
                                       const Addressing &addressing) {
  std::vector<Candidate> candidates;
  for (const KernelRecord *record : registry.kernels(call.desc().op)) {
    Candidate candidate;
    candidate.kernel = record;
    candidate.reason = unsupported_by(*record, call, addressing);
    if (!candidate.reason.empty()) {
      candidate.state = RAYO_CANDIDATE_UNSUPPORTED;
    } else {
      candidate.reason = masked_by(*record, request);
      if (!candidate.reason.empty()) candidate.state = RAYO_CANDIDATE_MASKED;
    }
    candidates.push_back(std::move(candidate));
  }
  return candidates;
}

void check_device(const Registry &registry, const char *device) {
  const std::string_view name(device);
  if (name == "auto" || registry.find_plugin(name) != nullptr) return;
  std::string ready;
  for (const DeviceRecord &each : registry.devices()) {
    if (name == each.id) return;
    ready += (ready.empty() ? "" : ", ") + each.id;
  }
  for (const auto &plugin : registry.plugins()) {
    if (plugin->name != name || plugin->state == PluginState::ready) continue;
    fail(RAYO_UNSUPPORTED, "device '{}' is not ready: {} ({}); ready are: auto, {}", name, plugin->reason, plugin->file,
         ready);
  }
  fail(RAYO_NOT_FOUND, "unknown device '{}'; ready are: auto, {}; `rayo devices --all` shows every file found", name,
       ready);
}

}  // namespace rayo
