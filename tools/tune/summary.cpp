// SPDX-License-Identifier: Apache-2.0
#include "summary.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "tools/table.hpp"
#include "tuner/model.hpp"

namespace rayo::tools::tune {
namespace {

using nlohmann::json;

std::string candidate_text(const ProfileEntry &entry, uint32_t candidate) {
  const ProfileCandidate &c = entry.candidates[candidate];
  return c.threads == 1 ? c.device : fmt::format("{} x{}", c.device, c.threads);
}

std::string volume_text(uint64_t volume) {
  if (volume < 10'000) return fmt::format("{}", volume);
  const double v = static_cast<double>(volume);
  return volume < 10'000'000 ? fmt::format("{:.3g}k", v / 1e3) : fmt::format("{:.3g}M", v / 1e6);
}

// The row that says most of an entry: of its first measured surface, for calls with all threads.
const ChoiceRow *main_row(const ProfileEntry &entry) {
  if (entry.surfaces.empty() || entry.candidates.empty()) return nullptr;
  const auto widest =
      std::max_element(entry.surfaces.begin(), entry.surfaces.end(),
                       [](const Surface &a, const Surface &b) { return a.volumes.size() < b.volumes.size(); });
  const uint32_t threads = thread_counts(entry).back();
  for (const ChoiceRow &row : entry.choices) {
    if (row.threads == threads && row.shape_class == widest->shape_class && row.level == widest->level) return &row;
  }
  return nullptr;
}

std::string row_text(const ProfileEntry &entry, const ChoiceRow &row) {
  std::string text = candidate_text(entry, row.candidate[0]);
  for (std::size_t i = 1; i < row.from.size(); ++i) {
    text += fmt::format(", {} from {}", candidate_text(entry, row.candidate[i]), volume_text(row.from[i]));
  }
  return text;
}

std::string place_text(const ProfileEntry &entry) {
  return entry.residency == "host" ? entry.layout : fmt::format("{} on {}", entry.layout, entry.residency);
}

std::string move_text(double latency_ns, double bytes_per_ns) {
  return fmt::format("{} + {:.3g} GB/s", duration_text(latency_ns), bytes_per_ns);
}

void print_transfers(const std::vector<ProfileTransfer> &transfers) {
  if (transfers.empty()) return;
  Table table({"DEVICE", "SMALLEST CALL", "MEMORY", "TO IT", "FROM IT"});
  for (const ProfileTransfer &each : transfers) {
    table.add_row({each.device, duration_text(each.launch_ns), "any",
                   move_text(each.to_latency_ns, each.to_bytes_per_ns),
                   move_text(each.from_latency_ns, each.from_bytes_per_ns)});
    if (!each.has_pinned) continue;
    table.add_row({"", "", "pinned", move_text(each.pinned_to_latency_ns, each.pinned_to_bytes_per_ns),
                   move_text(each.pinned_from_latency_ns, each.pinned_from_bytes_per_ns)});
  }
  fmt::print("\n{}", table.text());
}

constexpr std::size_t kMostRows = 60;

}  // namespace

void print_summary(const Profile &profile, const Outcome &outcome, const std::string &file, double seconds) {
  Table table({"OP", "TYPES", "LAYOUT", "FASTEST (BY VOLUME)"});
  std::size_t rows = 0;
  for (const ProfileEntry &entry : profile.entries) {
    const ChoiceRow *row = main_row(entry);
    if (row == nullptr || ++rows > kMostRows) continue;
    table.add_row({entry.op, entry.types, place_text(entry), row_text(entry, *row)});
  }
  fmt::print("{}", table.text());
  if (rows > kMostRows) fmt::print("... and {} more in the profile\n", rows - kMostRows);
  print_transfers(profile.transfers);
  for (const std::string &note : outcome.notes) fmt::print("{}\n", wrap("note: " + note, 80, 2));
  std::size_t crossovers = 0;
  for (const ProfileEntry &entry : profile.entries) {
    for (const ChoiceRow &row : entry.choices) crossovers += row.from.size() - 1;
  }
  fmt::print("\n{} of {} entries measured in {:.1f} s ({} points, {} crossovers){}.\n", outcome.measured, outcome.jobs,
             seconds, outcome.points, crossovers,
             outcome.kept > 0 ? fmt::format(", {} kept from before", outcome.kept) : "");
  fmt::print("Profile: {}\n", file);
  if (outcome.interrupted) fmt::print("Interrupted: what is measured is kept; rayo tune --resume measures the rest.\n");
}

json summary_json(const Profile &profile, const Outcome &outcome, const std::string &file, double seconds) {
  json entries = json::array();
  for (const ProfileEntry &entry : profile.entries) {
    json choices = json::array();
    if (const ChoiceRow *row = main_row(entry)) {
      for (std::size_t i = 0; i < row->from.size(); ++i) {
        const ProfileCandidate &c = entry.candidates[row->candidate[i]];
        choices.push_back({{"from", row->from[i]}, {"device", c.device}, {"threads", c.threads}});
      }
    }
    entries.push_back({{"op", entry.op},
                       {"types", entry.types},
                       {"layout", entry.layout},
                       {"residency", entry.residency},
                       {"choices", choices}});
  }
  json transfers = json::array();
  for (const ProfileTransfer &each : profile.transfers) {
    transfers.push_back({{"device", each.device},
                         {"launch_ns", each.launch_ns},
                         {"to_latency_ns", each.to_latency_ns},
                         {"to_bytes_per_ns", each.to_bytes_per_ns},
                         {"from_latency_ns", each.from_latency_ns},
                         {"from_bytes_per_ns", each.from_bytes_per_ns}});
  }
  return {{"profile", file},          {"complete", !outcome.interrupted}, {"seconds", seconds},
          {"jobs", outcome.jobs},     {"measured", outcome.measured},     {"kept", outcome.kept},
          {"points", outcome.points}, {"notes", outcome.notes},           {"transfers", transfers},
          {"entries", entries}};
}

void print_regret(const Regret &regret) {
  constexpr std::size_t kShown = 8;
  Table table({"OP", "TYPE", "CHOSEN", "BEST", "REGRET", "SHAPE"});
  for (std::size_t i = 0; i < std::min(kShown, regret.rows.size()); ++i) {
    const RegretRow &row = regret.rows[i];
    table.add_row({row.op, row.dtype, fmt::format("{} {}", row.chosen, duration_text(row.chosen_ns)),
                   fmt::format("{} {}", row.best, duration_text(row.best_ns)), fmt::format("{:.3f}", row.regret),
                   row.shape});
  }
  fmt::print("The worst of {} random calls:\n{}", regret.rows.size(), table.text());
  fmt::print(
      "\nRegret (time of the choice over the best of all): median {:.3f} (limit {:.2f}), 95th percentile {:.3f} "
      "(limit {:.2f}); {} of {} by the profile.\n",
      regret.median, kMostMedianRegret, regret.p95, kMostP95Regret, regret.by_profile, regret.rows.size());
}

json regret_json(const Regret &regret) {
  json rows = json::array();
  for (const RegretRow &row : regret.rows) {
    rows.push_back({{"op", row.op},
                    {"dtype", row.dtype},
                    {"shape", row.shape},
                    {"chosen", row.chosen},
                    {"chosen_ns", row.chosen_ns},
                    {"best", row.best},
                    {"best_ns", row.best_ns},
                    {"regret", row.regret}});
  }
  return {{"calls", regret.rows.size()},
          {"median", regret.median},
          {"p95", regret.p95},
          {"by_profile", regret.by_profile},
          {"limits", {{"median", kMostMedianRegret}, {"p95", kMostP95Regret}}},
          {"rows", rows}};
}

}  // namespace rayo::tools::tune
