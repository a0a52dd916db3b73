// SPDX-License-Identifier: Apache-2.0
//
// rayo_explain: the ranking that a call goes through, kept with its reasons instead of acted on.
#include <rayo/rayo.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "capi/call_desc.hpp"
#include "capi/runtime.hpp"
#include "capi/structs.hpp"
#include "dispatch/plan.hpp"
#include "dispatch/select.hpp"

struct rayo_explanation {
  struct Entry {
    std::string device;
    std::string plugin;
    std::string kernel;
    std::string reason;
    uint32_t state = RAYO_CANDIDATE_POSSIBLE;
    uint32_t threads = 0;
    uint32_t numerics = 0;
  };
  std::vector<Entry> entries;
  int32_t chosen = -1;
  std::string level;
};

namespace {

using rayo::CallRequest;
using rayo::Candidate;

// Threads a possible candidate would use; 0 and a reason when its prepare declines after all.
uint32_t try_prepare(const Candidate &candidate, const rayo::BoundCall &call, std::string *out_reason) {
  const rayo_kernel &kernel = *candidate.kernel->kernel;
  rayo_instance *instance = candidate.kernel->owner->instance;
  rayo_error error{};
  rayo_prepared prepared{};
  prepared.struct_size = sizeof(prepared);
  prepared.struct_type = RAYO_TYPE_PREPARED;
  const rayo_status status = kernel.prepare(instance, &call.desc(), &prepared, &error);
  if (status != RAYO_OK) {
    error.text[RAYO_ERROR_TEXT - 1] = '\0';
    *out_reason = error.text[0] == '\0' ? rayo_status_name(status) : error.text;
    return 0;
  }
  if (kernel.release != nullptr) kernel.release(instance, prepared.state);
  return std::clamp(prepared.threads, 1u, call.desc().max_threads);
}

// A kernel of the same plugin for other types says nothing where its sibling can run the call.
bool is_noise(const Candidate &candidate, const std::vector<Candidate> &all) {
  return candidate.state == RAYO_CANDIDATE_UNSUPPORTED &&
         std::any_of(all.begin(), all.end(), [&](const Candidate &other) {
           return other.kernel->owner == candidate.kernel->owner && other.state != RAYO_CANDIDATE_UNSUPPORTED;
         });
}

void add_candidates(const rayo_runtime &runtime, const CallRequest &request, rayo_explanation *out) {
  const rayo::BoundCall call(*runtime.registry, request);
  const rayo::Addressing addressing = rayo::addressing_of(request.inputs, request.input_count, request.outputs,
                                                          request.outputs == nullptr ? 0 : request.output_count);
  // Shapes alone say nothing of alignment: assume none is missing.
  rayo::Addressing assumed = addressing;
  assumed.alignment = rayo::Addressing{}.alignment;
  std::string winner;
  const std::vector<Candidate> candidates = rank_candidates(*runtime.registry, call, request, assumed);
  for (const Candidate &candidate : candidates) {
    if (is_noise(candidate, candidates)) continue;
    rayo_explanation::Entry entry;
    entry.device = candidate.kernel->owner->name;
    entry.plugin = candidate.kernel->owner->name;
    entry.kernel = candidate.kernel->kernel->name;
    entry.numerics = candidate.kernel->kernel->numerics;
    entry.state = candidate.state;
    entry.reason = candidate.reason;
    if (candidate.state == RAYO_CANDIDATE_POSSIBLE) {
      entry.threads = try_prepare(candidate, call, &entry.reason);
      if (entry.threads == 0) {
        entry.state = RAYO_CANDIDATE_UNSUPPORTED;
      } else if (out->chosen < 0) {
        out->chosen = static_cast<int32_t>(out->entries.size());
        entry.state = RAYO_CANDIDATE_CHOSEN;
        winner = entry.plugin;
        entry.reason = out->level == "forced"
                           ? "the device that was asked for"
                           : fmt::format("first in the static order that can run it (preference {}); no device profile",
                                         candidate.kernel->owner->plugin->preference);
      } else {
        entry.reason = fmt::format("can run it; preference {} is below {}'s in the static order",
                                   candidate.kernel->owner->plugin->preference, winner);
      }
    }
    out->entries.push_back(std::move(entry));
  }
}

void add_rejected(const rayo::Registry &registry, rayo_explanation *out) {
  for (const auto &plugin : registry.plugins()) {
    if (plugin->state == rayo::PluginState::ready) continue;
    rayo_explanation::Entry entry;
    entry.device = plugin->name;
    entry.plugin = plugin->name.empty() ? plugin->file : plugin->name;
    entry.state = RAYO_CANDIDATE_REJECTED;
    entry.reason = fmt::format("{}: {}", plugin->state == rayo::PluginState::quarantined ? "quarantined" : "rejected",
                               plugin->reason);
    out->entries.push_back(std::move(entry));
  }
}

}  // namespace

extern "C" {

rayo_status rayo_explain(rayo_runtime *runtime, const rayo_call_desc *desc, rayo_explanation **out_explanation) {
  return rayo::fence([&] {
    if (out_explanation == nullptr) rayo::fail(RAYO_INVALID_ARGUMENT, "out_explanation is NULL");
    const CallRequest request = rayo::read_call_desc(runtime, desc);
    rayo::check_device(*runtime->registry, request.device);
    auto explanation = std::make_unique<rayo_explanation>();
    explanation->level = std::string_view(request.device) == "auto" ? "static" : "forced";
    add_candidates(*runtime, request, explanation.get());
    add_rejected(*runtime->registry, explanation.get());
    *out_explanation = explanation.release();
  });
}

void rayo_explanation_destroy(rayo_explanation *explanation) { delete explanation; }

int32_t rayo_explanation_chosen(const rayo_explanation *explanation) {
  return explanation == nullptr ? -1 : explanation->chosen;
}

const char *rayo_explanation_level(const rayo_explanation *explanation) {
  return explanation == nullptr ? "" : explanation->level.c_str();
}

uint32_t rayo_explanation_count(const rayo_explanation *explanation) {
  return explanation == nullptr ? 0 : static_cast<uint32_t>(explanation->entries.size());
}

rayo_status rayo_explanation_get(const rayo_explanation *explanation, uint32_t index, rayo_candidate *out_candidate) {
  return rayo::fence([&] {
    if (explanation == nullptr) rayo::fail(RAYO_INVALID_ARGUMENT, "explanation is NULL");
    if (index >= explanation->entries.size()) {
      rayo::fail(RAYO_INVALID_ARGUMENT, "candidate {} of {}", index, explanation->entries.size());
    }
    const rayo_explanation::Entry &entry = explanation->entries[index];
    rayo_candidate candidate{};
    candidate.device = entry.device.c_str();
    candidate.plugin = entry.plugin.c_str();
    candidate.kernel = entry.kernel.c_str();
    candidate.reason = entry.reason.c_str();
    candidate.state = entry.state;
    candidate.threads = entry.threads;
    candidate.numerics = entry.numerics;
    candidate.predicted_ns = -1.0;
    rayo::write_struct(out_candidate, candidate, RAYO_TYPE_CANDIDATE, "out_candidate");
  });
}

}  // extern "C"
