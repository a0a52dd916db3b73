// SPDX-License-Identifier: Apache-2.0
//
// The head of the page: the verdict in one sentence, when and where it was reached, and a card per plugin that binds
// it to the file's SHA-256.
#include <fmt/format.h>

#include "runner/html/parts.hpp"
#include "runner/markup.hpp"

namespace rayo::conform {
namespace {

std::string sentence(std::span<const PluginReport> reports) {
  std::size_t good = 0;
  std::size_t executed = 0;
  std::size_t defects = 0;
  for (const PluginReport &report : reports) {
    good += report.good() ? 1 : 0;
    executed += report.executed();
    for (const CaseResult &c : report.cases) defects += is_defect(c.verdict.state) ? 1 : 0;
  }
  const std::string judged = fmt::format("{}, {} run", counted(reports.size(), "plugin"), counted(executed, "case"));
  if (good == reports.size()) return judged + ", no defect.";
  if (defects == 0) return fmt::format("{}; {} could not be judged.", judged, counted(reports.size() - good, "plugin"));
  return fmt::format("{}, {} in {}.", judged, counted(defects, "defect"), counted(reports.size() - good, "plugin"));
}

std::string_view advice(RunKind kind) {
  switch (kind) {
    case RunKind::full:
      return "full run";
    case RunKind::quick:
      return "quick run: a sample of the sizes and inputs; a full run takes minutes and judges more";
    default:
      return "partial run: only the ops, cases or slice that were asked for";
  }
}

void append_card(std::string &out, const PluginReport &report, std::span<const PluginReport> reports) {
  const bool good = report.good();
  out += fmt::format("<article class=\"card {}\"><h3>{} <span class=verdict>{}</span></h3>\n", good ? "good" : "bad",
                     escape_markup(shown_name(report, reports)),
                     good                     ? "GOOD"
                     : report.refused.empty() ? "BAD"
                                              : "NOT JUDGED");
  if (!report.refused.empty()) out += fmt::format("<p class=why>{}</p>\n", escape_markup(report.refused));
  out += "<ul class=counts>";
  for (std::size_t i = 0; i < kStateNames.size(); ++i) {
    const auto state = static_cast<State>(i);
    const std::size_t n = report.count(state);
    if (n == 0) continue;
    out += fmt::format("<li class=\"st-{0}\"><b>{1}</b> {0}</li>", kStateNames[i], with_commas(n));
  }
  if (report.executed() == 0) out += "<li class=st-failed>no case was executed</li>";
  out += fmt::format("</ul>\n<p class=id>{}<br>SHA-256 <code>{}</code></p></article>\n", escape_markup(report.file),
                     report.sha256.empty() ? "unknown" : escape_markup(report.sha256));
}

}  // namespace

void append_head(std::string &out, std::span<const PluginReport> reports, const RunInfo &run) {
  bool good = !reports.empty();
  for (const PluginReport &report : reports) good = good && report.good();
  out += fmt::format("<header class=\"top {}\"><p class=kicker>Rayo conformance report</p>\n<h1>{}</h1>\n",
                     good ? "good" : "bad", sentence(reports));
  out += fmt::format("<dl class=facts><div><dt>Run</dt><dd>{}</dd></div><div><dt>Seed</dt><dd>{}</dd></div>",
                     advice(run.kind), run.seed);
  if (!run.date.empty()) out += fmt::format("<div><dt>Date</dt><dd>{}</dd></div>", escape_markup(run.date));
  if (run.seconds > 0) out += fmt::format("<div><dt>Time</dt><dd>{:.0f} s</dd></div>", run.seconds);
  if (!run.machine.empty()) out += fmt::format("<div><dt>Machine</dt><dd>{}</dd></div>", escape_markup(run.machine));
  if (!run.rayo.empty()) out += fmt::format("<div><dt>Rayo</dt><dd>{}</dd></div>", escape_markup(run.rayo));
  out += "</dl></header>\n";
}

void append_plugins(std::string &out, std::span<const PluginReport> reports) {
  out += "<section id=plugins><h2>Plugins</h2>\n<div class=cards>\n";
  for (const PluginReport &report : reports) append_card(out, report, reports);
  out += "</div></section>\n";
}

}  // namespace rayo::conform
