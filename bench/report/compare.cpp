// SPDX-License-Identifier: Apache-2.0
//
// Matching rows by key and judging the difference of their medians.
#include "compare.hpp"

#include <algorithm>
#include <map>

#include <fmt/core.h>

#include "tools/table.hpp"

namespace rayo::bench {
namespace {

double change(const Move &move) { return move.after_ns / move.before_ns; }

std::string list_text(const std::vector<Move> &moves) {
  tools::Table table({"BEFORE", "AFTER", "CHANGE", "ROW"});
  for (const Move &move : moves) {
    table.add_row({tools::duration_text(move.before_ns), tools::duration_text(move.after_ns),
                   fmt::format("{:+.1f}%", 100 * (change(move) - 1)), move.key});
  }
  return table.text();
}

nlohmann::json list_json(const std::vector<Move> &moves) {
  nlohmann::json list = nlohmann::json::array();
  for (const Move &move : moves) {
    list.push_back({{"row", move.key}, {"before_ns", move.before_ns}, {"after_ns", move.after_ns}});
  }
  return list;
}

}  // namespace

Comparison compare(const std::vector<Row> &now, const std::vector<Row> &baseline) {
  std::map<std::string, const Row *> before;
  for (const Row &row : baseline) before[row.key()] = &row;
  Comparison comparison;
  for (const Row &row : now) {
    const auto found = before.find(row.key());
    if (found == before.end()) {
      ++comparison.only_here;
      continue;
    }
    const Row &old = *found->second;
    before.erase(found);
    const Move move{row.key(), old.ns, row.ns};
    if (row.ns >= old.ns * kAlert && row.ns_interval.low > old.ns_interval.high) {
      comparison.slower.push_back(move);
    } else if (row.ns * kImprovement <= old.ns && row.ns_interval.high < old.ns_interval.low) {
      comparison.faster.push_back(move);
    } else {
      ++comparison.same;
    }
  }
  comparison.only_there = before.size();
  std::sort(comparison.slower.begin(), comparison.slower.end(),
            [](const Move &a, const Move &b) { return change(a) > change(b); });
  std::sort(comparison.faster.begin(), comparison.faster.end(),
            [](const Move &a, const Move &b) { return change(a) < change(b); });
  return comparison;
}

std::string comparison_text(const Comparison &comparison) {
  std::string text;
  if (!comparison.slower.empty()) text += "\nSlower than the baseline:\n\n" + list_text(comparison.slower);
  if (!comparison.faster.empty()) text += "\nFaster than the baseline:\n\n" + list_text(comparison.faster);
  return text + fmt::format(
                    "\nAgainst the baseline: {} slower, {} faster, {} within noise; {} rows only here, {} only in "
                    "the baseline.\n",
                    comparison.slower.size(), comparison.faster.size(), comparison.same, comparison.only_here,
                    comparison.only_there);
}

nlohmann::json to_json(const Comparison &comparison) {
  return {{"slower", list_json(comparison.slower)},
          {"faster", list_json(comparison.faster)},
          {"same", comparison.same},
          {"only_here", comparison.only_here},
          {"only_in_baseline", comparison.only_there}};
}

}  // namespace rayo::bench
