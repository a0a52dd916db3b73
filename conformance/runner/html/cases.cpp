// SPDX-License-Identifier: Apache-2.0
//
// Cases one by one: all failures (up to a limit that is stated), the worst that passed, and what was not run and why.
#include <fmt/format.h>

#include <algorithm>

#include "runner/html/parts.hpp"
#include "runner/markup.hpp"

namespace rayo::conform {
namespace {

constexpr std::size_t kShownPerOp = 5;            // open; the rest of an op's failures is one click away
constexpr std::size_t kFailuresPerPlugin = 1000;  // beyond that the JSON report is the better reader
constexpr std::size_t kWorstPerOp = 5;

void append_failure(std::string &out, const PluginReport &report, const RunInfo &run, const CaseResult &c) {
  out += fmt::format("<li><p><b class=\"tag st-{0}\">{0}</b> {1}</p>{2}</li>\n", state_name(c.verdict.state),
                     escape_markup(c.verdict.message), copyable(replay_command(report, run, c.line)));
}

void append_failures_of(std::string &out, const PluginReport &report, const std::string &name, const RunInfo &run) {
  std::vector<std::pair<std::string, std::vector<const CaseResult *>>> by_op;
  std::size_t listed = 0;
  std::size_t total = 0;
  for (const CaseResult &c : report.cases) {
    if (!is_defect(c.verdict.state) || ++total > kFailuresPerPlugin) continue;
    const std::string op = facts_of(c.line).op;
    auto at = std::find_if(by_op.begin(), by_op.end(), [&](const auto &entry) { return entry.first == op; });
    if (at == by_op.end()) at = by_op.insert(at, {op, {}});
    at->second.push_back(&c);
    ++listed;
  }
  out += fmt::format("<h3>{}: {}</h3>\n", escape_markup(name), counted(total, "defect"));
  for (const auto &[op, cases] : by_op) {
    out += fmt::format("<h4>{}, {}</h4>\n<ul class=failures>\n", escape_markup(op), counted(cases.size(), "case"));
    for (std::size_t i = 0; i < cases.size(); ++i) {
      if (i == kShownPerOp) {
        out += fmt::format("</ul>\n<details><summary>{} more of {}</summary><ul class=failures>\n", cases.size() - i,
                           escape_markup(op));
      }
      append_failure(out, report, run, *cases[i]);
    }
    out += cases.size() > kShownPerOp ? "</ul></details>\n" : "</ul>\n";
  }
  if (total > listed) {
    out += fmt::format("<p class=why>The first {} are listed; <code>--format json</code> has all {}.</p>\n",
                       with_commas(listed), with_commas(total));
  }
}

// One case of the worst list: with the same inputs most plugins err alike, so equal errors share a row.
struct Worst {
  const CaseResult *result;
  const PluginReport *report;
  double share;
  std::string plugins;
};

std::vector<Worst> worst_of(std::span<const PluginReport> reports,
                            const std::vector<std::vector<std::size_t>> &indices) {
  std::vector<Worst> all;
  for (std::size_t r = 0; r < reports.size(); ++r) {
    const std::string name = shown_name(reports[r], reports);
    for (const std::size_t i : indices[r]) {
      const CaseResult &c = reports[r].cases[i];
      if (c.verdict.state != State::passed || c.verdict.bound <= 0) continue;
      all.push_back({&c, &reports[r], share_of(c.verdict), name});
    }
  }
  std::stable_sort(all.begin(), all.end(), [](const Worst &a, const Worst &b) { return a.share > b.share; });
  std::vector<Worst> kept;
  for (const Worst &w : all) {
    const auto same =
        std::find_if(kept.begin(), kept.end(), [&](const Worst &k) { return k.result->line == w.result->line; });
    if (same != kept.end()) {
      if (same->result->verdict.error_ulp == w.result->verdict.error_ulp) same->plugins += ", " + w.plugins;
      continue;
    }
    // Sorted by share: once five differ, only twins of the last share can follow.
    if (kept.size() == kWorstPerOp && w.share < kept.back().share) break;
    if (kept.size() < kWorstPerOp) kept.push_back(w);
  }
  return kept;
}

void append_worst_of(std::string &out, const std::string &op, const std::vector<Worst> &worst, const RunInfo &run) {
  const int step = heat_step(worst.front().share);
  out += fmt::format(
      "<details data-op=\"{0}\"><summary><span class=op>{0}</span><span class=bar aria-hidden=true><i class=q{1} "
      "style=\"width:{2:.0f}%\"></i></span><span class=share>{3}</span></summary>\n<ol class=worst>\n",
      escape_markup(op), step, std::clamp(100 * worst.front().share, 1.0, 100.0), percent(worst.front().share));
  for (const Worst &w : worst) {
    out += fmt::format("<li><p><b>{}</b> of its bound: error {}, bound {} <span class=who>{}</span></p>{}</li>\n",
                       percent(w.share), number(w.result->verdict.error_ulp), number(w.result->verdict.bound),
                       escape_markup(w.plugins), copyable(replay_command(*w.report, run, w.result->line)));
  }
  out += "</ol></details>\n";
}

}  // namespace

void append_failures(std::string &out, std::span<const PluginReport> reports, const RunInfo &run) {
  const bool any = std::any_of(reports.begin(), reports.end(), [](const PluginReport &report) {
    return std::any_of(report.cases.begin(), report.cases.end(),
                       [](const CaseResult &c) { return is_defect(c.verdict.state); });
  });
  if (!any) return;
  out +=
      "<section id=failures><h2>Failures</h2>\n<p>Each line runs that case again, with the same inputs, "
      "anywhere.</p>\n";
  for (const PluginReport &report : reports) {
    const auto defect = [](const CaseResult &c) { return is_defect(c.verdict.state); };
    if (std::any_of(report.cases.begin(), report.cases.end(), defect))
      append_failures_of(out, report, shown_name(report, reports), run);
  }
  out += "</section>\n";
}

void append_worst(std::string &out, std::span<const PluginReport> reports, const RunInfo &run,
                  const std::vector<std::string> &ops) {
  std::map<std::string, std::vector<std::vector<std::size_t>>> indices;
  for (std::size_t r = 0; r < reports.size(); ++r) {
    for (std::size_t i = 0; i < reports[r].cases.size(); ++i) {
      const std::string &line = reports[r].cases[i].line;
      auto &of_op = indices[line.substr(0, line.find(' '))];
      of_op.resize(reports.size());
      of_op[r].push_back(i);
    }
  }
  std::vector<std::pair<std::string, std::vector<Worst>>> lists;
  for (const std::string &op : ops) {
    if (auto worst = worst_of(reports, indices[op]); !worst.empty()) lists.emplace_back(op, std::move(worst));
  }
  if (lists.empty()) return;
  std::stable_sort(lists.begin(), lists.end(),
                   [](const auto &a, const auto &b) { return a.second.front().share > b.second.front().share; });
  out +=
      "<section id=worst><h2>Nearest to the bound</h2>\n<p>The five passed cases of each op whose error came closest "
      "to what is allowed; errors and bounds in ULP. Open an op for the lines that run them again.</p>\n";
  for (const auto &[op, worst] : lists) append_worst_of(out, op, worst, run);
  out += "</section>\n";
}

void append_not_run(std::string &out, std::span<const PluginReport> reports) {
  struct Group {
    std::size_t cases = 0;
    std::vector<std::string> ops;
  };
  std::string rows;
  for (const PluginReport &report : reports) {
    std::map<std::pair<std::string_view, std::string>, Group> groups;
    for (const CaseResult &c : report.cases) {
      const State state = c.verdict.state;
      if (state != State::unsupported && state != State::not_evaluated) continue;
      Group &group = groups[{state_name(state), c.verdict.message.empty() ? report.refused : c.verdict.message}];
      ++group.cases;
      const std::string op = c.line.substr(0, c.line.find(' '));
      if (std::find(group.ops.begin(), group.ops.end(), op) == group.ops.end()) group.ops.push_back(op);
    }
    for (const auto &[key, group] : groups) {
      rows += fmt::format("<tr><th scope=row>{}</th><td>{}</td><td class=n>{}</td><td>{}</td><td>{}</td></tr>\n",
                          escape_markup(shown_name(report, reports)), key.first, with_commas(group.cases),
                          escape_markup(key.second), escape_markup(fmt::format("{}", fmt::join(group.ops, ", "))));
    }
  }
  if (rows.empty()) return;
  out +=
      "<section id=notrun><h2>Not run, and why</h2>\n<div class=scroll><table class=plain><thead><tr><th "
      "scope=col>Plugin</th>"
      "<th scope=col>State</th><th scope=col>Cases</th><th scope=col>Reason</th><th "
      "scope=col>Ops</th></tr></thead><tbody>\n" +
      rows + "</tbody></table></div></section>\n";
}

void append_expectations(std::string &out, std::span<const PluginReport> reports, const RunInfo &run) {
  if (run.expectations.empty()) return;
  std::size_t failed = 0;
  for (const PluginReport &report : reports) failed += report.count(State::expected_fail);
  out += fmt::format(
      "<section id=expected><h2>Expected failures</h2>\n<p>{} failed as listed in the expectations. A line that "
      "matched "
      "no executed case is stale, or belongs to another run.</p>\n<div class=scroll><table class=plain><thead><tr><th "
      "scope=col>Line</th><th scope=col>Plugin</th><th scope=col>Cases</th><th scope=col>Reason</th><th "
      "scope=col>Matched</th></tr></thead><tbody>\n",
      counted(failed, "case"));
  for (const Expectation &e : run.expectations) {
    out += fmt::format("<tr><td>{}:{}</td><td>{}</td><td><code>{}</code></td><td>{}</td><td class=n>{}</td></tr>\n",
                       escape_markup(e.file), e.line, escape_markup(e.plugin), escape_markup(e.cases),
                       escape_markup(e.reason), e.matched == 0 ? "<b>none</b>" : with_commas(e.matched));
  }
  out += "</tbody></table></div></section>\n";
}

}  // namespace rayo::conform
