// SPDX-License-Identifier: Apache-2.0
//
// The program itself, run as a user runs it: what it prints of a failure replays in a process of its own, and a plugin
// that dies in one case and hangs in another is told so, with everything else judged.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace {

using nlohmann::json;

struct Outcome {
  int status = -1;
  std::vector<json> cases;
};

// conform_main on a mutant, with the report as JSON.
Outcome conform(const std::string &mutant, const std::string &args) {
  const std::string out = ::testing::TempDir() + "/replay_" + mutant + ".json";
  std::remove(out.c_str());
  const std::string command = std::string(RAYO_CONFORM_PROGRAM) + " --plugin " + RAYO_MUTANT_DIR + "/mutant_" + mutant +
                              ".so --reference " + RAYO_SCALAR_FILE + " --format json -o " + out + " " + args;
  const int status = std::system(command.c_str());  // NOLINT(cert-env33-c): the shell of a test
  Outcome run;
  run.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  std::ifstream file(out);
  const json root = json::parse(file);
  for (const json &c : root.at("reports").at(0).at("cases")) run.cases.push_back(c);
  return run;
}

class Replay : public ::testing::TestWithParam<std::pair<const char *, const char *>> {};

// Up to five failures of a quick run, one after the other, each in a new process, twice.
TEST_P(Replay, AFailingLineFailsAgainWithTheSameNumbers) {
  const auto &[mutant, op] = GetParam();
  const Outcome whole = conform(mutant, std::string("--quick --ops ") + op);
  EXPECT_EQ(whole.status, 1);
  int replayed = 0;
  for (const json &c : whole.cases) {
    if (c.at("state") != "failed" || replayed == 5) continue;
    ++replayed;
    const std::string line = c.at("case");
    for (int round = 0; round < 2; ++round) {
      const Outcome alone = conform(mutant, "--case '" + line + "'");
      EXPECT_EQ(alone.status, 1) << line;
      ASSERT_EQ(alone.cases.size(), 1u) << line;
      const json &again = alone.cases.at(0);
      for (const char *field : {"case", "state", "message", "error_ulp", "bound"}) {
        EXPECT_EQ(again.at(field), c.at(field)) << field << " of " << line;
      }
    }
  }
  EXPECT_GT(replayed, 0);
}

INSTANTIATE_TEST_SUITE_P(Mutants, Replay,
                         ::testing::Values(std::pair("tail_by_another_formula", "exp"),
                                           std::pair("variance_in_one_pass", "variance"),
                                           std::pair("writes_to_an_input", "add"),
                                           std::pair("gemm_reads_c_when_beta_is_0", "gemm")),
                         [](const auto &row) { return std::string(row.param.first); });

TEST(Program, ACrashAndAHangAreReportedAsSuchAndTheRestIsJudged) {
  const Outcome run = conform("crash_and_hang",
                              "--quick --case 'add f32 16,16 - 0 uniform 1' --case 'add f32 17,17 - 0 uniform 1' "
                              "--case 'max f32 18,18 - 0 uniform 1' --case 'add f32 33,33 - 0 uniform 1' "
                              "--case 'matmul f32 4x5,5x6 - 0 uniform 1'");
  EXPECT_EQ(run.status, 1);
  std::vector<std::string> states;
  for (const json &c : run.cases) states.push_back(c.at("state"));
  EXPECT_EQ(states, (std::vector<std::string>{"passed", "crashed", "passed", "hung", "passed"}));
  EXPECT_NE(run.cases.at(1).at("message").get<std::string>().find("SIG"), std::string::npos);
}

}  // namespace
