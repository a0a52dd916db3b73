// SPDX-License-Identifier: Apache-2.0
#include "tuner/table.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "tuner/model.hpp"

namespace rayo {
namespace {

constexpr uint32_t kNoChoice = UINT32_MAX;

// "T=f32" as the values of an op's type variables; false when it is none.
bool parse_types(const std::string &text, BoundTypes *out) {
  try {
    size_t begin = 0;
    while (begin < text.size()) {
      const size_t end = std::min(text.find(' ', begin), text.size());
      const size_t equals = text.find('=', begin);
      DLDataType dtype{};
      if (equals == std::string::npos || equals > end ||
          !parse_dtype(text.substr(equals + 1, end - equals - 1), &dtype)) {
        return false;
      }
      out->emplace_back(text.substr(begin, equals - begin), dtype);
      begin = end + 1;
    }
  } catch (const std::exception &) {
    return false;
  }
  return true;
}

bool takes(const KernelRecord &record, const BoundTypes &types) {
  return std::all_of(types.begin(), types.end(), [&](const auto &bound) {
    const auto legal = record.types.find(bound.first);
    return legal != record.types.end() && std::any_of(legal->second.begin(), legal->second.end(),
                                                      [&](DLDataType each) { return same_dtype(each, bound.second); });
  });
}

bool runs_on_host(const KernelRecord &record) { return (record.kernel->flags & RAYO_KERNEL_DEVICE) == 0; }

// Do the entry's stored rows for `threads` choose usable candidates alone? Then they stand as they are.
bool stored_rows_stand(const ProfileEntry &entry, uint32_t threads, const std::vector<bool> &usable) {
  bool any = false;
  for (const ChoiceRow &row : entry.choices) {
    if (row.threads != threads) continue;
    any = true;
    for (const uint32_t c : row.candidate) {
      if (!usable[c] || entry.candidates[c].threads > threads) return false;
    }
  }
  return any;
}

}  // namespace

SelectTable::SelectTable(const Registry &registry, MergedProfile profile)
    : registry_(registry),
      profile_(std::move(profile)),
      residencies_(static_cast<uint32_t>(registry.devices().size()) + 1) {
  entry_choices_.resize(profile_.entries.size());
  for (size_t i = 0; i < profile_.entries.size(); ++i) compile(i);
}

Residency SelectTable::residency_of(std::string_view device) const noexcept {
  const auto &devices = registry_.devices();
  for (size_t d = 0; d < devices.size(); ++d) {
    if (devices[d].id == device) return static_cast<Residency>(d) + 1;
  }
  return residencies_;
}

SelectTable::Slot *SelectTable::make_slot(const TableKey &key) {
  if (op_tables_.size() <= key.op) op_tables_.resize(key.op + 1, 0);
  if (op_tables_[key.op] == 0) {
    type_slots_.resize(type_slots_.size() + kTypeIndices, 0);
    op_tables_[key.op] = static_cast<uint32_t>(type_slots_.size() / kTypeIndices);
  }
  uint32_t &first = type_slots_[(op_tables_[key.op] - 1) * kTypeIndices + key.types];
  if (first == 0) {
    first = static_cast<uint32_t>(slots_.size()) + 1;
    slots_.resize(slots_.size() + size_t{kLayouts} * residencies_);
  }
  return &slots_[first - 1 + key.layout * residencies_ + key.residency];
}

const SelectTable::Slot *SelectTable::slot_at(const TableKey &key) const noexcept {
  if (key.op >= op_tables_.size() || op_tables_[key.op] == 0) return nullptr;
  const uint32_t first = type_slots_[(op_tables_[key.op] - 1) * kTypeIndices + key.types];
  if (first == 0 || key.residency >= residencies_) return nullptr;
  return &slots_[first - 1 + key.layout * residencies_ + key.residency];
}

// One choice per candidate that may run here; kNoChoice for the others.
std::vector<uint32_t> SelectTable::choices_of(const MergedEntry &merged,
                                              const std::vector<const KernelRecord *> &kernels) {
  std::vector<uint32_t> out;
  for (size_t c = 0; c < merged.entry.candidates.size(); ++c) {
    const ProfileCandidate &candidate = merged.entry.candidates[c];
    const PluginRecord *plugin = registry_.find_plugin(profile_.plugins[candidate.plugin].name);
    uint32_t numerics = UINT32_MAX;
    for (const KernelRecord *record : kernels) {
      if (record->owner == plugin) numerics = std::min(numerics, record->kernel->numerics);
    }
    const auto &devices = registry_.devices();
    const auto device = std::find_if(devices.begin(), devices.end(),
                                     [&](const DeviceRecord &each) { return each.id == candidate.device; });
    if (!merged.holds[c] || plugin == nullptr || numerics == UINT32_MAX || device == devices.end()) {
      out.push_back(kNoChoice);
      continue;
    }
    choices_.push_back({plugin, static_cast<uint32_t>(device - devices.begin()), candidate.threads});
    numerics_.push_back(numerics);
    out.push_back(static_cast<uint32_t>(choices_.size()) - 1);
  }
  return out;
}

// The plugin that the static order would try first must have been measured: a profile may only turn down what it knows.
std::string SelectTable::unmeasured_first(const MergedEntry &merged, const std::vector<const KernelRecord *> &kernels,
                                          const BoundTypes &types) const {
  const ProfileEntry &entry = merged.entry;
  for (const KernelRecord *record : kernels) {  // in the static order
    if (!runs_on_host(*record) || !takes(*record, types)) continue;
    const std::string &name = record->owner->name;
    const auto is_it = [&](const auto &each) { return profile_.plugins[each.plugin].name == name; };
    bool measured = false;
    for (size_t c = 0; c < entry.candidates.size(); ++c)
      measured = measured || (merged.holds[c] && is_it(entry.candidates[c]));
    bool rejected = false;
    for (size_t r = 0; r < entry.rejected.size(); ++r)
      rejected = rejected || (merged.rejects[r] && is_it(entry.rejected[r]));
    if (measured) return "";
    if (rejected) continue;
    const std::string why = dropped(name);
    return fmt::format("the {} does not count here: of {}, first in the static order, nothing measured holds{}{}",
                       merged.layer, name, why.empty() ? "" : ": ", why);
  }
  return "";
}

// Data stays on its device unless a move was measured to be cheaper than what the device itself takes.
std::string SelectTable::unmeasured_home(const MergedEntry &merged) const {
  const ProfileEntry &entry = merged.entry;
  for (size_t c = 0; c < entry.candidates.size(); ++c) {
    if (merged.holds[c] && entry.candidates[c].device == entry.residency) return "";
  }
  return fmt::format("the {} does not count here: of {} itself nothing measured holds", merged.layer, entry.residency);
}

void SelectTable::compile(size_t index) {
  const MergedEntry &merged = profile_.entries[index];
  const ProfileEntry &entry = merged.entry;
  TableKey key;
  BoundTypes types;
  key.op = find_op(entry.op);
  if (key.op == RAYO_OP_NONE || !parse_types(entry.types, &types) || !parse_layout(entry.layout, &key.layout)) return;
  key.types = type_index(types);
  if (entry.residency != "host") {
    const auto &devices = registry_.devices();
    const auto device = std::find_if(devices.begin(), devices.end(),
                                     [&](const DeviceRecord &each) { return each.id == entry.residency; });
    if (device == devices.end()) return;
    key.residency = static_cast<uint32_t>(device - devices.begin()) + 1;
  }
  const std::vector<const KernelRecord *> &kernels = registry_.kernels(key.op);
  const std::vector<uint32_t> choices = choices_of(merged, kernels);
  entry_choices_[index] = choices;
  Slot *slot = make_slot(key);
  if (slot->entry >= 0) return;
  slot->entry = static_cast<int32_t>(index);
  std::string why = key.residency == 0 ? unmeasured_first(merged, kernels, types) : unmeasured_home(merged);
  if (!why.empty()) {
    unused_[index] = std::move(why);
    return;
  }
  for (uint32_t policy = 0; policy < kPolicies; ++policy) compile_policy(entry, choices, policy, slot);
}

// Policies that mask the same candidates share their variants.
void SelectTable::compile_policy(const ProfileEntry &entry, const std::vector<uint32_t> &choices, uint32_t policy,
                                 Slot *slot) {
  const auto usable_under = [&](uint32_t p) {
    std::vector<bool> usable;
    for (const uint32_t choice : choices) usable.push_back(choice != kNoChoice && numerics_[choice] <= p + 1);
    return usable;
  };
  const std::vector<bool> usable = usable_under(policy);
  if (policy > 0 && usable == usable_under(policy - 1)) {
    slot->first_variant[policy] = slot->first_variant[policy - 1];
    slot->variants[policy] = slot->variants[policy - 1];
    return;
  }
  slot->first_variant[policy] = static_cast<uint32_t>(variants_.size());
  for (const uint32_t threads : thread_counts(entry)) add_variant(entry, choices, threads, usable);
  slot->variants[policy] = static_cast<uint32_t>(variants_.size()) - slot->first_variant[policy];
}

void SelectTable::add_variant(const ProfileEntry &entry, const std::vector<uint32_t> &choices, uint32_t threads,
                              const std::vector<bool> &usable) {
  const bool stored = stored_rows_stand(entry, threads, usable);
  const std::vector<ChoiceRow> derived =
      stored ? std::vector<ChoiceRow>() : derive_choices(entry, threads, [&](uint32_t c) { return usable[c]; });
  Variant variant;
  variant.threads = threads;
  for (const ChoiceRow &row : stored ? entry.choices : derived) {
    if (row.threads != threads) continue;
    ClassRows &rows = variant.classes[row.shape_class];
    // Rows of a class come level after level; one that does not is left out.
    if (rows.rows == 0) {
      rows.first_level = row.level;
      rows.first_row = static_cast<uint32_t>(rows_.size());
    } else if (row.level != rows.first_level + static_cast<int32_t>(rows.rows) ||
               rows.first_row + rows.rows != rows_.size()) {
      continue;
    }
    ++rows.rows;
    const auto begin = static_cast<uint32_t>(from_.size());
    for (size_t i = 0; i < row.from.size(); ++i) {
      from_.push_back(row.from[i]);
      choice_.push_back(choices[row.candidate[i]]);
    }
    rows_.push_back({begin, static_cast<uint32_t>(from_.size())});
  }
  variants_.push_back(variant);
}

const TableChoice *SelectTable::find(const TableKey &key, const Features &at) const noexcept {
  const Slot *slot = slot_at(key);
  if (slot == nullptr || slot->entry < 0) return nullptr;
  const uint32_t policy = key.policy - 1;
  const uint32_t count = slot->variants[policy];
  if (count == 0) return nullptr;
  const Variant *variant = &variants_[slot->first_variant[policy]];
  for (uint32_t i = 1; i < count && variant[1].threads <= key.threads; ++i) ++variant;
  if (variant->threads > key.threads) return nullptr;
  const ClassRows &rows = variant->classes[at.shape_class];
  if (rows.rows == 0) return nullptr;
  const int32_t level = std::clamp(at.level - rows.first_level, 0, static_cast<int32_t>(rows.rows) - 1);
  const Row row = rows_[rows.first_row + static_cast<uint32_t>(level)];
  uint32_t chosen = row.begin;
  while (chosen + 1 < row.end && from_[chosen + 1] <= at.volume) ++chosen;  // rows have a handful of breakpoints
  return &choices_[choice_[chosen]];
}

const ProfileEntry *SelectTable::entry(const TableKey &key, std::string *out_layer) const {
  const Slot *slot = slot_at(key);
  if (slot == nullptr || slot->entry < 0) return nullptr;
  const MergedEntry &merged = profile_.entries[static_cast<size_t>(slot->entry)];
  if (out_layer != nullptr) *out_layer = merged.layer;
  return &merged.entry;
}

const TableChoice *SelectTable::choice_of(const ProfileEntry &entry, uint32_t candidate, uint32_t policy) const {
  for (size_t i = 0; i < profile_.entries.size(); ++i) {
    if (&profile_.entries[i].entry != &entry || candidate >= entry_choices_[i].size()) continue;
    const uint32_t choice = entry_choices_[i][candidate];
    return choice == kNoChoice || numerics_[choice] > policy ? nullptr : &choices_[choice];
  }
  return nullptr;
}

const ProfileTransfer *SelectTable::transfer(std::string_view device) const {
  const auto found = std::find_if(profile_.transfers.begin(), profile_.transfers.end(),
                                  [&](const ProfileTransfer &each) { return each.device == device; });
  return found == profile_.transfers.end() ? nullptr : &*found;
}

int32_t SelectTable::candidate_device(const ProfileEntry &entry, uint32_t candidate) const {
  for (const MergedEntry &merged : profile_.entries) {
    if (&merged.entry != &entry) continue;
    if (!merged.holds[candidate]) return -1;
    const auto &devices = registry_.devices();
    for (size_t d = 0; d < devices.size(); ++d) {
      if (devices[d].id == entry.candidates[candidate].device) return static_cast<int32_t>(d);
    }
  }
  return -1;
}

std::string SelectTable::wrong_result(const TableKey &key, const PluginRecord &plugin) const {
  const Slot *slot = slot_at(key);
  if (slot == nullptr || slot->entry < 0) return "";
  const MergedEntry &merged = profile_.entries[static_cast<size_t>(slot->entry)];
  for (size_t r = 0; r < merged.entry.rejected.size(); ++r) {
    const ProfileRejection &rejection = merged.entry.rejected[r];
    if (merged.rejects[r] && profile_.plugins[rejection.plugin].name == plugin.name) return rejection.reason;
  }
  return "";
}

std::string SelectTable::dropped(const std::string &plugin) const {
  const auto it = profile_.dropped.find(plugin);
  return it == profile_.dropped.end() ? std::string() : it->second;
}

std::string SelectTable::unused(const TableKey &key) const {
  const Slot *slot = slot_at(key);
  if (slot == nullptr || slot->entry < 0) return "";
  const auto it = unused_.find(static_cast<size_t>(slot->entry));
  return it == unused_.end() ? std::string() : it->second;
}

}  // namespace rayo
