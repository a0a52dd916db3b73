// SPDX-License-Identifier: Apache-2.0
//
// The probe as the loader sees it: a program that is run and whose lines are read. Here it is a script, which may
// answer anything.
#include "loader/probe.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <fstream>

#include "temp_folder.hpp"

namespace rayo {
namespace {

using rayo_test::TempFolder;

class FakeProbe : public testing::Test {
 protected:
  // `body`: a shell script whose descriptor 3 is read.
  std::string program(const std::string &body) {
    std::string file = folder_ / "fake-probe";
    std::ofstream(file) << "#!/bin/sh\n" << body << "\n";
    EXPECT_EQ(::chmod(file.c_str(), 0700), 0);
    return file;
  }
  std::vector<ProbeResult> ask(const std::string &body, size_t jobs = 2) {
    return run_probes(program(body), std::vector<ProbeJob>(jobs, {"/x.so", 100}), 0);
  }
  static std::string line(const std::string &json) { return "echo '" + json + "' >&3\n"; }
  static std::string answer(const std::string &index, const std::string &state, const std::string &reason,
                            const std::string &lasting = "true") {
    return line("{\"index\":" + index + ",\"state\":\"" + state + "\",\"reason\":\"" + reason +
                "\",\"lasting\":" + lasting + "}");
  }
  const std::string end_ = line("{\"end\":true}");
  TempFolder folder_;
};

TEST_F(FakeProbe, EachAnswerIsTheResultOfItsFile) {
  const auto results = ask(answer("1", "quarantined", "crashed", "false") + answer("0", "ready", "") + end_);
  ASSERT_EQ(results.size(), 2u);
  EXPECT_EQ(results[0].state, PluginState::ready);
  EXPECT_EQ(results[0].reason, "");
  EXPECT_TRUE(results[0].lasting);
  EXPECT_EQ(results[1].state, PluginState::quarantined);
  EXPECT_EQ(results[1].reason, "crashed");
  EXPECT_FALSE(results[1].lasting);
}

TEST_F(FakeProbe, WhatIsNoAnswerLeavesTheFileWithoutAVerdict) {
  const std::string strange[] = {line("not JSON"),
                                 line("{}"),
                                 line("{\"index\":-1}"),
                                 line("{\"index\":\"0\"}"),
                                 line("{\"index\":0,\"state\":7}"),
                                 line("{\"index\":0,\"state\":\"ready\"}"),
                                 answer("2", "ready", ""),
                                 answer("18446744073709551615", "ready", "")};
  std::string all;
  for (const std::string &each : strange) all += each;
  for (const ProbeResult &result : ask(all + end_)) {
    EXPECT_EQ(result.state, PluginState::rejected);
    EXPECT_NE(result.reason.find("ended without a verdict"), std::string::npos) << result.reason;
    EXPECT_FALSE(result.lasting);
  }
}

TEST_F(FakeProbe, ARefusalWithoutAReasonGetsOne) {
  const auto results = ask(answer("0", "rejected", "") + answer("1", "no such state", "") + end_);
  for (const ProbeResult &result : results) {
    EXPECT_EQ(result.state, PluginState::rejected);
    EXPECT_EQ(result.reason, "did not pass its probe");
  }
}

TEST_F(FakeProbe, NothingBehindTheEndIsRead) {
  EXPECT_EQ(ask(end_ + answer("0", "ready", ""))[0].state, PluginState::rejected);
}

TEST_F(FakeProbe, ALineThatDoesNotEndIsGivenUp) {
  const auto results = ask(answer("0", "ready", "") + "yes | tr -d '\\n' >&3");
  EXPECT_EQ(results[0].state, PluginState::ready);
  EXPECT_EQ(results[1].state, PluginState::rejected);
}

TEST_F(FakeProbe, AProgramThatDiesAtOnceIsSaidToHaveEnded) {
  EXPECT_NE(ask("kill -9 $$")[0].reason.find("ended without a verdict"), std::string::npos);
}

TEST_F(FakeProbe, WithoutJobsNothingIsRun) { EXPECT_TRUE(run_probes("/no/such/program", {}, 0).empty()); }

TEST_F(FakeProbe, AProgramThatCannotBeRunIsNamed) {
  const auto results = run_probes("/no/such/program", {{"/x.so", 100}}, 0);
  EXPECT_EQ(results[0].reason, "could not be probed: /no/such/program cannot be run: No such file or directory");
}

TEST_F(FakeProbe, GetsWhatAReplayIsOf) {
  const std::string file = folder_ / "arguments";
  const auto results = run_replays(program("printf '%s\\n' \"$@\" >>" + file + "\n" + answer("0", "ready", "") + end_),
                                   {{"/x.so", "first line"}, {"/y.so", "second"}}, 77);
  ASSERT_EQ(results.size(), 2u);
  EXPECT_EQ(results[1].state, PluginState::ready);
  const std::vector<char> bytes = rayo_test::read_file(file);
  const std::string text(bytes.begin(), bytes.end());
  for (const char *part :
       {"--cpu-features\n77\n", "--replay\nfirst line\n--\n2000\n/x.so\n", "--replay\nsecond\n--\n"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " in: " << text;
  }
}

// The application's timers go off while the probe is waited for.
TEST_F(FakeProbe, ASignalOfTheApplicationsDoesNotEndIt) {
  static volatile sig_atomic_t signals = 0;
  struct sigaction handler {};
  struct sigaction before {};
  handler.sa_handler = [](int) { signals = signals + 1; };  // without SA_RESTART
  ASSERT_EQ(::sigaction(SIGALRM, &handler, &before), 0);
  const itimerval every{{0, 5000}, {0, 5000}};
  const itimerval never{};
  ::setitimer(ITIMER_REAL, &every, nullptr);
  const auto results = ask("sleep 0.3\n" + answer("0", "ready", "") + "sleep 0.1\n" + answer("1", "ready", "") + end_);
  ::setitimer(ITIMER_REAL, &never, nullptr);
  ::sigaction(SIGALRM, &before, nullptr);
  EXPECT_GT(signals, 5);
  EXPECT_EQ(results[0].state, PluginState::ready);
  EXPECT_EQ(results[1].state, PluginState::ready);
}

TEST_F(FakeProbe, WithoutDescriptorsTheFileIsNotProbedAndNoneIsLost) {
  const std::string file = program(answer("0", "ready", "") + end_);
  const auto first_free = [] {
    const int fd = ::dup(0);
    ::close(fd);
    return static_cast<rlim_t>(fd);
  };
  const rlim_t free = first_free();
  rlimit usual{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &usual), 0);
  int refused = 0;
  int probed = 0;
  for (rlim_t limit = free; limit < free + 64 && probed < 2; ++limit) {  // a shell needs some too
    const rlimit low{limit, usual.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
    const auto results = run_probes(file, {{"/x.so", 100}}, 0);
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &usual), 0);
    if (results[0].state == PluginState::ready) {
      ++probed;
    } else {
      ++refused;
      EXPECT_NE(results[0].reason.find("could not be probed: "), std::string::npos) << results[0].reason;
    }
    EXPECT_EQ(first_free(), free);
  }
  EXPECT_GT(refused, 1);
  EXPECT_GT(probed, 0);
}

TEST_F(FakeProbe, TheOneBesideTheLibraryIsFound) {
  std::string problem;
  const std::string found = find_probe_program(&problem);
  EXPECT_TRUE(found.ends_with("/rayo-probe")) << found;
  EXPECT_EQ(problem, "");
}

}  // namespace
}  // namespace rayo
