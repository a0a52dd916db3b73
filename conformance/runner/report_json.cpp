// SPDX-License-Identifier: Apache-2.0
//
// The report for programs; conformance/schema/ describes it. Fields are added, never renamed.
#include <nlohmann/json.hpp>

#include "runner/report.hpp"

namespace rayo::conform {
namespace {

using nlohmann::ordered_json;

constexpr const char *kReportSchema = "urn:rayo:conform:1";  // $id of conformance/schema/conform.schema.json

ordered_json summary(const PluginReport &report) {
  ordered_json s;
  for (std::size_t i = 0; i < kStateNames.size(); ++i) {
    s[std::string(kStateNames[i])] = report.count(static_cast<State>(i));
  }
  return s;
}

ordered_json run_section(const RunInfo &run) {
  ordered_json lines = ordered_json::array();
  for (const Expectation &e : run.expectations) {
    lines.push_back({{"file", e.file},
                     {"line", e.line},
                     {"plugin", e.plugin},
                     {"cases", e.cases},
                     {"reason", e.reason},
                     {"matched", e.matched}});
  }
  return {{"rayo", run.rayo},
          {"date", run.date},
          {"machine", run.machine},
          {"kind", run_kind_name(run.kind)},
          {"seed", run.seed},
          {"seconds", run.seconds},
          {"expectations", std::move(lines)}};
}

}  // namespace

std::string json_report(std::span<const PluginReport> reports, const RunInfo &run) {
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
    ordered_json messages = ordered_json::array();
    for (const Message &m : report.messages.texts) {
      messages.push_back({{"level", m.level}, {"text", m.text}, {"count", m.count}});
    }
    all.push_back({{"plugin", report.plugin},
                   {"file", report.file},
                   {"sha256", report.sha256},
                   {"seed", report.seed},
                   {"good", report.good()},
                   {"refused", report.refused},
                   {"summary", summary(report)},
                   {"messages_total", report.messages.count()},
                   {"messages", std::move(messages)},
                   {"cases", std::move(cases)}});
  }
  const ordered_json root = {{"schema", kReportSchema}, {"run", run_section(run)}, {"reports", std::move(all)}};
  return root.dump(1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace rayo::conform
