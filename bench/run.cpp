// SPDX-License-Identifier: Apache-2.0
//
// The loop over items: bind ours, bind and check the peers, hold the contest, write rows.
#include "run.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <map>
#include <memory>

#include <fmt/core.h>

#include "bench/measure/ceilings.hpp"
#include "bench/measure/contest.hpp"
#include "bench/measure/ours.hpp"
#include "bench/peers/host.hpp"
#include "bench/report/row.hpp"
#include "machine.hpp"

namespace rayo::bench {
namespace {

using nlohmann::json;

// How long readings are and how many: the more, the tighter the intervals.
struct Effort {
  double reading_ns;
  int least_rounds, most_rounds;
};

Effort effort_of(Depth depth) {
  if (depth == Depth::smoke) return {2e4, 5, 5};
  if (depth == Depth::quick) return {3e5, 5, 9};
  return {1e6, 7, 21};
}

struct Competitors {
  std::vector<std::unique_ptr<Ours>> ours;
  std::vector<PeerWork> peer_work;  // keeps the peers' state
  std::vector<Contestant> all;      // ours first
  std::vector<double> peer_ulps;    // beside peer_work
  std::vector<Refusal> refused;
};

constexpr double kShortestReading = 1e5;  // ns, when the budget is short: some hundred times what a clock costs

class Bench {
 public:
  Bench(const BenchOptions &options, const std::string &isa, const volatile std::sig_atomic_t *stop)
      : options_(options),
        isa_(isa),
        stop_(stop),
        // Before the runtime: plugins may load libraries that peers want to configure.
        peers_(options.peers ? PeerSet(options.peer_folder, isa) : PeerSet()),
        session_(options.session) {
    for (const std::string &device : options.devices) session_.check_device(device);
    collect_items();
  }

  json run() {
    machine_ = describe_machine(session_);
    for (const uint32_t threads : options_.threads) {
      progress(fmt::format("ceilings, {} thread{}", threads, threads == 1 ? "" : "s"));
      ceilings_[threads] = measure_ceilings(isa_, threads, options_.selection.depth != Depth::full);
      json ceilings = to_json(ceilings_[threads]);
      machine_["ceilings"].push_back(ceilings);
    }
    describe_peers();
    const double end = now_ns(Clock::wall) + 1e9 * options_.budget_s;
    const std::size_t total = items_.size() * options_.threads.size();
    std::size_t done = 0;
    for (const auto &[op, item] : items_) {
      for (const uint32_t threads : options_.threads) {
        if (*stop_ != 0) break;
        const double left = (end - now_ns(Clock::wall)) / static_cast<double>(total - done);
        const double budget = options_.budget_s > 0 ? std::max(left, 0.0) : 3e9;
        progress(fmt::format("{}/{} {} {} {}", ++done, total, item.op, item.dtype, item.shape_text()));
        measure_item(op, item, threads, budget);
      }
    }
    progress("");
    return {{"machine", machine_}, {"rows", rows_}, {"skipped", skipped_}, {"interrupted", *stop_ != 0}};
  }

 private:
  void collect_items() {
    std::vector<rayo_op_info> ops;
    for (const std::string &name : options_.ops) ops.push_back(session_.find_op(name));
    if (options_.ops.empty()) ops = session_.ops();
    for (const rayo_op_info &op : ops) {
      for (WorkItem &item : work_of(op, options_.selection)) items_.emplace_back(op, std::move(item));
    }
  }

  void describe_peers() {
    machine_["peers"] = json::array();
    for (const rayo_peer *const peer : peers_.peers()) {
      machine_["peers"].push_back({{"name", peer->name}, {"version", peer->version}, {"isa", isa_}});
    }
    machine_["peers_not_used"] = json::array();
    for (const Refusal &refusal : peers_.refusals()) {
      machine_["peers_not_used"].push_back({{"name", refusal.name}, {"reason", refusal.reason}});
    }
  }

  void progress(const std::string &text) const {
    if (isatty(STDERR_FILENO) == 0) return;
    fmt::print(stderr, "\r\033[K{}", text);
    std::fflush(stderr);
  }

  void skip(const WorkItem &item, const std::string &device, const std::string &reason) {
    skipped_.push_back(
        {{"op", item.op}, {"dtype", item.dtype}, {"shape", item.shape_text()}, {"device", device}, {"reason", reason}});
  }

  void measure_item(const rayo_op_info &op, const WorkItem &item, uint32_t threads, double budget_ns) {
    Operands operands(session_, op, item);
    Competitors competitors;
    enter_ours(item, operands, threads, competitors);
    if (competitors.ours.empty()) return;
    enter_peers(item, operands, threads, competitors);
    for (const bool fresh : {false, true}) {
      if (fresh && !options_.fresh) break;
      ContestOptions contest = contest_options(operands, threads, fresh, budget_ns / (options_.fresh ? 2 : 1));
      // A small share of the budget is spent on shorter readings, not on fewer than the least rounds.
      const double share =
          contest.budget_ns / (2.0 * contest.least_rounds * static_cast<double>(competitors.all.size()));
      contest.reading_ns = std::clamp(share, std::min(kShortestReading, contest.reading_ns), contest.reading_ns);
      const std::vector<Readings> readings = run_contest(competitors.all, contest);
      for (std::size_t i = 0; i < competitors.ours.size(); ++i) {
        if (readings[i].ns.empty()) continue;
        Row row = describe(item, operands, threads, fresh);
        row.device = competitors.all[i].name;
        judge(row, i, readings, competitors);
        if (const auto bound =
                item.bounded ? least_time(ceilings_[threads], demand_of(item, operands)) : std::nullopt) {
          row.roofline = bound->ns / row.ns;
          row.bound_by = bound->by;
        }
        rows_.push_back(to_json(row));
      }
    }
  }

  // Binds our devices and computes the result that peers are checked against; inputs become positive where the op has
  // no value on some of the usual ones.
  void enter_ours(const WorkItem &item, Operands &operands, uint32_t threads, Competitors &competitors) {
    for (const std::string &device : options_.devices) {
      try {
        auto ours = std::make_unique<Ours>(session_, operands, device, threads);
        const bool twice = std::any_of(competitors.ours.begin(), competitors.ours.end(),
                                       [&](const auto &other) { return other->device() == ours->device(); });
        if (!twice) competitors.ours.push_back(std::move(ours));  // "auto" may be a device that is also named
      } catch (const tools::CommandError &error) {
        if (error.status() != RAYO_UNSUPPORTED && error.status() != RAYO_NOT_FOUND) throw;
        skip(item, device, error.what());
      }
    }
    for (const auto &ours : competitors.ours) competitors.all.push_back(ours->contestant());
    if (competitors.ours.empty()) return;
    const std::vector<void *> outputs = operands.output_addresses();
    const Contestant &first = competitors.all.front();
    if (first.run(first.work, outputs.data()) == 0) throw tools::CommandError(RAYO_INTERNAL, tools::last_error());
    if (!operands.output_has_nan()) return;
    operands.make_positive();
    first.run(first.work, outputs.data());
  }

  void enter_peers(const WorkItem &item, Operands &operands, uint32_t threads, Competitors &competitors) const {
    if (peers_.peers().empty()) return;
    const std::vector<tools::HostTensor> reference = copy_outputs(operands);
    const std::vector<void *> outputs = operands.output_addresses();
    const bool elementwise = operands.output_elements() >= operands.input_elements() && item.operations == 0;
    const double length = std::max(1.0, operands.input_elements() / operands.output_elements());
    for (const rayo_peer *const peer : peers_.peers()) {
      PeerWork work(*peer, operands, threads);
      if (!work) continue;
      operands.poison_outputs();
      std::string wrong = peer->run(work.get(), outputs.data()) == 0 ? "it failed" : "";
      for (std::size_t i = 0; i < reference.size() && wrong.empty(); ++i) {
        wrong = difference(reference[i], operands.output_memory()[i], length);
      }
      if (!wrong.empty()) {
        competitors.refused.push_back({peer->name, wrong});
        continue;
      }
      competitors.all.push_back({peer->name, peer->run, work.get(), peer->settle_us});
      competitors.peer_work.push_back(std::move(work));
      competitors.peer_ulps.push_back(elementwise ? largest_ulps(reference.front(), operands.output_memory().front())
                                                  : 0);
    }
  }

  static std::vector<tools::HostTensor> copy_outputs(Operands &operands) {
    std::vector<tools::HostTensor> copies;
    for (const tools::HostTensor &output : operands.output_memory()) {
      copies.push_back(tools::allocate_tensor(output.dtype, output.shape, false, "a copy of the output"));
      std::memcpy(copies.back().data.get(), output.data.get(), output.bytes);
    }
    return copies;
  }

  ContestOptions contest_options(Operands &operands, uint32_t threads, bool fresh, double budget_ns) const {
    const Effort effort = effort_of(options_.selection.depth);
    ContestOptions contest;
    contest.threads = threads;
    contest.reading_ns = effort.reading_ns;
    contest.least_rounds = effort.least_rounds;
    contest.most_rounds = effort.most_rounds;
    contest.budget_ns = budget_ns;
    contest.fresh = fresh;
    contest.outputs = operands.output_addresses();
    for (const tools::HostTensor &output : operands.output_memory()) contest.output_bytes.push_back(output.bytes);
    contest.stop = stop_;
    return contest;
  }

  static Row describe(const WorkItem &item, const Operands &operands, uint32_t threads, bool fresh) {
    Row row;
    row.op = item.op;
    row.family = item.family;
    row.dtype = item.dtype;
    row.attributes = item.attribute_text();
    row.shape = item.shape_text();
    row.threads = threads;
    row.output = fresh ? "fresh" : "reused";
    row.operations = item.operations > 0 ? item.operations : operands.output_elements();
    row.bytes = operands.bytes();
    return row;
  }

  static Demand demand_of(const WorkItem &item, const Operands &operands) {
    Demand demand;
    demand.f32 = item.dtype == "f32";
    demand.f64 = item.dtype == "f64";
    demand.operations = item.operations;
    demand.chain = item.chain;
    demand.input_bytes = operands.input_bytes();
    demand.output_bytes = operands.bytes() - operands.input_bytes();
    demand.inputs = static_cast<uint32_t>(operands.inputs().size());
    return demand;
  }

  void judge(Row &row, std::size_t ours, const std::vector<Readings> &readings, const Competitors &competitors) const {
    const std::vector<double> &ns = readings[ours].ns;
    row.ns = median(ns);
    row.spread = relative_iqr(ns);
    row.ns_interval = median_interval(ns);
    row.refused = competitors.refused;
    const std::vector<double> *best = nullptr;
    for (std::size_t i = competitors.ours.size(); i < competitors.all.size(); ++i) {
      if (readings[i].ns.empty()) continue;
      row.peers.push_back({competitors.all[i].name, median(readings[i].ns), relative_iqr(readings[i].ns),
                           competitors.peer_ulps[i - competitors.ours.size()]});
      if (best != nullptr && row.peers.back().ns >= row.peer_ns) continue;
      best = &readings[i].ns;
      row.best_peer = row.peers.back().name;
      row.peer_ns = row.peers.back().ns;
    }
    if (best == nullptr) return;
    row.ratio = row.peer_ns / row.ns;
    row.ratio_interval = ratio_interval(*best, ns);
  }

  const BenchOptions &options_;
  std::string isa_;
  const volatile std::sig_atomic_t *stop_;
  PeerSet peers_;
  tools::Session session_;
  std::vector<std::pair<rayo_op_info, WorkItem>> items_;
  std::map<uint32_t, Ceilings> ceilings_;
  json machine_;
  json rows_ = json::array(), skipped_ = json::array();
};

}  // namespace

std::string isa_of_device(const std::string &device) {
  if (device == "avx2") return "avx2";
  return device == "scalar" ? "baseline" : "native";
}

json measure(const BenchOptions &options, const std::string &isa, const volatile std::sig_atomic_t *stop) {
  return Bench(options, isa, stop).run();
}

}  // namespace rayo::bench
