// SPDX-License-Identifier: Apache-2.0
#include "runner/nightly.hpp"

#include <fmt/format.h>

#include <map>
#include <tuple>

#include "suites/case.hpp"

namespace rayo::conform {
namespace {

struct Sum {
  Sum() { verdict.verdict.state = State::passed; }
  NightlyVerdict verdict;
  double share = -1;
  bool complete = true;
};

void add_piece(Sum &sum, const Case &piece, const CaseResult &result) {
  const Verdict &v = result.verdict;
  if (v.state == State::unsupported || v.state == State::not_evaluated) {
    sum.complete = false;
    return;
  }
  sum.verdict.inputs += static_cast<std::uint64_t>(element_count(piece.shapes[0]));
  if (is_defect(sum.verdict.verdict.state)) return;
  if (is_defect(v.state)) {
    sum.verdict.verdict = v;
    sum.verdict.verdict.message = fmt::format("{}: {}", result.line, v.message);
    return;
  }
  const double share = v.bound > 0 ? v.error_ulp / v.bound : v.error_ulp;
  if (share <= sum.share) return;
  sum.share = share;
  sum.verdict.verdict = v;
}

std::string attributes(const Case &c) {
  std::string text;
  for (const auto &[name, value] : c.attrs) text += fmt::format("{}{}={}", text.empty() ? "" : ",", name, value);
  return text;
}

}  // namespace

std::vector<std::pair<NightlyKey, NightlyVerdict>> sum_up_nightly(const PluginReport &report) {
  std::map<std::tuple<std::string, std::string, std::string>, Sum> sums;
  for (const CaseResult &result : report.cases) {
    if (result.line.find(' ') == std::string::npos) continue;  // an op of the plugin's own
    const Case piece = parse_case(result.line);
    Sum &sum = sums[{piece.op, std::string(dtype_name(piece.dtype)), attributes(piece)}];
    add_piece(sum, piece, result);
  }
  std::vector<std::pair<NightlyKey, NightlyVerdict>> all;
  for (auto &[name, sum] : sums) {
    if (!sum.complete) continue;
    sum.verdict.plugin = report.plugin;
    if (sum.verdict.verdict.state == State::passed) sum.verdict.verdict.message = fmt::format("seed {}", report.seed);
    const auto &[op, dtype, attrs] = name;
    all.emplace_back(NightlyKey{report.sha256, op, dtype, attrs, "bound"}, sum.verdict);
  }
  return all;
}

std::vector<std::string> keep_nightly(const PluginReport &report) {
  std::vector<std::string> lines;
  for (const auto &[key, verdict] : sum_up_nightly(report)) {
    store_nightly(key, verdict);
    lines.push_back(fmt::format("kept: {} {} {} {}: {} over {} inputs, worst {:.3g} ULP of {:.3g}", verdict.plugin,
                                key.op, key.dtype, key.attributes, state_name(verdict.verdict.state), verdict.inputs,
                                verdict.verdict.error_ulp, verdict.verdict.bound));
  }
  return lines;
}

}  // namespace rayo::conform
