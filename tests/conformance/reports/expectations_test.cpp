// SPDX-License-Identifier: Apache-2.0
//
// Expectations: what a line names, what becomes of verdicts, and what a malformed file is told.
#include "runner/expectations.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "runner/options.hpp"
#include "runner/report.hpp"

namespace rayo::conform {
namespace {

constexpr const char *kCase =
    "gemm f32 3x4,4x5 -,1x4 0 uniform,subnormal 42 alpha=0.7 transB=0 @guard=front @threads=7";

Expectation line(const std::string &text) { return parse_expectations(text, "known.txt").at(0); }

std::string refusal(const std::string &text) {
  try {
    (void)parse_expectations(text, "known.txt");
    return "accepted";
  } catch (const UsageError &error) {
    return error.what();
  }
}

TEST(Expectations, ReadsLinesAndSkipsComments) {
  const auto list = parse_expectations(
      "\xEF\xBB\xBF# head\r\n\r\n  acme*  |  exp   f32  subnormal | flushes; ACME-1 | 2\r\n\t# indented\n*|add|x",
      "known.txt");
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(list[0].line, 3u);
  EXPECT_EQ(list[0].plugin, "acme*");
  EXPECT_EQ(list[0].cases, "exp f32 subnormal");
  EXPECT_EQ(list[0].reason, "flushes; ACME-1 | 2");
  EXPECT_EQ(list[1].line, 5u);
}

TEST(Expectations, NamesTheLineThatIsMalformed) {
  EXPECT_EQ(refusal("# x\nacme exp f32"),
            "known.txt:2: 'acme exp f32': expected three columns, PLUGIN | CASE | REASON");
  EXPECT_NE(refusal("a | exp").find("known.txt:1: 'a | exp': expected three columns"), std::string::npos);
  EXPECT_NE(refusal(" | exp | x").find("known.txt:1: PLUGIN is empty"), std::string::npos);
  EXPECT_NE(refusal("a | | x").find("CASE is empty"), std::string::npos);
  EXPECT_NE(refusal("a | exp |  ").find("REASON is empty"), std::string::npos);
  EXPECT_NE(refusal("\n\na | expp f32 | x").find("known.txt:3: 'expp' matches no op"), std::string::npos);
}

TEST(Expectations, FilesThatAreNoneAreRefused) {
  EXPECT_THROW((void)load_expectations("/nonexistent/known.txt"), UsageError);
  EXPECT_THROW((void)load_expectations("/"), UsageError);
  EXPECT_THROW((void)load_expectations("/dev/zero"), UsageError);
  const std::string huge = ::testing::TempDir() + "/huge_expectations.txt";
  std::ofstream(huge) << std::string((1 << 20) + 1, '#');
  EXPECT_THROW((void)load_expectations(huge), UsageError);
}

TEST(Expectations, MatchByOpTypeAndWords) {
  for (const char *pattern : {"gemm", "gemm f32", "* f32", "g* *", "gemm f32 @threads=7", "gemm * @threads=* alpha=0.7",
                              "gemm f32 42", "gemm f32 3x4,*", "gemm f?? @guard=front uniform,subnormal"}) {
    EXPECT_TRUE(matches(line(std::string("acme | ") + pattern + " | x"), "acme", kCase)) << pattern;
  }
  for (const char *pattern : {"add", "gemm f64", "gemm f32 @threads=1", "gemm f32 subnormal", "gemm f3", "gemm 42"}) {
    EXPECT_FALSE(matches(line(std::string("acme | ") + pattern + " | x"), "acme", kCase)) << pattern;
  }
  EXPECT_FALSE(matches(line("other* | gemm | x"), "acme", kCase));
  EXPECT_TRUE(matches(line("a?me | gemm | x"), "acme", kCase));
}

TEST(Expectations, AWholeCaseLineStandsForThatCaseAlone) {
  const Expectation whole = line("* | add f32 9,9 - 0 uniform 1 | x");
  EXPECT_TRUE(matches(whole, "acme", "add f32 9,9 - 0 uniform 1"));
  EXPECT_FALSE(matches(whole, "acme", "add f32 9,9 - 0 uniform 1 @threads=2"));
}

class Applied : public ::testing::Test {
 protected:
  Applied() {
    report_.plugin = "acme";
    report_.cases = {{"add f32 1,1 - 0 uniform 1", {State::passed, 0, 0, ""}, ""},
                     {"add f32 2,2 - 0 uniform 1", {State::failed, 2, 0, "oracle: off"}, ""},
                     {"sub f32 1,1 - 0 uniform 1", {State::failed, 2, 0, "oracle: off"}, ""},
                     {"mul f32 1,1 - 0 uniform 1", {State::crashed, 0, 0, "signal SIGSEGV"}, ""},
                     {"exp f32 1 - 0 uniform 1", {State::unsupported, 0, 0, "no kernel"}, ""}};
  }
  void apply(const std::string &text) {
    lines_ = parse_expectations(text, "known.txt");
    std::vector<PluginReport> reports = {report_};
    apply_expectations(lines_, reports);
    report_ = reports[0];
  }
  State state(std::size_t i) const { return report_.cases[i].verdict.state; }

  PluginReport report_;
  std::vector<Expectation> lines_;
};

TEST_F(Applied, AListedFailureIsExpectedAndKeepsItsReason) {
  apply("acme | sub | known since 2.1");
  EXPECT_EQ(state(2), State::expected_fail);
  EXPECT_EQ(report_.cases[2].verdict.message, "known since 2.1 (known.txt:1): oracle: off");
  EXPECT_EQ(state(1), State::failed);
  EXPECT_EQ(lines_[0].matched, 1u);
}

TEST_F(Applied, ASurprisePassFailsAndSaysWhichLineToRemove) {
  apply("# known\nacme | add | known since 2.1");
  EXPECT_EQ(state(0), State::failed);
  EXPECT_NE(report_.cases[0].verdict.message.find("surprise pass: known.txt:2"), std::string::npos);
  EXPECT_EQ(state(1), State::expected_fail);
  EXPECT_FALSE(report_.good());
}

TEST_F(Applied, ACrashIsNeverExpected) {
  apply("acme | mul | crashes, we know");
  EXPECT_EQ(state(3), State::crashed);
  EXPECT_FALSE(report_.good());
}

TEST_F(Applied, ALineWithoutAnExecutedCaseIsReported) {
  apply("acme | exp | flushes\nacme | sub | known");
  EXPECT_EQ(state(4), State::unsupported);
  EXPECT_EQ(lines_[0].matched, 0u);
  RunInfo run;
  run.expectations = lines_;
  const std::string text = text_report(std::vector{report_}, run);
  EXPECT_NE(text.find("known.txt:1: matched no executed case"), std::string::npos) << text;
  EXPECT_EQ(text.find("known.txt:2: matched no"), std::string::npos) << text;
}

TEST_F(Applied, ARunWhoseFailuresAreAllExpectedIsGood) {
  report_.cases.erase(report_.cases.begin() + 3);
  apply("* | add f32 2,2 | one\n* | sub f32 | two");
  EXPECT_EQ(report_.count(State::expected_fail), 2u);
  EXPECT_TRUE(report_.good());
}

}  // namespace
}  // namespace rayo::conform
