// SPDX-License-Identifier: Apache-2.0
//
// The HTML report: one file that reads anywhere, without network or script. Failures stand first.
#include <fmt/format.h>

#include <algorithm>

#include "runner/html/parts.hpp"
#include "runner/report.hpp"

namespace rayo::conform {
namespace {

// Links to the sections that the page has.
std::string navigation(const std::string &body) {
  struct Link {
    const char *id;
    const char *text;
  };
  constexpr std::array<Link, 7> kLinks = {{{"plugins", "Plugins"},
                                           {"failures", "Failures"},
                                           {"support", "Support"},
                                           {"heat", "Heat maps"},
                                           {"worst", "Nearest to the bound"},
                                           {"expected", "Expected failures"},
                                           {"notrun", "Not run"}}};
  std::string out = "<nav aria-label=Sections>";
  for (const Link &link : kLinks) {
    if (body.find(fmt::format("<section id={}>", link.id)) == std::string::npos) continue;
    out += fmt::format("<a href=\"#{}\">{}</a>", link.id, link.text);
  }
  return out + "<input id=find type=search placeholder=\"Filter by op\" aria-label=\"Filter by op\" hidden></nav>\n";
}

}  // namespace

std::string html_report(std::span<const PluginReport> reports, const RunInfo &run) {
  const Aggregate all = aggregate(reports);
  std::string head;
  append_head(head, reports, run);
  std::string body;
  append_plugins(body, reports);
  append_failures(body, reports, run);
  append_support(body, reports, all);
  body +=
      "<section id=heat><h2>Where errors are largest</h2>\n<p>Worst error of all plugins as a share of its bound, on "
      "the same scale. Empty: no such case. <b>exact</b>: prescribed bits.</p>\n";
  append_heat_map(body, all.by_distribution, all.ops, "kind of input");
  append_heat_map(body, all.by_size, all.ops, "elements of the largest input");
  body += "</section>\n";
  append_worst(body, reports, run, all.ops);
  append_expectations(body, reports, run);
  append_not_run(body, reports);
  const bool good =
      !reports.empty() && std::all_of(reports.begin(), reports.end(), [](const PluginReport &r) { return r.good(); });
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=en><head><meta charset=utf-8><meta name=viewport "
      "content=\"width=device-width,initial-scale=1\">\n<title>{} \u2013 Rayo conformance "
      "report</title>\n<style>{}</style></head><body>\n{}{}<main>\n{}"
      "</main>\n<footer>Verdicts hold for the files with the SHA-256 sums above and no others. The same run: "
      "<code>rayo conform --seed {}</code>.</footer>\n<script>{}</script></body></html>\n",
      good ? "Good" : "Bad", kPageStyle, head, navigation(body), body, run.seed, kPageScript);
}

}  // namespace rayo::conform
