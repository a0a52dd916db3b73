// SPDX-License-Identifier: Apache-2.0
//
// Reports made of given verdicts: what they escape, count and leave out.
#include "runner/report.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "runner/html/aggregate.hpp"
#include "runner/markup.hpp"

namespace rayo::conform {
namespace {

CaseResult result(const std::string &line, State state, double error = 0, double bound = 0,
                  const std::string &message = "") {
  return {line, {state, error, bound, message}, ""};
}

PluginReport plugin(const std::string &name, std::vector<CaseResult> cases) {
  PluginReport report;
  report.plugin = name;
  report.file = "/opt/" + name + ".so";
  report.sha256 = std::string(64, 'a');
  report.cases = std::move(cases);
  return report;
}

std::size_t occurrences(const std::string &text, const std::string &what) {
  std::size_t n = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++n;
  return n;
}

TEST(Markup, EscapesWhatXmlReservesAndReplacesWhatItCannotHold) {
  EXPECT_EQ(escape_markup("a<b>&\"'"), "a&lt;b&gt;&amp;&quot;&#39;");
  EXPECT_EQ(escape_markup("tab\tline\n"), "tab&#9;line&#10;");
  const std::string replaced = "\xEF\xBF\xBD";
  EXPECT_EQ(escape_markup(std::string("\0\x1b[31m", 6)), replaced + replaced + "[31m");
  EXPECT_EQ(escape_markup("\xff\xc3"), replaced + replaced);
  EXPECT_EQ(escape_markup("\xed\xa0\x80"), replaced + replaced + replaced);  // a surrogate
  EXPECT_EQ(escape_markup("\xef\xbf\xbe"), replaced + replaced + replaced);  // U+FFFE
  EXPECT_EQ(escape_markup("\xc0\xaf"), replaced + replaced);                 // overlong
  EXPECT_EQ(escape_markup("\xc3\xa4\xe2\x80\x93\xf0\x9f\x98\x80"), "\xc3\xa4\xe2\x80\x93\xf0\x9f\x98\x80");
}

TEST(Markup, ReplayCommandsSurviveAShell) {
  EXPECT_EQ(shell_word("/opt/acme.so"), "/opt/acme.so");
  EXPECT_EQ(shell_word("/o'p t"), "'/o'\\''p t'");
  EXPECT_EQ(shell_word("$(rm)"), "'$(rm)'");
  EXPECT_EQ(shell_word(""), "''");
  RunInfo run;
  run.reference = "/my scalar.so";
  PluginReport report;
  report.file = "/a.so";
  EXPECT_EQ(replay_command(report, run, "add f32 1,1 - 0 uniform 1"),
            "rayo conform --plugin /a.so --reference '/my scalar.so' --case 'add f32 1,1 - 0 uniform 1'");
}

TEST(Aggregate, TakesFactsFromCaseLines) {
  const CaseFacts facts = facts_of("matmul_integer u8,i8 3x4,4x50,none - 0 bits 1");
  EXPECT_EQ(facts.op, "matmul_integer");
  EXPECT_EQ(facts.dtype, "u8,i8");
  EXPECT_EQ(facts.distribution, "bits");
  EXPECT_EQ(facts.elements, 200);
  EXPECT_EQ(facts_of("add f32 1,1 - 0 uniform,nan 1").distribution, "mixed");
  EXPECT_EQ(facts_of("acme.foo").op, "acme.foo");
  EXPECT_EQ(facts_of("acme.foo").elements, -1);
  EXPECT_EQ(facts_of("abi null_table").op, "abi");
  EXPECT_EQ(facts_of("abi null_table").dtype, "null_table");
  EXPECT_EQ(size_classes()[size_class(0)], "0");
  EXPECT_EQ(size_classes()[size_class(1)], "1");
  EXPECT_EQ(size_class(15), size_class(2));
  EXPECT_EQ(size_classes().size(), size_class(INT64_MAX) + 1);
}

TEST(Aggregate, KeepsTheWorstShareOfPassedCases) {
  const std::vector<PluginReport> reports = {plugin("one", {result("exp f32 8 - 0 uniform 1", State::passed, 1, 4),
                                                            result("exp f32 9 - 0 uniform 1", State::passed, 3, 4),
                                                            result("exp f64 9 - 0 uniform 1", State::failed, 90, 4)}),
                                             plugin("two", {result("exp f32 8 - 0 positive 1", State::passed, 2, 4)})};
  const Aggregate all = aggregate(reports);
  ASSERT_EQ(all.support.size(), 2u);
  EXPECT_EQ(all.support[0].dtype, "f32");
  EXPECT_DOUBLE_EQ(all.support[0].cells[0].worst_share, 0.75);
  EXPECT_DOUBLE_EQ(all.support[0].cells[1].worst_share, 0.5);
  EXPECT_TRUE(all.support[1].cells[0].defective());
  EXPECT_EQ(all.support[1].cells[1].cases(), 0u);
  EXPECT_EQ(all.by_distribution.columns, (std::vector<std::string>{"uniform", "positive"}));
  EXPECT_EQ(all.by_distribution.rows.at("exp").at("positive").worst_plugin, "two");
}

TEST(HtmlReport, ChecksOfThePluginItselfHaveRowsOfTheirOwn) {
  const std::string page = html_report(std::vector{plugin("p", {result("abi null_table", State::passed)})});
  EXPECT_NE(page.find("<td class=type>null_table</td><td class=\"exact\" title=\"1 passed\">passed</td>"),
            std::string::npos)
      << page.substr(page.find("<section id=support>"), 2000);
}

TEST(HtmlReport, HostileTextStaysText) {
  const std::string evil = "</script><img src=x onerror=alert(1)>";
  PluginReport report = plugin("p" + evil, {result("add f32 1,1 - 0 uniform 1", State::failed, 1, 0, evil)});
  report.file = "/" + evil;
  report.refused = evil;
  const std::string page = html_report(std::vector{report});
  EXPECT_EQ(page.find("<img"), std::string::npos);
  EXPECT_EQ(occurrences(page, "</script>"), 1u);
}

TEST(HtmlReport, AStateIsAWordNeverAColourAlone) {
  const std::vector<PluginReport> reports = {
      plugin("p", {result("add f32 1,1 - 0 uniform 1", State::failed, 1, 0, "a"),
                   result("sub f32 1,1 - 0 uniform 1", State::crashed, 0, 0, "b"),
                   result("mul f32 1,1 - 0 uniform 1", State::hung, 0, 0, "c"),
                   result("div f32 1,1 - 0 uniform 1", State::distrusted, 0, 0, "d"),
                   result("max f32 1,1 - 0 uniform 1", State::expected_fail, 0, 0, "e"),
                   result("min f32 1,1 - 0 uniform 1", State::not_evaluated, 0, 0, "f"),
                   result("abs f32 1 - 0 uniform 1", State::unsupported, 0, 0, "g"),
                   result("neg f32 1 - 0 uniform 1", State::passed)})};
  const std::string page = html_report(reports);
  for (const char *cell : {">1 failed<", ">1 crashed<", ">1 hung<", ">1 distrusted<", ">1 expected<", ">not run<",
                           ">\u2013<", ">exact<"}) {
    EXPECT_NE(page.find(cell), std::string::npos) << cell;
  }
}

TEST(HtmlReport, ListsAllFailuresUpToALimitThatItStates) {
  std::vector<CaseResult> cases;
  for (int i = 1; i <= 1300; ++i) {
    cases.push_back(result("add f32 " + std::to_string(i) + " - 0 uniform 1", State::failed, 1, 0, "off"));
  }
  const std::string page = html_report(std::vector{plugin("p", std::move(cases))});
  EXPECT_EQ(occurrences(page, "<li><p><b class=\"tag st-failed\">"), 1000u);
  EXPECT_NE(page.find("The first 1,000 are listed; <code>--format json</code> has all 1,300."), std::string::npos);
  EXPECT_NE(page.find("1,300 defects"), std::string::npos);
}

TEST(HtmlReport, ShowsTheFiveWorstOfAnOpWithPluginsThatErrAlikeTogether) {
  std::vector<CaseResult> cases;
  for (int i = 1; i <= 20; ++i) {
    cases.push_back(result("exp f32 " + std::to_string(i) + " - 0 uniform 1", State::passed, i, 40));
  }
  const std::vector<PluginReport> reports = {plugin("one", cases), plugin("two", cases)};
  const std::string page = html_report(reports);
  const std::string worst = page.substr(page.find("<section id=worst>"));
  EXPECT_EQ(occurrences(worst, "of its bound"), 5u);
  EXPECT_EQ(occurrences(worst, "one, two</span>"), 5u);
  EXPECT_NE(worst.find("exp f32 20 "), std::string::npos);
  EXPECT_EQ(worst.find("exp f32 15 "), std::string::npos);
}

TEST(HtmlReport, IsSmallForALargeRun) {
  std::vector<CaseResult> cases;
  for (int i = 0; i < 20000; ++i) {
    cases.push_back(result("exp f32 " + std::to_string(i) + " - 0 uniform 1", State::passed, 0.25, 1));
  }
  EXPECT_LT(html_report(std::vector{plugin("p", std::move(cases))}).size(), 40000u);
}

TEST(HtmlReport, NoPluginIsNotGood) { EXPECT_NE(html_report({}).find("<title>Bad"), std::string::npos); }

TEST(JunitReport, ARunWithoutAnExecutedCaseIsAnError) {
  PluginReport report = plugin("p", {result("exp f32 1 - 0 uniform 1", State::unsupported, 0, 0, "no kernel")});
  const std::string xml = junit_report(std::vector{report});
  EXPECT_NE(xml.find("tests=\"2\" failures=\"0\" errors=\"1\" skipped=\"1\""), std::string::npos) << xml;
  EXPECT_NE(xml.find("no case was executed"), std::string::npos);
}

TEST(JsonReport, SaysWhatKindOfRunItWas) {
  RunInfo run = describe_run();
  run.kind = RunKind::quick;
  const nlohmann::json root = nlohmann::json::parse(json_report({}, run));
  EXPECT_EQ(root.at("schema"), "urn:rayo:conform:1");
  EXPECT_EQ(root.at("run").at("kind"), "quick");
  EXPECT_FALSE(root.at("run").at("machine").get<std::string>().empty());
  EXPECT_EQ(root.at("run").at("date").get<std::string>().size(), 20u);
}

}  // namespace
}  // namespace rayo::conform
