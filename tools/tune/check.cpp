// SPDX-License-Identifier: Apache-2.0
#include "check.hpp"

#include <rayo/profile.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <random>

#include <fmt/core.h>

#include "bench/work/operands.hpp"
#include "measure.hpp"
#include "tools/command.hpp"

namespace rayo::tools::tune {
namespace {

rayo_selection choice_of(const Session &session, const rayo_op_info &op, const bench::WorkItem &item) {
  const bench::Operands operands(session, op, item);
  rayo_call_desc desc = RAYO_CALL_DESC_INIT;
  desc.op = op.op;
  desc.inputs = operands.inputs().data();
  desc.input_count = static_cast<uint32_t>(operands.inputs().size());
  desc.outputs = operands.outputs().data();
  desc.output_count = static_cast<uint32_t>(operands.outputs().size());
  desc.attrs = operands.attributes();
  rayo_plan *handle = nullptr;
  check(rayo_plan_create(session.runtime(), &desc, &handle));
  const std::unique_ptr<rayo_plan, decltype(&rayo_plan_destroy)> plan(handle, rayo_plan_destroy);
  rayo_selection selection{};
  selection.struct_size = sizeof selection;
  selection.struct_type = RAYO_TYPE_SELECTION;
  check(rayo_plan_select(handle, &selection));
  return selection;
}

std::string way_text(const Way &way) { return fmt::format("{} x{}", way.device, way.threads); }

double quantile(std::vector<double> values, double part) {
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(std::lround(part * static_cast<double>(values.size() - 1)))];
}

// The way that runs what was chosen: the same device, and the number of threads that is nearest from below.
const WayTime *time_of(const Measurement &measured, const rayo_selection &chosen) {
  const WayTime *found = nullptr;
  for (const WayTime &time : measured.times) {
    if (time.ns < 0 || time.way.device != chosen.device || time.way.threads > chosen.threads) continue;
    if (found == nullptr || time.way.threads > found->way.threads) found = &time;
  }
  return found;
}

}  // namespace

Regret check_profile(const Session &chooser, const Session &session, const std::vector<Job> &jobs, std::size_t count,
                     uint64_t seed, double budget_s, const volatile std::sig_atomic_t *stop,
                     const std::function<void(double share, const std::string &what)> &progress) {
  const Measurer measurer(session, stop);
  const std::vector<Way> ways = measurer.all_ways();
  std::mt19937_64 generator(seed);
  const auto random = [&] { return static_cast<double>(generator() >> 11) * 0x1p-53; };
  Regret out;
  std::vector<double> regrets;
  for (std::size_t attempt = 0; out.rows.size() < count && attempt < 4 * count && !jobs.empty(); ++attempt) {
    const Job &job = jobs[static_cast<std::size_t>(random() * static_cast<double>(jobs.size()))];
    const bench::WorkItem item = random_call(job, random);
    progress(static_cast<double>(out.rows.size()) / static_cast<double>(count),
             fmt::format("{} {} {}", job.op.name, job.dtype, item.shape_text()));
    Effort effort;
    effort.least_rounds = 7;
    effort.most_rounds = 15;
    effort.budget_ns = budget_s * 1e9 / static_cast<double>(count);
    effort.reading_ns = std::clamp(effort.budget_ns / 15 / static_cast<double>(ways.size()) / 2, 2e4, 5e5);
    RegretRow row;
    try {
      const rayo_selection chosen = choice_of(chooser, job.op, item);
      const Measurement measured = measurer.measure(job.op, item, ways, effort);
      const WayTime *mine = time_of(measured, chosen);
      if (mine == nullptr) continue;
      const WayTime *best = mine;
      for (const WayTime &time : measured.times) {
        if (time.ns >= 0 && time.ns < best->ns) best = &time;
      }
      row = {job.op.name,         job.dtype, item.shape_text(), way_text(mine->way),
             way_text(best->way), mine->ns,  best->ns,          mine->ns / best->ns};
      out.by_profile += chosen.level == RAYO_LEVEL_PROFILE ? 1 : 0;
    } catch (const CommandError &) {
      continue;  // nobody here runs it
    } catch (const Measurer::Stopped &) {
      break;
    }
    regrets.push_back(row.regret);
    out.rows.push_back(std::move(row));
  }
  progress(1, "");
  if (regrets.empty()) return out;
  out.median = quantile(regrets, 0.5);
  out.p95 = quantile(regrets, 0.95);
  std::sort(out.rows.begin(), out.rows.end(),
            [](const RegretRow &a, const RegretRow &b) { return a.regret > b.regret; });
  return out;
}

}  // namespace rayo::tools::tune
