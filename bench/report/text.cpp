// SPDX-License-Identifier: Apache-2.0
//
// Tables.
#include "text.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/core.h>

#include "tools/table.hpp"

namespace rayo::bench {
namespace {

constexpr std::size_t kWorst = 15;
constexpr double kWorthSaying = 1.5;  // ULPs between two results that are both good

std::string call_text(const Row &row) { return row.attributes.empty() ? row.shape : row.shape + " " + row.attributes; }

std::string rate_text(const Row &row) {
  // Matrix products are judged by arithmetic, everything else by what it moves.
  if (row.operations > row.bytes) return fmt::format("{:.3g} GFLOP/s", row.operations / row.ns);
  return fmt::format("{:.3g} GB/s", row.bytes / row.ns);
}

std::string ratio_text(const Row &row) {
  if (!row.ratio) return "-";
  return fmt::format("{:.2f} [{:.2f} {:.2f}]", *row.ratio, row.ratio_interval.low, row.ratio_interval.high);
}

// The best peer, and what its speed costs where that is more than rounding.
std::string peer_text(const Row &row) {
  for (const PeerTime &peer : row.peers) {
    if (peer.name != row.best_peer) continue;
    return peer.ulps > kWorthSaying ? fmt::format("{} ~{:.0f}ulp", peer.name, peer.ulps) : peer.name;
  }
  return "-";
}

std::string threads_text(const Row &row) {
  return fmt::format("{}x{}{}", row.device, row.threads, row.output == "fresh" ? " fresh" : "");
}

std::string rows_table(const std::vector<const Row *> &rows) {
  tools::Table table({"OP", "TYPE", "SHAPE", "DEVICE", "TIME", "+-%", "RATE", "BEST PEER", "RATIO", "CEILING"});
  for (const Row *const row : rows) {
    table.add_row({row->op, row->dtype, call_text(*row), threads_text(*row), tools::duration_text(row->ns),
                   fmt::format("{:.0f}", 50 * row->spread), rate_text(*row), peer_text(*row), ratio_text(*row),
                   row->roofline ? fmt::format("{:.0f}% {}", 100 * *row->roofline, row->bound_by) : "-"});
  }
  return table.text();
}

// Geometric means of the ratios of one family, type, device and thread count.
std::string family_table(const std::vector<Row> &rows) {
  struct Group {
    std::vector<double> ratios;
    std::size_t behind = 0;
    double worst_low = 1e300;
  };
  std::map<std::vector<std::string>, Group> groups;
  for (const Row &row : rows) {
    if (!row.ratio) continue;
    Group &group = groups[{row.family, row.dtype, threads_text(row)}];
    group.ratios.push_back(*row.ratio);
    if (row.ratio_interval.low < 0.97) ++group.behind;
    group.worst_low = std::min(group.worst_low, row.ratio_interval.low);
  }
  if (groups.empty()) return "";
  tools::Table table({"FAMILY", "TYPE", "DEVICE", "GEOMETRIC MEAN", "LOWEST BOUND", "ROWS", "BELOW 0.97"});
  for (const auto &[name, group] : groups) {
    table.add_row({name[0], name[1], name[2], fmt::format("{:.3f}", geometric_mean(group.ratios)),
                   fmt::format("{:.2f}", group.worst_low), fmt::format("{}", group.ratios.size()),
                   fmt::format("{}", group.behind)});
  }
  return "\nRatio of the best peer's time to ours (1 and above: ahead):\n\n" + table.text();
}

std::string worst_table(const std::vector<Row> &rows) {
  std::vector<const Row *> worst;
  for (const Row &row : rows) {
    if (row.ratio && row.ratio_interval.low < 1) worst.push_back(&row);
  }
  if (worst.empty()) return "";
  std::sort(worst.begin(), worst.end(), [](const Row *a, const Row *b) { return *a->ratio < *b->ratio; });
  if (worst.size() > kWorst) worst.resize(kWorst);
  return "\nFurthest behind:\n\n" + rows_table(worst);
}

std::string refused_text(const std::vector<Row> &rows) {
  std::set<std::string> lines;
  for (const Row &row : rows) {
    for (const Refusal &refusal : row.refused) {
      lines.insert(fmt::format("  {} {} {} {}: {}\n", refusal.name, row.op, row.dtype, call_text(row), refusal.reason));
    }
  }
  std::string text;
  for (const std::string &line : lines) text += line;
  return text.empty() ? "" : "\nNot counted, as the result is another one:\n" + text;
}

std::string machine_text(const nlohmann::json &machine) {
  std::string text = fmt::format("{}, {} CPUs; {}; load {}\n", machine.value("cpu", "?"), machine.value("cpus", 0),
                                 machine.value("date", "?"), machine.value("load", "?"));
  for (const nlohmann::json &ceiling : machine.value("ceilings", nlohmann::json::array())) {
    const auto &points = ceiling.at("bandwidth_gb_s");
    text += fmt::format(
        "ceilings ({} x{}): f32 {:.0f}, f64 {:.0f} GFLOP/s; FMA latency {:.2f} ns; copy {:.0f} GB/s ({:.0f} KiB) to "
        "{:.1f} GB/s ({:.0f} MiB)\n",
        ceiling.at("isa").get<std::string>(), ceiling.at("threads").get<int>(), ceiling.at("gflops_f32").get<double>(),
        ceiling.at("gflops_f64").get<double>(), ceiling.at("fma_latency_ns_f32").get<double>(),
        points.front().at("copy").get<double>(), points.front().at("bytes").get<double>() / 1024,
        points.back().at("copy").get<double>(), points.back().at("bytes").get<double>() / (1024 * 1024));
  }
  for (const nlohmann::json &peer : machine.value("peers", nlohmann::json::array())) {
    text += fmt::format("peer {}: {}\n", peer.at("name").get<std::string>(), peer.at("version").get<std::string>());
  }
  return text;
}

}  // namespace

std::string text_report(const nlohmann::json &machine, const std::vector<Row> &rows) {
  std::vector<const Row *> all;
  for (const Row &row : rows) all.push_back(&row);
  return machine_text(machine) + "\n" + rows_table(all) + family_table(rows) + worst_table(rows) + refused_text(rows);
}

}  // namespace rayo::bench
