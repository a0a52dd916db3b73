// SPDX-License-Identifier: Apache-2.0
//
// How a run is carried out must not show in its results: lanes, shuffled order, results known from another plugin.
#include "runner/session.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <numeric>

#include "runner/report.hpp"
#include "runner/schedule.hpp"
#include "suites/generator.hpp"

namespace rayo::conform {
namespace {

std::vector<Case> some_cases() {
  const std::vector<std::string> ops = {"add", "exp", "softmax", "matmul"};
  return slice(generate(ops, true, 3), 4, 0);
}

void expect_same(const PluginReport &a, const PluginReport &b) {
  ASSERT_EQ(a.cases.size(), b.cases.size());
  for (std::size_t i = 0; i < a.cases.size(); ++i) {
    EXPECT_EQ(a.cases[i].line, b.cases[i].line);
    EXPECT_EQ(a.cases[i].verdict.state, b.cases[i].verdict.state) << a.cases[i].line;
    EXPECT_EQ(a.cases[i].verdict.error_ulp, b.cases[i].verdict.error_ulp) << a.cases[i].line;
    EXPECT_EQ(a.cases[i].digest, b.cases[i].digest) << a.cases[i].line;
  }
}

TEST(Session, ReportsWhatThePluginLogsFromWarningUp) {
  if (std::string_view(RAYO_CHAOS_FILE).empty()) GTEST_SKIP() << "no chaos plugin in this build";
  const std::vector<std::string> ops = {"add"};
  const std::vector<Case> cases = slice(generate(ops, true, 3), 4, 0);
  const std::filesystem::path folder = std::filesystem::path(testing::TempDir()) / "rayo_session_log";
  std::filesystem::create_directories(folder);
  const std::filesystem::path loud = folder / "chaos-create-log.so";
  std::filesystem::copy_file(RAYO_CHAOS_FILE, loud, std::filesystem::copy_options::overwrite_existing);
  const PluginReport report = judge_plugin(loud.string(), cases, {});
  std::filesystem::remove_all(folder);
  ASSERT_TRUE(report.refused.empty()) << report.refused;
  ASSERT_EQ(report.messages.texts.size(), 2u);
  EXPECT_EQ(report.messages.texts[0].level, "warning");
  EXPECT_EQ(report.messages.texts[0].text, "chaos warns");
  EXPECT_EQ(report.messages.texts[0].count, 2u);
  EXPECT_EQ(report.messages.texts[1].level, "error");
  EXPECT_EQ(report.messages.texts[1].text, "chaos complains");
  EXPECT_EQ(report.messages.count(), 3u);
  const std::vector<PluginReport> reports = {report};
  EXPECT_NE(text_report(reports, {}).find("log messages (warnings, errors): 3\n    warning, 2x: chaos warns\n"),
            std::string::npos);
  const auto json = nlohmann::json::parse(json_report(reports, {}));
  EXPECT_EQ(json["reports"][0]["messages_total"], 3);
  EXPECT_EQ(json["reports"][0]["messages"][1]["text"], "chaos complains");
  EXPECT_EQ(judge_plugin(RAYO_SCALAR_FILE, cases, {}).messages.count(), 0u);
}

TEST(Session, ShuffledOrderGivesTheSameVerdictsAndBits) {
  const std::vector<Case> cases = some_cases();
  const PluginReport plain = judge_plugin(RAYO_SCALAR_FILE, cases, {});
  EXPECT_TRUE(plain.good());
  EXPECT_TRUE(
      std::any_of(plain.cases.begin(), plain.cases.end(), [](const CaseResult &c) { return !c.digest.empty(); }));
  SessionOptions options;
  options.shuffle = true;
  for (const std::uint64_t seed : {1, 2}) {
    options.shuffle_seed = seed;
    expect_same(plain, judge_plugin(RAYO_SCALAR_FILE, cases, options));
  }
}

TEST(Session, LanesAndKnownResultsDoNotShow) {
  const std::vector<Case> cases = some_cases();
  SessionOptions options;
  options.reference = RAYO_SCALAR_FILE;
  const PluginReport plain = judge_plugin(RAYO_SCALAR_FILE, cases, options);
  options.lanes = 3;
  const std::vector<std::string> files = {RAYO_SCALAR_FILE, RAYO_SCALAR_FILE};
  const std::vector<PluginReport> both = judge_plugins(files, cases, options);
  expect_same(plain, both[0]);
  expect_same(plain, both[1]);  // judged by what the first one passed with
}

TEST(Schedule, EveryCaseRunsOnceAndTheSeedChoosesTheOrder) {
  const std::vector<Case> cases = some_cases();
  SessionOptions options;
  options.lanes = 2;
  options.shuffle = true;
  const auto shares = share_out(cases, options);
  ASSERT_EQ(shares.size(), 2u);
  std::vector<std::size_t> all = shares[0];
  all.insert(all.end(), shares[1].begin(), shares[1].end());
  std::sort(all.begin(), all.end());
  std::vector<std::size_t> expected(cases.size());
  std::iota(expected.begin(), expected.end(), std::size_t{0});
  EXPECT_EQ(all, expected);
  EXPECT_FALSE(std::is_sorted(shares[0].begin(), shares[0].end()));
  options.shuffle_seed = 2;
  EXPECT_NE(share_out(cases, options), shares);
  options.shuffle = false;
  const std::vector<std::size_t> plain = share_out(cases, options)[0];
  EXPECT_TRUE(std::is_sorted(plain.begin(), plain.end()));
}

TEST(Circumstances, AForkedAndALoadedRunOfScalarPass) {
  for (const char *line :
       {"add f32 5000,5000 - 0 uniform 3 @threads=7 @fork=1", "add f32 5000,5000 - 0 uniform 3 @load=2"}) {
    const std::vector<Case> cases = {parse_case(line)};
    EXPECT_EQ(judge_plugin(RAYO_SCALAR_FILE, cases, {}).cases[0].verdict.state, State::passed) << line;
    EXPECT_EQ(format_case(cases[0]), line);
  }
}

}  // namespace
}  // namespace rayo::conform
