// SPDX-License-Identifier: Apache-2.0
//
// The report for CI systems. failed and distrusted are failures, crashed and hung errors; what was not run, and
// failures that were expected, are skipped. A plugin of which no case was executed is an error of its own.
#include <fmt/format.h>

#include <filesystem>

#include "runner/markup.hpp"
#include "runner/report.hpp"

namespace rayo::conform {
namespace {

struct Counts {
  std::size_t tests = 0;
  std::size_t failures = 0;
  std::size_t errors = 0;
  std::size_t skipped = 0;
};

Counts count(const PluginReport &report) {
  const std::size_t none = report.executed() == 0 ? 1 : 0;
  return {report.cases.size() + none, report.count(State::failed) + report.count(State::distrusted),
          report.count(State::crashed) + report.count(State::hung) + none,
          report.count(State::unsupported) + report.count(State::not_evaluated) + report.count(State::expected_fail)};
}

std::string attributes(const Counts &c) {
  return fmt::format("tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\"", c.tests, c.failures, c.errors,
                     c.skipped);
}

std::string property(std::string_view name, std::string_view value) {
  return fmt::format("      <property name=\"{}\" value=\"{}\"/>\n", name, escape_markup(value));
}

// What stands inside a test case; empty for a passed one. The body of a failure is the line that runs it again.
std::string outcome(const PluginReport &report, const RunInfo &run, const CaseResult &c) {
  const State state = c.verdict.state;
  const std::string message = escape_markup(c.verdict.message);
  if (state == State::passed) return {};
  if (!is_defect(state)) return fmt::format("<skipped type=\"{0}\" message=\"{0}: {1}\"/>", state_name(state), message);
  const bool error = state == State::crashed || state == State::hung;
  return fmt::format("<{0} type=\"{1}\" message=\"{2}\">{3}</{0}>", error ? "error" : "failure", state_name(state),
                     message, escape_markup(replay_command(report, run, c.line)));
}

void append_suite(std::string &out, const PluginReport &report, const RunInfo &run) {
  const std::string name =
      report.plugin.empty() ? std::filesystem::path(report.file).filename().string() : report.plugin;
  out += fmt::format("  <testsuite name=\"{}\" {}", escape_markup(name), attributes(count(report)));
  if (!run.date.empty()) out += fmt::format(" timestamp=\"{}\"", run.date.substr(0, 19));  // ISO 8601 without zone
  out += ">\n    <properties>\n";
  out += property("file", report.file) + property("sha256", report.sha256) +
         property("seed", std::to_string(report.seed)) + property("run", run_kind_name(run.kind)) +
         property("machine", run.machine) + property("rayo", run.rayo) + "    </properties>\n";
  if (report.executed() == 0) {
    out += fmt::format(
        "    <testcase classname=\"load\" name=\"load\"><error type=\"nothing_executed\" message=\"{}\"/></testcase>\n",
        escape_markup(report.refused.empty() ? "no case was executed" : report.refused));
  }
  for (const CaseResult &c : report.cases) {
    const std::string inside = outcome(report, run, c);
    out += fmt::format("    <testcase classname=\"{}\" name=\"{}\"", escape_markup(c.line.substr(0, c.line.find(' '))),
                       escape_markup(c.line));
    out += inside.empty() ? "/>\n" : ">" + inside + "</testcase>\n";
  }
  out += "  </testsuite>\n";
}

}  // namespace

std::string junit_report(std::span<const PluginReport> reports, const RunInfo &run) {
  Counts all;
  for (const PluginReport &report : reports) {
    const Counts c = count(report);
    all = {all.tests + c.tests, all.failures + c.failures, all.errors + c.errors, all.skipped + c.skipped};
  }
  std::string out = fmt::format("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"rayo conform\" {}>\n",
                                attributes(all));
  for (const PluginReport &report : reports) append_suite(out, report, run);
  return out + "</testsuites>\n";
}

}  // namespace rayo::conform
