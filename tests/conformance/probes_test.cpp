// SPDX-License-Identifier: Apache-2.0
//
// Checks of the plugin itself: each is failed by a plugin with the defect that it is for, and passed by the same plugin
// without; each replays by its line.
#include <gtest/gtest.h>

#include <cstdlib>

#include "runner/report.hpp"
#include "runner/session.hpp"
#include "suites/generator.hpp"
#include "suites/probes.hpp"

namespace rayo::conform {
namespace {

class Probes : public ::testing::Test {
 protected:
  void TearDown() override { ::unsetenv("RAYO_TEST_DEFECT"); }

  static CaseResult judge(const std::string &line, const std::string &defect = {}) {
    if (!defect.empty()) ::setenv("RAYO_TEST_DEFECT", defect.c_str(), 1);
    const std::vector<Case> cases = {parse_case(line)};
    SessionOptions options;
    options.case_seconds = 10;
    const PluginReport report = judge_plugin(RAYO_MISFIT_FILE, cases, options);
    ::unsetenv("RAYO_TEST_DEFECT");
    EXPECT_EQ(report.refused, "") << line << " " << defect;
    return report.cases[0];
  }
};

TEST_F(Probes, APluginWithoutDefectPassesAll) {
  for (const ProbeInfo &probe : probes()) {
    const std::string line = std::string(probe.suite) + " " + std::string(probe.name);
    const CaseResult result = judge(line);
    EXPECT_EQ(result.line, line);
    EXPECT_EQ(result.verdict.state, State::passed) << line << ": " << result.verdict.message;
  }
}

TEST_F(Probes, EachDefectIsCaughtByItsCheck) {
  const std::vector<std::pair<std::string, std::string>> expected = {{"query_repeats", "abi query_repeats"},
                                                                     {"query_null", "abi query_null"},
                                                                     {"major", "abi other_major"},
                                                                     {"minor", "abi newer_minor"},
                                                                     {"struct_size", "abi larger_struct_size"},
                                                                     {"beyond", "abi larger_struct_size"},
                                                                     {"extension", "abi unknown_extension"},
                                                                     {"must_understand", "abi must_understand"},
                                                                     {"lying_capability", "abi capabilities"},
                                                                     {"supports_code", "abi capabilities"},
                                                                     {"header", "abi capabilities"},
                                                                     {"call_fails", "abi capabilities"},
                                                                     {"instances", "abi instances"},
                                                                     {"workspace", "abi workspace"},
                                                                     {"workspace_overrun", "abi workspace"},
                                                                     {"executor", "abi executor"},
                                                                     {"undeclared_threads", "abi executor"},
                                                                     {"leak", "abi allocations"},
                                                                     {"flush", "env fp_mode"},
                                                                     {"locale", "env locale"},
                                                                     {"cwd", "env cwd"},
                                                                     {"umask", "env cwd"},
                                                                     {"signals", "env signals"},
                                                                     {"files", "env files"},
                                                                     {"variables", "env variables"},
                                                                     {"stdout", "env stdout"},
                                                                     {"threads", "env threads"}};
  for (const auto &[defect, line] : expected) {
    const CaseResult result = judge(line, defect);
    EXPECT_EQ(result.verdict.state, State::failed) << defect << ": " << line << ": " << result.verdict.message;
    EXPECT_EQ(result.verdict.message.find(line), 0u) << result.verdict.message;
  }
}

TEST_F(Probes, ACrashCostsOneCheck) { EXPECT_EQ(judge("abi error_null", "error_null").verdict.state, State::crashed); }

TEST_F(Probes, UnknownChecksAreRefused) {
  EXPECT_THROW((void)parse_case("abi no_such_check"), CaseError);
  EXPECT_THROW((void)parse_case("env"), CaseError);
  EXPECT_THROW((void)parse_case("env fp_mode f32"), CaseError);
}

TEST_F(Probes, AreGeneratedOnceWithTheCatalogueAndAlone) {
  const std::vector<std::string> alone = {"abi"};
  std::size_t count = 0;
  for (const Case &c : generate(alone, true, 1)) {
    EXPECT_EQ(c.op, "abi");
    ++count;
  }
  EXPECT_GT(count, 15u);
}

}  // namespace
}  // namespace rayo::conform
