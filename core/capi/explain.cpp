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
#include "base/in_flight.hpp"
#include "capi/call_desc.hpp"
#include "capi/runtime.hpp"
#include "capi/structs.hpp"
#include "dispatch/choose.hpp"
#include "dispatch/plan.hpp"
#include "dispatch/select.hpp"
#include "tuner/model.hpp"

struct rayo_explanation {
  struct Entry {
    std::string device;
    std::string plugin;
    std::string kernel;
    std::string reason;
    uint32_t state = RAYO_CANDIDATE_POSSIBLE;
    uint32_t threads = 0;
    uint32_t numerics = 0;
    double predicted_ns = -1;
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
  rayo_op_desc desc = candidate.view ? candidate.view->desc() : call.desc();
  if (candidate.threads != 0) desc.max_threads = candidate.threads;
  const rayo_kernel &kernel = *candidate.kernel->kernel;
  rayo_instance *instance = candidate.kernel->owner->instance;
  rayo_error error{};
  rayo_prepared prepared{};
  prepared.struct_size = sizeof(prepared);
  prepared.struct_type = RAYO_TYPE_PREPARED;
  const rayo_status status = kernel.prepare(instance, &desc, &prepared, &error);
  if (status != RAYO_OK) {
    error.text[RAYO_ERROR_TEXT - 1] = '\0';
    *out_reason = error.text[0] == '\0' ? rayo_status_name(status) : error.text;
    return 0;
  }
  if (kernel.release != nullptr) kernel.release(instance, prepared.state);
  return std::clamp(prepared.threads, 1u, desc.max_threads);
}

// What the device profile says of one call.
class Measured {
 public:
  Measured(const rayo::SelectTable *table, const rayo::BoundCall &call, const CallRequest &request)
      : table_(table), key_(rayo::table_key(call, request.policy, request.threads)), at_(rayo::features_of(call)) {
    if (table_ == nullptr) return;
    entry_ = table_->entry(key_, &layer_);
    if (std::string_view(request.device) == "auto") choice_ = table_->find(key_, at_);
  }

  const rayo::TableChoice *choice() const { return choice_; }
  const std::string &layer() const { return layer_; }

  struct Best {
    uint32_t threads = 0;  // 0: nothing was measured of the plugin
    double ns = -1;
  };
  // The fastest way that was measured to run the call on a plugin's kernels.
  Best best_of(const rayo::PluginRecord &plugin) const {
    Best best;
    for (uint32_t c = 0; entry_ != nullptr && c < entry_->candidates.size(); ++c) {
      const rayo::ProfileCandidate &candidate = entry_->candidates[c];
      if (candidate.threads > key_.threads || table_->profile().plugins[candidate.plugin].name != plugin.name ||
          table_->candidate_device(*entry_, c) < 0) {
        continue;
      }
      const double ns = rayo::predict(*entry_, c, at_);
      if (ns >= 0 && (best.threads == 0 || ns < best.ns)) best = {candidate.threads, ns};
    }
    return best;
  }
  // Of one number of threads, the nearest measured one below it.
  double predicted(const rayo::PluginRecord &plugin, uint32_t threads) const {
    uint32_t nearest = 0;
    double ns = -1;
    for (uint32_t c = 0; entry_ != nullptr && c < entry_->candidates.size(); ++c) {
      const rayo::ProfileCandidate &candidate = entry_->candidates[c];
      if (candidate.threads > threads || candidate.threads < nearest ||
          table_->profile().plugins[candidate.plugin].name != plugin.name || table_->candidate_device(*entry_, c) < 0) {
        continue;
      }
      nearest = candidate.threads;
      ns = rayo::predict(*entry_, c, at_);
    }
    return ns;
  }
  // Why nothing of it was measured, or does not count.
  std::string why_not(const rayo::PluginRecord &plugin) const {
    if (table_ == nullptr) return "no device profile: `rayo tune` makes one";
    const std::string dropped = table_->dropped(plugin.name);
    if (!dropped.empty()) return "its profile entries do not count: " + dropped;
    if (entry_ != nullptr) return "not measured in the " + layer_;
    const std::string all = table_->dropped("");
    return all.empty() ? "this op, type or layout was not measured" : "no entry counts: " + all;
  }
  // Why the static order decides although there is a table.
  std::string why_static() const {
    if (table_ == nullptr) return "no device profile";
    if (entry_ == nullptr) {
      const std::string all = table_->dropped("");
      return all.empty() ? "the device profile has no entry for this op, type and layout" : all;
    }
    const std::string unused = table_->unused(key_);
    return unused.empty() ? "the profile has no point for this kind of shape" : unused;
  }
  bool extrapolated() const { return entry_ != nullptr && !rayo::measured_range(*entry_, at_); }

 private:
  const rayo::SelectTable *table_;
  rayo::TableKey key_;
  rayo::Features at_;
  const rayo::ProfileEntry *entry_ = nullptr;
  const rayo::TableChoice *choice_ = nullptr;
  std::string layer_;
};

std::string time_text(double ns) {
  if (ns < 1e3) return fmt::format("{:.0f} ns", ns);
  if (ns < 1e6) return fmt::format("{:.3g} us", ns / 1e3);
  return ns < 1e9 ? fmt::format("{:.3g} ms", ns / 1e6) : fmt::format("{:.3g} s", ns / 1e9);
}

std::string threads_text(uint32_t threads) { return threads == 1 ? "1 thread" : fmt::format("{} threads", threads); }

// Why the chosen candidate was chosen.
std::string chosen_reason(const Measured &measured, const Candidate &candidate, std::string_view level, double ns) {
  if (level == "forced") return "the device that was asked for";
  const uint32_t preference = candidate.kernel->owner->plugin->preference;
  if (level == "static") {
    return fmt::format("first in the static order that can run it (preference {}); {}", preference,
                       measured.why_static());
  }
  return fmt::format("fastest by the {}{}{}", measured.layer(), ns >= 0 ? ", at " + time_text(ns) : std::string(),
                     measured.extrapolated() ? ", beyond the sizes that were measured" : "");
}

// Why a candidate that could run the call was not chosen.
std::string other_reason(const Measured &measured, const rayo::PluginRecord &plugin, std::string_view level,
                         const rayo::PluginRecord &winner, double winner_ns) {
  const Measured::Best best = measured.best_of(plugin);
  if (level == "profile" && best.threads != 0 && winner_ns > 0) {
    const double ratio = best.ns / winner_ns;
    if (ratio < 1.05) return fmt::format("as fast within the noise, with {}", threads_text(best.threads));
    return fmt::format("{:.3g}x slower than {}, at its best with {}", ratio, winner.name, threads_text(best.threads));
  }
  if (level == "profile") return measured.why_not(plugin);
  return fmt::format("can run it; preference {} is below {}'s in the static order", plugin.plugin->preference,
                     winner.name);
}

// A kernel of the same plugin for other types says nothing where its sibling can run the call.
bool is_noise(const Candidate &candidate, const std::vector<Candidate> &all) {
  return candidate.state == RAYO_CANDIDATE_UNSUPPORTED &&
         std::any_of(all.begin(), all.end(), [&](const Candidate &other) {
           return other.kernel->owner == candidate.kernel->owner && other.device == candidate.device &&
                  other.state != RAYO_CANDIDATE_UNSUPPORTED;
         });
}

void add_candidates(const rayo_runtime &runtime, const CallRequest &request, rayo_explanation *out) {
  const rayo::InFlight in_flight(rayo::kAnyTarget);
  const rayo::BoundCall call(*request.registry, request);
  const rayo::Addressing addressing = rayo::addressing_of(request.inputs, request.input_count, request.outputs,
                                                          request.outputs == nullptr ? 0 : request.output_count);
  // Shapes alone say nothing of alignment: assume none is missing.
  rayo::Addressing assumed = addressing;
  assumed.alignment = rayo::Addressing{}.alignment;
  const Measured measured(request.table, call, request);
  const rayo::PluginRecord *winner = nullptr;
  double winner_ns = -1;
  std::vector<Candidate> candidates = list_candidates(*request.registry, call, request);
  bool possible = false;
  for (Candidate &candidate : candidates) {
    // A device that the call does not need is not opened for the sake of an explanation: that may take long.
    if (candidate.device != nullptr && possible && !candidate.belongs && !runtime.devices->is_open(*candidate.device)) {
      candidate.state = RAYO_CANDIDATE_MASKED;
      candidate.reason = "data in host memory stays there without a measured profile; not asked: nothing opened it yet";
      continue;
    }
    judge(&candidate, call, request, assumed);
    possible = possible || candidate.state == RAYO_CANDIDATE_POSSIBLE;
  }
  for (const Candidate &candidate : candidates) {
    if (is_noise(candidate, candidates)) continue;
    rayo_explanation::Entry entry;
    entry.device = candidate.place();
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
        winner = candidate.kernel->owner;
        if (candidate.threads != 0) out->level = "profile";
        winner_ns = entry.predicted_ns = measured.predicted(*winner, entry.threads);
        entry.reason = candidate.belongs && call.home() && out->level != "forced"
                           ? fmt::format("the call's tensors live on {}", entry.device)
                           : chosen_reason(measured, candidate, out->level, winner_ns);
      } else if (candidate.device != nullptr && out->level != "profile") {
        entry.reason = "can run it; data in host memory stays there without a measured profile";
      } else {
        const rayo::PluginRecord &owner = *candidate.kernel->owner;
        entry.predicted_ns = measured.best_of(owner).ns;
        entry.reason = other_reason(measured, owner, out->level, *winner, winner_ns);
      }
    }
    const std::string fell_back = runtime.devices->fallbacks().summary(call.desc().op, entry.device);
    if (!fell_back.empty()) entry.reason += "; " + fell_back;
    out->entries.push_back(std::move(entry));
  }
}

void add_rejected(const rayo::Registry &registry, rayo_explanation *out) {
  for (const auto &plugin : registry.plugins()) {
    if (plugin->ready()) continue;
    rayo_explanation::Entry entry;
    entry.device = plugin->name;
    entry.plugin = plugin->name.empty() ? plugin->file : plugin->name;
    entry.state = RAYO_CANDIDATE_REJECTED;
    const char *state = plugin->state == rayo::PluginState::ready         ? "unloaded"
                        : plugin->state == rayo::PluginState::quarantined ? "quarantined"
                                                                          : "rejected";
    entry.reason = fmt::format("{}: {}", state, plugin->why_not_ready());
    out->entries.push_back(std::move(entry));
  }
}

}  // namespace

extern "C" {

rayo_status rayo_explain(rayo_runtime *runtime, const rayo_call_desc *desc, rayo_explanation **out_explanation) {
  return rayo::fence([&] {
    if (out_explanation == nullptr) rayo::fail(RAYO_INVALID_ARGUMENT, "out_explanation is NULL");
    const CallRequest request = rayo::read_call_desc(runtime, desc);
    rayo::check_device(*request.registry, request.device);
    auto explanation = std::make_unique<rayo_explanation>();
    explanation->level = rayo::read_choice(request.device).fallback ? "static" : "forced";
    add_candidates(*runtime, request, explanation.get());
    add_rejected(*request.registry, explanation.get());
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
    candidate.predicted_ns = entry.predicted_ns;
    rayo::write_struct(out_candidate, candidate, RAYO_TYPE_CANDIDATE, "out_candidate");
  });
}

}  // extern "C"
