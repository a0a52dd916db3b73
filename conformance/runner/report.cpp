// SPDX-License-Identifier: Apache-2.0
//
// The report for a terminal: a table per plugin, the first failures with their replay lines, one verdict.
#include "runner/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "runner/markup.hpp"

namespace rayo::conform {
namespace {

constexpr std::size_t kShownFailures = 40;
constexpr std::size_t kShownMessages = 5;

struct OpLine {
  std::size_t cases = 0;
  std::size_t defects = 0;
  std::size_t unsupported = 0;
  double worst_ulp = 0;
  double worst_share = 0;
};

std::map<std::string, OpLine> by_op(const PluginReport &report) {
  std::map<std::string, OpLine> ops;
  for (const CaseResult &c : report.cases) {
    const std::size_t blank = c.line.find(' ');
    const std::size_t second = blank == std::string::npos ? blank : c.line.find(' ', blank + 1);
    OpLine &line = ops[c.line.substr(0, second)];
    ++line.cases;
    line.defects += is_defect(c.verdict.state) ? 1 : 0;
    line.unsupported += c.verdict.state == State::unsupported || c.verdict.state == State::not_evaluated ? 1 : 0;
    if (c.verdict.state != State::passed || c.verdict.bound <= 0) continue;
    line.worst_share = std::max(line.worst_share, c.verdict.error_ulp / c.verdict.bound);
    line.worst_ulp = std::max(line.worst_ulp, c.verdict.error_ulp);
  }
  return ops;
}

void append_plugin(std::string &out, const PluginReport &report, const RunInfo &run) {
  out += fmt::format("{}  {}\n  sha256 {}  seed {}\n", report.plugin.empty() ? "?" : report.plugin, report.file,
                     report.sha256.empty() ? "?" : report.sha256, report.seed);
  if (!report.refused.empty()) out += fmt::format("  not judged: {}\n", report.refused);
  out += fmt::format("  {:<18} {:>6} {:>8} {:>8} {:>12} {:>10}\n", "op", "cases", "defects", "not run", "worst ULP",
                     "of bound");
  for (const auto &[op, line] : by_op(report)) {
    out += fmt::format("  {:<18} {:>6} {:>8} {:>8} {:>12.3g} {:>9.0f}%\n", op, line.cases, line.defects,
                       line.unsupported, line.worst_ulp, 100 * line.worst_share);
  }
  std::size_t shown = 0;
  for (const CaseResult &c : report.cases) {
    if (!is_defect(c.verdict.state)) continue;
    if (shown++ == kShownFailures) {
      out += "  ... (all of them: --format json)\n";
      break;
    }
    out += fmt::format("  {}: {}\n    replay: {}\n", state_name(c.verdict.state), c.verdict.message,
                       replay_command(report, run, c.line));
  }
  out += fmt::format("  log messages (warnings, errors): {}\n", report.messages.count());
  for (std::size_t i = 0; i < report.messages.texts.size() && i < kShownMessages; ++i) {
    const Message &m = report.messages.texts[i];
    out += fmt::format("    {}, {}x: {}\n", m.level, m.count, m.text);
  }
  if (report.messages.texts.size() > kShownMessages) out += "    ... (--format json has up to 100 texts)\n";
  std::string counts;
  for (std::size_t i = 0; i < kStateNames.size(); ++i) {
    const std::size_t n = report.count(static_cast<State>(i));
    if (n > 0) counts += fmt::format("{}{} {}", counts.empty() ? "" : ", ", n, kStateNames[i]);
  }
  if (report.executed() == 0) counts += counts.empty() ? "no case was executed" : "; no case was executed";
  out += fmt::format("  {}: {}\n\n", report.good() ? "GOOD" : "BAD", counts);
}

// Lines of expectations files that did nothing: most often the bug is gone, or the pattern has a typo.
void append_stale(std::string &out, const RunInfo &run) {
  for (const Expectation &e : run.expectations) {
    if (e.matched > 0) continue;
    out += fmt::format("{}:{}: matched no executed case: {} | {} | {}\n", e.file, e.line, e.plugin, e.cases, e.reason);
  }
}

}  // namespace

std::string text_report(std::span<const PluginReport> reports, const RunInfo &run) {
  std::string out;
  for (const PluginReport &report : reports) append_plugin(out, report, run);
  append_stale(out, run);
  return out;
}

}  // namespace rayo::conform
