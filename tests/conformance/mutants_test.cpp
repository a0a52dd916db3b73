// SPDX-License-Identifier: Apache-2.0
//
// Sessions, command and reports on plugins that are right, crash, hang or do not load. That every planted bug is caught
// is mutants/table.cpp's affair.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "runner/command.hpp"
#include "runner/report.hpp"
#include "runner/session.hpp"
#include "suites/generator.hpp"

namespace rayo::conform {
namespace {

std::string mutant(const std::string &bug) { return std::string(RAYO_MUTANT_DIR) + "/mutant_" + bug + ".so"; }

PluginReport judge(const std::string &bug) {
  const std::vector<std::string> ops = {"add", "max", "exp"};
  SessionOptions options;
  options.reference = RAYO_SCALAR_FILE;
  options.case_seconds = 2;
  return judge_plugin(mutant(bug), generate(ops, true, 1), options);
}

TEST(Mutants, WithoutABugPasses) {
  const PluginReport report = judge("none");
  EXPECT_TRUE(report.good()) << text_report(std::vector{report});
  EXPECT_GT(report.count(State::passed), 200u);
  EXPECT_GT(report.count(State::unsupported), 0u);  // max and exp in f64
  EXPECT_EQ(report.sha256.size(), 64u);
  EXPECT_EQ(report.plugin, "mutant");
}

TEST(Mutants, ACrashAndAHangCostTheirCasesOnly) {
  const std::vector<Case> cases = {parse_case("add f32 16,16 - 0 uniform 1"), parse_case("add f32 17,17 - 0 uniform 1"),
                                   parse_case("add f32 18,18 - 0 uniform 1"), parse_case("add f32 33,33 - 0 uniform 1"),
                                   parse_case("max f32 34,34 - 0 uniform 1")};
  SessionOptions options;
  options.case_seconds = 1;
  const PluginReport report = judge_plugin(mutant("crash_and_hang"), cases, options);
  const std::vector<State> expected = {State::passed, State::crashed, State::passed, State::hung, State::passed};
  for (std::size_t i = 0; i < cases.size(); ++i) {
    EXPECT_EQ(report.cases[i].verdict.state, expected[i])
        << report.cases[i].line << ": " << report.cases[i].verdict.message;
  }
}

TEST(Session, ARunThatExecutesNothingIsBad) {
  const std::vector<Case> cases = {parse_case("log f32 16 - 0 uniform 1")};
  const PluginReport report = judge_plugin(mutant("none"), cases, {});
  EXPECT_EQ(report.cases[0].verdict.state, State::unsupported);
  EXPECT_FALSE(report.good());
}

TEST(Session, AFileThatIsNoPluginIsRefusedWithAReason) {
  const std::vector<Case> cases = {parse_case("add f32 16,16 - 0 uniform 1")};
  const PluginReport report = judge_plugin("/etc/passwd", cases, {});
  EXPECT_NE(report.refused, "");
  EXPECT_EQ(report.cases[0].verdict.state, State::not_evaluated);
  EXPECT_FALSE(report.good());
}

int command(std::vector<std::string> args) { return conform_command(args); }

TEST(Command, ExitCodesSayWhatHappened) {
  const std::string out = ::testing::TempDir() + "/conform_report.json";
  const std::string reference = RAYO_SCALAR_FILE;
  EXPECT_EQ(command({"--plugin", mutant("none"), "--reference", reference, "--case", "add f32 9,9 - 0 uniform 1",
                     "--json", "-o", out}),
            0);
  EXPECT_EQ(command({"--plugin", mutant("tail_off_by_one"), "--reference", reference, "--case",
                     "add f32 11,11 - 0 uniform 1", "-o", out}),
            1);
  EXPECT_EQ(command({"--plugin", "./absent.so"}), 2);
  EXPECT_EQ(command({"--format", "yaml"}), 2);
  EXPECT_EQ(command({"--ops", "bogus"}), 2);
  EXPECT_EQ(command({"--case", "add f32"}), 2);
  EXPECT_EQ(command({"stray"}), 2);
  EXPECT_EQ(command({"--seed", "-1"}), 2);
  EXPECT_EQ(command({"--lanes", "0"}), 2);
}

TEST(Command, JsonReportIsBoundToTheFile) {
  const std::string out = ::testing::TempDir() + "/conform_bound.json";
  ASSERT_EQ(command({"--plugin", mutant("none"), "--reference", RAYO_SCALAR_FILE, "--ops", "add", "--quick", "--format",
                     "json", "--seed", "5", "-o", out}),
            0);
  std::ifstream file(out);
  const nlohmann::json root = nlohmann::json::parse(file);
  const nlohmann::json &report = root.at("reports").at(0);
  EXPECT_EQ(report.at("plugin"), "mutant");
  EXPECT_EQ(report.at("sha256").get<std::string>().size(), 64u);
  EXPECT_EQ(report.at("seed"), 5);
  for (const char *state : {"passed", "failed", "unsupported", "expected_fail", "crashed", "hung", "not_evaluated"}) {
    EXPECT_TRUE(report.at("summary").contains(state)) << state;
  }
  const nlohmann::json &first = report.at("cases").at(0);
  for (const char *field : {"case", "state", "error_ulp", "bound", "message"})
    EXPECT_TRUE(first.contains(field)) << field;
}

TEST(Report, JunitEscapesAndCounts) {
  PluginReport report;
  report.plugin = "a<b";
  report.cases = {{"add f32 1", {State::passed, 0, 0, ""}, ""}, {"add f32 2", {State::failed, 1, 0, "x & \"y\""}, ""}};
  const std::string xml = junit_report(std::vector{report});
  EXPECT_NE(xml.find("name=\"a&lt;b\" tests=\"2\" failures=\"1\" errors=\"0\""), std::string::npos) << xml;
  EXPECT_NE(xml.find("x &amp; &quot;y&quot;"), std::string::npos);
}

}  // namespace
}  // namespace rayo::conform
