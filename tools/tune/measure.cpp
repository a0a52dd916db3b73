// SPDX-License-Identifier: Apache-2.0
#include "measure.hpp"

#include <rayo/profile.h>

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/core.h>

#include "bench/measure/contest.hpp"
#include "grid.hpp"
#include "resident.hpp"
#include "tools/command.hpp"
#include "verify.hpp"

namespace rayo::tools::tune {
namespace {

constexpr const char *kLayouts[] = {"contiguous", "broadcast", "strided"};

struct DestroyPlan {
  void operator()(rayo_plan *plan) const { rayo_plan_destroy(plan); }
};
using PlanPtr = std::unique_ptr<rayo_plan, DestroyPlan>;

// Operands, and their copies where the call's data lives on a device.
struct OperandSet {
  std::unique_ptr<bench::Operands> host;
  std::unique_ptr<ResidentOperands> there;
  const std::vector<const rayo_tensor *> &inputs() const { return there ? there->inputs() : host->inputs(); }
  const std::vector<const rayo_tensor *> &outputs() const { return there ? there->outputs() : host->outputs(); }
};
using OperandSets = std::vector<OperandSet>;

rayo_call_desc desc_of(const bench::Operands &operands, const std::vector<const rayo_tensor *> &inputs,
                       const std::vector<const rayo_tensor *> &outputs, const rayo_run_options *options) {
  rayo_call_desc desc = RAYO_CALL_DESC_INIT;
  desc.op = operands.op().op;
  desc.inputs = inputs.data();
  desc.input_count = static_cast<uint32_t>(inputs.size());
  desc.outputs = outputs.data();
  desc.output_count = static_cast<uint32_t>(outputs.size());
  desc.attrs = operands.attributes();
  desc.options = options;
  return desc;
}

rayo_selection selection_of(const rayo_plan *plan) {
  rayo_selection selection{};
  selection.struct_size = sizeof selection;
  selection.struct_type = RAYO_TYPE_SELECTION;
  check(rayo_plan_select(plan, &selection));
  return selection;
}

// A way bound to the call; runs on one set of operands after the other.
struct Runner {
  WayTime *time = nullptr;
  PlanPtr plan;
  const OperandSets *sets = nullptr;
  std::size_t next = 0;

  rayo_status run_on(std::size_t set) const {
    const OperandSet &operands = (*sets)[set];
    return rayo_plan_run(plan.get(), operands.inputs().data(), operands.outputs().data());
  }
  static int run(void *work, void *const *) {
    auto *self = static_cast<Runner *>(work);
    self->next = self->next + 1 < self->sets->size() ? self->next + 1 : 0;
    return self->run_on(self->next) == RAYO_OK ? 1 : 0;
  }
};

// Enough sets that small operands are not always the same lines of the first-level cache; few of large ones, which
// do not fit a cache anyway.
std::size_t sets_for(double bytes) {
  if (bytes <= 256 * 1024) return 4;
  return bytes <= 16 * 1024 * 1024 ? 2 : 1;
}

OperandSets make_sets(const Session &session, const rayo_op_info &op, const bench::WorkItem &item,
                      const std::string &residency) {
  OperandSets sets;
  std::size_t count = 1;
  while (sets.size() < count) {
    OperandSet &set = sets.emplace_back();
    set.host = std::make_unique<bench::Operands>(session, op, item);
    if (residency != kHostMemory) set.there = std::make_unique<ResidentOperands>(session, residency, *set.host);
    if (sets.size() == 1) count = sets_for(set.host->bytes());
  }
  return sets;
}

PlanPtr bind_way(const Session &session, const OperandSet &set, bool resident, const Way &way, std::string *out_why) {
  rayo_run_options options = RAYO_RUN_OPTIONS_INIT;
  options.device = way.device.c_str();
  options.threads = way.threads;
  const rayo_call_desc desc = resident ? desc_of(*set.host, set.inputs(), set.outputs(), &options)
                                       : desc_of(*set.host, set.host->inputs(), set.host->outputs(), &options);
  rayo_plan *plan = nullptr;
  const rayo_status status = rayo_plan_create(session.runtime(), &desc, &plan);
  if (status != RAYO_OK) *out_why = last_error();
  if (status == RAYO_OUT_OF_MEMORY) throw CommandError(status, *out_why);
  return PlanPtr(plan);
}

// Runs every way once and compares what it wrote with the reference's.
void verify_all(std::vector<Runner> &runners, const Session &session, const OperandSets &sets) {
  bench::Operands &operands = *sets[0].host;
  const ResidentOperands *const there = sets[0].there.get();
  const auto run_once = [&](const Runner &runner) {
    operands.poison_outputs();
    if (there != nullptr) there->upload();
    if (runner.run_on(0) != RAYO_OK) throw CommandError(RAYO_INTERNAL, last_error());
    if (there != nullptr) there->fetch_outputs();
  };
  for (Runner &runner : runners) {
    if (runner.run_on(0) != RAYO_OK) runner.time->declined = "it failed: " + last_error();
  }
  if (there != nullptr) there->fetch_outputs();
  if (!runners.empty() && runners[0].time->declined.empty() && operands.output_has_nan()) {
    for (const OperandSet &set : sets) {
      set.host->make_positive();
      if (set.there) set.there->upload();
    }
  }
  std::string why;
  const PlanPtr reference_plan = bind_way(session, sets[0], false, {kReferenceDevice, kReferenceDevice, 1}, &why);
  std::vector<HostTensor> expected;
  if (reference_plan != nullptr) {
    operands.poison_outputs();
    check(rayo_plan_run(reference_plan.get(), operands.inputs().data(), operands.outputs().data()));
    expected = copy_outputs(operands);
  }
  for (Runner &runner : runners) {
    WayTime &time = *runner.time;
    if (!time.declined.empty()) continue;
    if (time.way.device == kReferenceDevice || expected.empty()) {
      time.checked = expected.empty() ? "none" : "bits";
      continue;
    }
    run_once(runner);
    const Verified verified = verify_outputs(session, operands, expected, time.way.plugin, time.kernel);
    time.checked = verified.how;
    time.wrong = verified.wrong;
  }
}

}  // namespace

Median median_of(std::vector<double> readings) {
  std::sort(readings.begin(), readings.end());
  const auto at = [&](double part) {
    const double position = part * static_cast<double>(readings.size() - 1);
    const auto below = static_cast<std::size_t>(position);
    const std::size_t above = std::min(below + 1, readings.size() - 1);
    return readings[below] + (position - static_cast<double>(below)) * (readings[above] - readings[below]);
  };
  Median out;
  out.ns = at(0.5);
  // The interquartile range of a normal spread is 1.349 sigma; a median's standard error is 1.2533 sigma / sqrt(n).
  const double sigma = (at(0.75) - at(0.25)) / 1.349;
  out.noise = out.ns > 0 ? 1.2533 * sigma / std::sqrt(static_cast<double>(readings.size())) / out.ns : 0;
  return out;
}

std::vector<Way> Measurer::all_ways() const {
  std::vector<uint32_t> counts;
  const uint32_t most = rayo_runtime_threads(session_.runtime());
  for (uint32_t threads = 1; threads < most; threads *= 2) counts.push_back(threads);
  counts.push_back(most);
  const std::vector<rayo_plugin_info> plugins = session_.plugins();
  std::vector<Way> ways;
  for (const rayo_device_listing &device : session_.devices()) {
    for (const uint32_t threads : counts) {
      // A device of its own has no use for host threads.
      const Way way{device.id, plugins[device.plugin].name, threads};
      if (threads > 1 && !way.on_host()) break;
      ways.push_back(way);
    }
  }
  return ways;
}

Measurement Measurer::measure(const rayo_op_info &op, const bench::WorkItem &item, const std::vector<Way> &ways,
                              const Effort &effort, const std::string &residency) const {
  const OperandSets sets = make_sets(session_, op, item, residency);
  Measurement out;
  out.times.resize(ways.size());
  std::vector<Runner> runners;
  runners.reserve(ways.size());
  for (std::size_t i = 0; i < ways.size(); ++i) {
    WayTime &time = out.times[i];
    time.way = ways[i];
    PlanPtr plan = bind_way(session_, sets[0], true, ways[i], &time.declined);
    if (plan == nullptr) continue;
    const rayo_selection selection = selection_of(plan.get());
    time.kernel = selection.kernel;
    time.used_threads = selection.threads;
    out.shape_class = selection.shape_class;
    out.level = selection.shape_level;
    out.volume = selection.volume;
    out.layout = kLayouts[std::min<uint32_t>(selection.layout, 2)];
    // The same plan as with fewer threads is not measured twice.
    const bool twin = std::any_of(runners.begin(), runners.end(), [&](const Runner &other) {
      return other.time->way.device == time.way.device && other.time->used_threads == time.used_threads;
    });
    if (!twin) runners.push_back({&time, std::move(plan), &sets, 0});
  }
  std::vector<DLDataType> outputs;
  for (const rayo_tensor *tensor : sets[0].host->outputs()) outputs.push_back(tensor->dl.dtype);
  out.types = types_text(op, item, outputs);
  verify_all(runners, session_, sets);

  std::vector<bench::Contestant> contestants;
  for (Runner &runner : runners) {
    if (runner.time->wrong.empty() && runner.time->declined.empty())
      contestants.push_back({"", Runner::run, &runner, 0});
  }
  bench::ContestOptions options;
  options.threads = 2;  // the wall clock, for all: ways of several threads are compared with ways of one
  options.reading_ns = effort.reading_ns;
  options.least_rounds = effort.least_rounds;
  options.most_rounds = effort.most_rounds;
  options.budget_ns = effort.budget_ns;
  options.stop = stop_;
  const std::vector<bench::Readings> readings = run_contest(contestants, options);
  if (*stop_ != 0) throw Stopped{};
  for (std::size_t i = 0; i < contestants.size(); ++i) {
    if (readings[i].ns.empty()) continue;
    const Median median = median_of(readings[i].ns);
    WayTime &time = *static_cast<Runner *>(contestants[i].work)->time;
    time.ns = median.ns;
    time.noise = median.noise;
  }
  for (WayTime &time : out.times) {  // twins
    if (time.ns >= 0 || !time.declined.empty() || !time.wrong.empty()) continue;
    for (const WayTime &other : out.times) {
      if (&other == &time || other.way.device != time.way.device || other.used_threads != time.used_threads) continue;
      if (other.ns < 0 && other.wrong.empty() && other.declined.empty()) continue;
      const Way way = time.way;
      time = other;
      time.way = way;
      break;
    }
  }
  return out;
}

}  // namespace rayo::tools::tune
