// SPDX-License-Identifier: Apache-2.0
#include "runner/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

namespace rayo::conform {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t kShownFailures = 40;

std::string escape_xml(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        // XML 1.0 has no way to write most control characters.
        out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
  }
  return out;
}

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

ordered_json summary(const PluginReport &report) {
  ordered_json s;
  for (std::size_t i = 0; i < kStateNames.size(); ++i) {
    s[std::string(kStateNames[i])] = report.count(static_cast<State>(i));
  }
  return s;
}

void append_plugin(std::string &out, const PluginReport &report) {
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
    out += fmt::format("  {}: {}\n    replay: rayo conform --plugin {} --case '{}'\n", state_name(c.verdict.state),
                       c.verdict.message, report.file, c.line);
  }
  std::string counts;
  for (std::size_t i = 0; i < kStateNames.size(); ++i) {
    const std::size_t n = report.count(static_cast<State>(i));
    if (n > 0) counts += fmt::format("{}{} {}", counts.empty() ? "" : ", ", n, kStateNames[i]);
  }
  if (report.executed() == 0) counts += counts.empty() ? "no case was executed" : "; no case was executed";
  out += fmt::format("  {}: {}\n\n", report.good() ? "GOOD" : "BAD", counts);
}

}  // namespace

std::string text_report(std::span<const PluginReport> reports) {
  std::string out;
  for (const PluginReport &report : reports) append_plugin(out, report);
  return out;
}

std::string json_report(std::span<const PluginReport> reports) {
  ordered_json all = ordered_json::array();
  for (const PluginReport &report : reports) {
    ordered_json cases = ordered_json::array();
    for (const CaseResult &c : report.cases) {
      cases.push_back({{"case", c.line},
                       {"state", state_name(c.verdict.state)},
                       {"error_ulp", c.verdict.error_ulp},
                       {"bound", c.verdict.bound},
                       {"message", c.verdict.message}});
    }
    all.push_back({{"plugin", report.plugin},
                   {"file", report.file},
                   {"sha256", report.sha256},
                   {"seed", report.seed},
                   {"good", report.good()},
                   {"refused", report.refused},
                   {"summary", summary(report)},
                   {"cases", std::move(cases)}});
  }
  const ordered_json root = {{"reports", std::move(all)}};
  return root.dump(1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

std::string junit_report(std::span<const PluginReport> reports) {
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"rayo conform\">\n";
  for (const PluginReport &report : reports) {
    const std::size_t crashed = report.count(State::crashed) + report.count(State::hung);
    const bool no_run = report.executed() == 0;  // a run that executed nothing is an error of its own
    out += fmt::format(
        "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\">\n",
        escape_xml(report.plugin.empty() ? report.file : report.plugin), report.cases.size() + (no_run ? 1 : 0),
        report.count(State::failed) + report.count(State::distrusted), crashed + (no_run ? 1 : 0),
        report.count(State::unsupported) + report.count(State::not_evaluated) + report.count(State::expected_fail));
    out += fmt::format(
        "    <properties><property name=\"sha256\" value=\"{}\"/><property name=\"seed\" value=\"{}\"/>"
        "</properties>\n",
        report.sha256, report.seed);
    if (no_run) {
      out += fmt::format("    <testcase classname=\"load\" name=\"load\"><error message=\"{}\"/></testcase>\n",
                         escape_xml(report.refused.empty() ? "no case was executed" : report.refused));
    }
    for (const CaseResult &c : report.cases) {
      const std::string message = escape_xml(c.verdict.message);
      out += fmt::format("    <testcase classname=\"{}\" name=\"{}\"", escape_xml(c.line.substr(0, c.line.find(' '))),
                         escape_xml(c.line));
      switch (c.verdict.state) {
        case State::passed:
          out += "/>\n";
          break;
        case State::failed:
        case State::distrusted:
          out += fmt::format("><failure message=\"{}\"/></testcase>\n", message);
          break;
        case State::crashed:
        case State::hung:
          out += fmt::format("><error type=\"{}\" message=\"{}\"/></testcase>\n", state_name(c.verdict.state), message);
          break;
        default:
          out += fmt::format("><skipped message=\"{}: {}\"/></testcase>\n", state_name(c.verdict.state), message);
      }
    }
    out += "  </testsuite>\n";
  }
  return out + "</testsuites>\n";
}

}  // namespace rayo::conform
