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
  // A predicted time and what it is the sum of; below 0 = not known.
  struct Parts {
    double total = -1;
    double transfer = -1;
    double launch = -1;
    double kernel = -1;
  };
  struct Entry {
    std::string device;
    std::string plugin;
    std::string kernel;
    std::string reason;
    uint32_t state = RAYO_CANDIDATE_POSSIBLE;
    uint32_t threads = 0;
    uint32_t numerics = 0;
    Parts predicted;
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
  rayo_error error{};
  rayo_prepared prepared{};
  prepared.struct_size = sizeof(prepared);
  prepared.struct_type = RAYO_TYPE_PREPARED;
  const rayo_status status = candidate.kernel->prepare(desc, &prepared, &error);
  if (status != RAYO_OK) {
    error.text[RAYO_ERROR_TEXT - 1] = '\0';
    *out_reason = error.text[0] == '\0' ? rayo_status_name(status) : error.text;
    return 0;
  }
  candidate.kernel->release(prepared.state);
  return std::clamp(prepared.threads, 1u, desc.max_threads);
}

// What the device profile says of one call.
class Measured {
 public:
  Measured(const rayo::SelectTable *table, const rayo::BoundCall &call, const CallRequest &request)
      : table_(table), call_(call), at_(rayo::features_of(call)) {
    if (table_ == nullptr) return;
    key_ = rayo::table_key(*table_, call, request.policy, request.threads);
    if (call.mixed()) key_.residency = 0;  // costs of the parts; the moves are added
    entry_ = table_->entry(key_, &layer_);
  }

  const std::string &layer() const { return layer_; }
  // "profile", or "class" for one that was shipped.
  std::string level() const { return layer_.rfind("class ", 0) == 0 ? "class" : "profile"; }

  using Parts = rayo_explanation::Parts;
  struct Best {
    uint32_t threads = 0;  // 0: nothing was measured of the candidate
    Parts parts;
  };
  // The fastest way that was measured to run the call on a candidate.
  Best best_of(const Candidate &candidate) const { return find(candidate, key_.threads, false); }
  // With a number of threads, or the nearest measured one below it.
  Parts predicted(const Candidate &candidate, uint32_t threads) const {
    return find(candidate, candidate.device != nullptr ? key_.threads : threads, candidate.device == nullptr).parts;
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
  // Of the op on operands that live in `residency`, by the candidate.
  Best measured(const Candidate &candidate, rayo::Residency residency, uint32_t threads, bool most_threads) const {
    Best best;
    rayo::TableKey key = key_;
    key.residency = residency;
    const rayo::ProfileEntry *entry = table_ == nullptr ? nullptr : table_->entry(key);
    for (uint32_t c = 0; entry != nullptr && c < entry->candidates.size(); ++c) {
      const rayo::ProfileCandidate &each = entry->candidates[c];
      if (each.threads > threads || each.device != candidate.place() || table_->candidate_device(*entry, c) < 0 ||
          table_->profile().plugins[each.plugin].name != candidate.kernel->owner->name) {
        continue;
      }
      const double ns = rayo::predict(*entry, c, at_);
      const bool better = most_threads ? each.threads > best.threads : best.threads == 0 || ns < best.parts.total;
      if (ns >= 0 && better) best = {each.threads, {ns, -1, -1, -1}};
    }
    return best;
  }

  Best find(const Candidate &candidate, uint32_t threads, bool most_threads) const {
    if (table_ == nullptr) return {};
    const bool on_device = candidate.device != nullptr;
    const rayo::Residency place = on_device ? table_->residency_of(candidate.device->id) : 0;
    Best best = measured(candidate, call_.mixed() ? place : key_.residency, threads, most_threads);
    Parts &parts = best.parts;
    if (parts.total < 0) return best;
    const std::string device = on_device ? candidate.device->id : call_.home() ? call_.home()->id() : std::string();
    const rayo::ProfileTransfer *transfer = device.empty() ? nullptr : table_->transfer(device);
    if (call_.mixed()) {
      if (transfer == nullptr) return {};
      parts.transfer = rayo::moves_ns(*transfer, call_, on_device);
      parts.total += parts.transfer;
    } else if (place == key_.residency) {
      parts.transfer = 0;  // the operands are where it runs
    } else {
      // What the call takes where its operands are not, less what it takes where they are.
      const Best at_home = measured(candidate, place, best.threads, most_threads);
      if (at_home.parts.total >= 0) {
        parts.transfer = std::max(parts.total - at_home.parts.total, 0.0);
      } else if (transfer != nullptr) {
        parts.transfer = std::min(rayo::moves_ns(*transfer, call_, on_device), parts.total);
      }
    }
    if (parts.transfer < 0) return best;
    const double rest = std::max(parts.total - parts.transfer, 0.0);
    parts.launch = !on_device ? 0 : transfer == nullptr ? -1 : std::min(transfer->launch_ns, rest);
    if (parts.launch >= 0) parts.kernel = rest - parts.launch;
    return best;
  }

  const rayo::SelectTable *table_;
  const rayo::BoundCall &call_;
  rayo::TableKey key_;
  rayo::Features at_;
  const rayo::ProfileEntry *entry_ = nullptr;
  std::string layer_;
};

std::string time_text(double ns) {
  if (ns < 1e3) return fmt::format("{:.0f} ns", ns);
  if (ns < 1e6) return fmt::format("{:.3g} us", ns / 1e3);
  return ns < 1e9 ? fmt::format("{:.3g} ms", ns / 1e6) : fmt::format("{:.3g} s", ns / 1e9);
}

std::string threads_text(uint32_t threads) { return threads == 1 ? "1 thread" : fmt::format("{} threads", threads); }

bool measured_level(std::string_view level) { return level == "profile" || level == "class"; }

// "(transfers 1.2 ms, launch 20 us, kernel 300 us)"; "" where there is nothing but the kernel.
std::string parts_text(const Measured::Parts &parts) {
  if (parts.kernel < 0 || (parts.transfer <= 0 && parts.launch <= 0)) return "";
  return fmt::format(" (transfers {}, launch {}, kernel {})",
                     parts.transfer > 0 ? time_text(parts.transfer) : "within the noise", time_text(parts.launch),
                     time_text(parts.kernel));
}

// Why the chosen candidate was chosen.
std::string chosen_reason(const Measured &measured, const Candidate &candidate, std::string_view level,
                          const Measured::Parts &parts) {
  if (level == "forced") return "the device that was asked for";
  const uint32_t preference = candidate.kernel->owner->plugin->preference;
  if (level == "static") {
    return fmt::format("first in the static order that can run it (preference {}); {}", preference,
                       measured.why_static());
  }
  const double ns = parts.total;
  return fmt::format("fastest by the {}{}{}{}", measured.layer(), ns >= 0 ? ", at " + time_text(ns) : std::string(),
                     parts_text(parts), measured.extrapolated() ? ", beyond the sizes that were measured" : "");
}

// Why a candidate that could run the call was not chosen.
std::string other_reason(const Measured &measured, const Candidate &candidate, std::string_view level,
                         const Candidate &winner, double winner_ns) {
  const rayo::PluginRecord &plugin = *candidate.kernel->owner;
  const Measured::Best best = measured.best_of(candidate);
  if (measured_level(level) && best.threads != 0 && winner_ns > 0) {
    const double ratio = best.parts.total / winner_ns;
    const std::string how =
        candidate.device != nullptr
            ? parts_text(best.parts)
            : fmt::format(", at its best with {}{}", threads_text(best.threads), parts_text(best.parts));
    if (ratio < 1.05) return "as fast within the noise" + how;
    return fmt::format("{:.3g}x slower than {}{}", ratio, winner.place(), how);
  }
  if (measured_level(level)) return measured.why_not(plugin);
  return fmt::format("can run it; preference {} is below {}'s in the static order", plugin.plugin->preference,
                     winner.kernel->owner->name);
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
  const Candidate *winner = nullptr;
  double winner_ns = -1;
  std::vector<Candidate> candidates = list_candidates(*request.registry, call, request);
  const bool by_profile =
      std::any_of(candidates.begin(), candidates.end(), [](const Candidate &each) { return each.threads != 0; });
  bool possible = false;
  for (Candidate &candidate : candidates) {
    // A device that the call does not need is not opened for the sake of an explanation: that may take long. What was
    // measured of it is told all the same.
    const bool closed =
        candidate.device != nullptr && possible && !candidate.belongs && !runtime.devices->is_open(*candidate.device);
    if (closed && by_profile && measured.best_of(candidate).threads != 0) continue;
    if (closed) {
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
      const bool asked = candidate.device == nullptr || candidate.view != nullptr;
      entry.threads = asked ? try_prepare(candidate, call, &entry.reason) : 1;
      if (entry.threads == 0) {
        entry.state = RAYO_CANDIDATE_UNSUPPORTED;
      } else if (out->chosen < 0) {
        out->chosen = static_cast<int32_t>(out->entries.size());
        entry.state = RAYO_CANDIDATE_CHOSEN;
        winner = &candidate;
        if (candidate.threads != 0) out->level = measured.level();
        entry.predicted = measured.predicted(candidate, entry.threads);
        winner_ns = entry.predicted.total;
        entry.reason = candidate.belongs && call.home() && out->level == "static"
                           ? fmt::format("the call's tensors live on {}", entry.device)
                           : chosen_reason(measured, candidate, out->level, entry.predicted);
      } else if (candidate.device != nullptr && !measured_level(out->level)) {
        entry.reason = "can run it; data in host memory stays there without a measured profile";
      } else {
        entry.predicted = measured.best_of(candidate).parts;
        entry.reason = other_reason(measured, candidate, out->level, *winner, winner_ns);
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
    candidate.predicted_ns = entry.predicted.total;
    candidate.transfer_ns = entry.predicted.transfer;
    candidate.launch_ns = entry.predicted.launch;
    candidate.kernel_ns = entry.predicted.kernel;
    rayo::write_struct(out_candidate, candidate, RAYO_TYPE_CANDIDATE, "out_candidate");
  });
}

}  // extern "C"
