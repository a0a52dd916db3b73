// SPDX-License-Identifier: Apache-2.0
//
// Device profiles and the choice that follows from them, at the C boundary.
#include "capi/profile.hpp"

#include <rayo/profile.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>

#include "base/error.hpp"
#include "capi/plan.hpp"
#include "capi/structs.hpp"
#include "dispatch/choose.hpp"

namespace rayo {

uint64_t next_generation() noexcept {
  static std::atomic<uint64_t> generations{0};
  return generations.fetch_add(1, std::memory_order_relaxed) + 1;
}

void publish_profile(rayo_runtime *runtime, const std::optional<ProfileSources> &sources) {
  std::unique_ptr<SelectTable> table;
  if (sources) {
    MergedProfile merged = load_layers(*sources, *runtime->registry, runtime->log);
    if (!merged.entries.empty() || !merged.dropped.empty()) {
      table = std::make_unique<SelectTable>(*runtime->registry, std::move(merged));
    }
  }
  const SelectTable *next = table.get();
  if (table != nullptr) runtime->tables.push_back(std::move(table));
  runtime->profile_in_use = sources;
  runtime->table.store(next, std::memory_order_release);
  runtime->generation.store(next_generation(), std::memory_order_release);  // eager calls bind anew
}

namespace {

rayo_selection bound_selection(const Plan &plan, uint32_t level) {
  rayo_selection out{};
  out.device = plan.kernel().owner->name.c_str();
  out.plugin = plan.kernel().owner->name.c_str();
  out.kernel = plan.kernel().kernel->name;
  out.threads = plan.threads();
  out.level = level;
  return out;
}

}  // namespace
}  // namespace rayo

extern "C" {

rayo_status rayo_runtime_load_profile(rayo_runtime *runtime, const char *file) {
  return rayo::fence([&] {
    if (runtime == nullptr) rayo::fail(RAYO_INVALID_ARGUMENT, "runtime is NULL: create one with rayo_runtime_create");
    std::optional<rayo::ProfileSources> sources;
    if (file == nullptr || std::strcmp(file, "none") != 0) {
      sources = runtime->profile_sources;
      if (file != nullptr) sources->application = file;
    }
    const std::lock_guard lock(runtime->change_mutex);
    rayo::publish_profile(runtime, sources);
  });
}

size_t rayo_profile_path(char *buf, size_t cap) {
  std::string path;
  if (rayo::fence([&] { path = rayo::user_profile_path(); }) != RAYO_OK) return 0;
  if (buf != nullptr && cap > 0) {
    const size_t length = std::min(path.size(), cap - 1);
    std::memcpy(buf, path.data(), length);
    buf[length] = '\0';
  }
  return path.size();
}

rayo_status rayo_plan_select(const rayo_plan *plan, rayo_selection *out_selection) {
  if (plan == nullptr || out_selection == nullptr || out_selection->struct_size < sizeof(rayo_struct) ||
      out_selection->struct_type != RAYO_TYPE_SELECTION) {
    rayo::set_last_error(plan == nullptr ? "plan is NULL"
                                         : "out_selection is NULL, or its struct_size and struct_type are not set");
    return RAYO_INVALID_ARGUMENT;
  }
  const rayo::Plan &bound = plan->plan;
  if (bound.closed() || bound.unloaded()) return rayo::fence([&] { bound.check_usable(); });
  const rayo::BoundCall &call = bound.call();
  const rayo::Features at = rayo::features_of(call);
  rayo_selection selection = rayo::bound_selection(bound, bound.automatic() ? RAYO_LEVEL_STATIC : RAYO_LEVEL_FORCED);
  selection.layout = rayo::layout_of(call.desc(), call.compact());
  const rayo::SelectTable *table = plan->runtime->table.load(std::memory_order_acquire);
  if (bound.automatic() && table != nullptr) {
    // Operands in both places: what was chosen when the plan was bound stays.
    const rayo::TableChoice *choice =
        call.mixed()
            ? bound.profile_choice()
            : table->find(
                  rayo::table_key(*table, call, call.desc().numerics, call.desc().max_threads, selection.layout), at);
    if (choice != nullptr) {
      // Where binding had to take another kernel than this choice, that one stays the answer.
      if (choice->plugin == bound.kernel().owner || choice != bound.profile_choice()) {
        selection.device = table->registry().devices()[choice->device].id.c_str();
      }
      if (choice != bound.profile_choice()) {
        selection.plugin = choice->plugin->name.c_str();
        selection.threads = choice->threads;
        if (choice->plugin != bound.kernel().owner) selection.kernel = "";
      }
      selection.level = choice->plugin == bound.kernel().owner || choice != bound.profile_choice() ? RAYO_LEVEL_PROFILE
                                                                                                   : RAYO_LEVEL_STATIC;
    }
  }
  selection.shape_class = at.shape_class;
  selection.shape_level = at.level;
  selection.volume = at.volume;
  const size_t bytes = std::min<size_t>(out_selection->struct_size, sizeof selection) - sizeof(rayo_struct);
  std::memcpy(reinterpret_cast<char *>(out_selection) + sizeof(rayo_struct),
              reinterpret_cast<const char *>(&selection) + sizeof(rayo_struct), bytes);
  return RAYO_OK;
}

}  // extern "C"
