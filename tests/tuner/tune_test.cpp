// SPDX-License-Identifier: Apache-2.0
//
// `rayo tune` over plugins of known cost: what it finds is compared with what can be worked out on paper. The costs are
// waits far longer than what a busy machine adds to a reading.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "program.hpp"
#include "tools/tune/grown.hpp"
#include "tools/tune/plot.hpp"
#include "tools/tune/profile_file.hpp"
#include "tuner/profile.hpp"

namespace {

using namespace rayo;
using rayo::tools::test::Folder;
using rayo::tools::test::ProgramOptions;
using rayo::tools::test::ProgramResult;
using rayo::tools::test::read_file;
using rayo::tools::test::write_file;

// What depends on how long calls take cannot be told on a machine that others use too.
constexpr const char *kOnAQuietMachine = "depends on measured times: RAYO_TIMING_TESTS=1 on a quiet machine runs it";

class Tune : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directory(folder_ / "plugins");
    add(std::string(RAYO_MOCK_DIR) + "/mock_a.so");
    add(std::string(RAYO_MOCK_DIR) + "/mock_b.so");
    profile_ = folder_ / "profile.json";
  }
  void add(const std::string &file) const {
    std::filesystem::copy_file(file, (folder_ / "plugins") + "/" + std::filesystem::path(file).filename().string());
  }
  ProgramOptions environment(const std::string &a, const std::string &b) const {
    ProgramOptions options;
    options.environment = {"RAYO_PLUGIN_PATH=" + (folder_ / "plugins"),
                           "RAYO_COST_MOCK_A=" + a,
                           "RAYO_COST_MOCK_B=" + b,
                           "RAYO_COST_MOCK0=" + device_,
                           "XDG_CONFIG_HOME=" + folder_.path(),
                           "RAYO_NUM_THREADS=2"};
    return options;
  }
  ProgramResult tune(std::vector<std::string> arguments, const std::string &a, const std::string &b) const {
    arguments.insert(arguments.begin(), "tune");
    arguments.insert(arguments.end(), {"-o", profile_});
    return tools::test::rayo(arguments, environment(a, b));
  }
  // Where another candidate takes over along a class and level, for calls of as many threads as were measured.
  static std::vector<uint64_t> crossovers(const ProfileEntry &entry, uint32_t shape_class, int32_t level) {
    for (const ChoiceRow &row : entry.choices) {
      if (row.threads == entry.choices.back().threads && row.shape_class == shape_class && row.level == level) {
        return {row.from.begin() + 1, row.from.end()};
      }
    }
    return {};
  }

  static const ProfileEntry *entry_on(const Profile &profile, const std::string &residency) {
    for (const ProfileEntry &entry : profile.entries) {
      if (entry.residency == residency) return &entry;
    }
    return nullptr;
  }

  Folder folder_;
  std::string profile_;
  std::string device_;  // the costs of mock0
};

// 10 ns an element, against 400 us and 2.5 ns: they meet at 53,333.
const char *const kSlow = "rate=0.1 threads=0";
const char *const kFar = "fixed=400000 rate=0.4 threads=0";
constexpr double kMeet = 53333;
// 2 ms against 20 us for every call: a choice that a busy machine and a sanitizer leave as it is.
const char *const kDear = "fixed=2000000 rate=1000 threads=0";
const char *const kCheap = "fixed=20000 rate=1000 threads=0";

TEST_F(Tune, FindsTheCrossoverOfElementwiseWithinATenth) {
  if (std::getenv("RAYO_TIMING_TESTS") == nullptr) GTEST_SKIP() << kOnAQuietMachine;
  const ProgramResult run = tune({"--ops", "add", "--dtypes", "f32", "--budget", "6"}, kSlow, kFar);
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const Profile profile = read_profile(profile_);
  const auto found = crossovers(profile.entries.at(0), 0, 0);
  ASSERT_EQ(found.size(), 1u) << run.out;
  EXPECT_NEAR(static_cast<double>(found[0]) / kMeet, 1, 0.1);
  EXPECT_TRUE(profile.complete);
}

TEST_F(Tune, FindsTheCrossoverOfProductsThinOnesIncluded) {
  if (std::getenv("RAYO_TIMING_TESTS") == nullptr) GTEST_SKIP() << kOnAQuietMachine;
  // a: 4 ns a multiply-add. b: 2.4 ms and 1 ns, but slower in proportion below a smallest extent of 32.
  const ProgramResult run = tune({"--ops", "matmul", "--quick", "--budget", "12"}, "rate=0.25 threads=0",
                                 "fixed=2400000 rate=1 thin=32 threads=0");
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const ProfileEntry entry = read_profile(profile_).entries.at(0);
  // How much longer a takes, along products with one extent `ratio` times smaller. Where is that zero?
  const auto analytical = [](double ratio) {
    double low = 1e3;
    double high = 1e9;
    for (int i = 0; i < 200; ++i) {
      const double volume = std::sqrt(low * high);
      const double smallest = std::cbrt(volume / (ratio * ratio));
      const double longer = 4 * volume - 2400000 - volume / std::min(1.0, smallest / 32);
      (longer > 0 ? high : low) = volume;
    }
    return low;
  };
  const auto square = crossovers(entry, 0, 0);
  ASSERT_EQ(square.size(), 1u) << run.out;
  EXPECT_NEAR(static_cast<double>(square[0]) / analytical(1), 1, 0.1);
  for (const uint32_t thin : {1u, 2u, 3u}) {
    const auto found = crossovers(entry, thin, 4);
    ASSERT_EQ(found.size(), 1u) << "class " << thin;
    EXPECT_NEAR(static_cast<double>(found[0]) / analytical(8), 1, 0.1) << "class " << thin;
  }
}

TEST_F(Tune, FindsWhereASecondThreadPays) {
  if (std::getenv("RAYO_TIMING_TESTS") == nullptr) GTEST_SKIP() << kOnAQuietMachine;
  // Half the time, and 300 us for the second thread: it pays from 60,000 elements on.
  std::filesystem::remove((folder_ / "plugins") + "/mock_b.so");
  const ProgramResult run = tune({"--ops", "add", "--dtypes", "f32", "--budget", "6"}, "rate=0.1 sync=300000", "");
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const ProfileEntry entry = read_profile(profile_).entries.at(0);
  const auto found = crossovers(entry, 0, 0);
  ASSERT_EQ(found.size(), 1u) << run.out;
  EXPECT_NEAR(static_cast<double>(found[0]) / 60000, 1, 0.1);
}

// A tree with the library and what was shipped for a class of machines, and no profile of the user's.
TEST_F(Tune, AProfileOfTheClassServesWhoHasNotTuned) {
  ASSERT_EQ(tune({"--ops", "add", "--quick", "--budget", "2", "--class"}, kDear, kCheap).exit_code, 0);
  const Profile measured = read_profile(profile_);
  EXPECT_EQ(measured.kind, "class");
  EXPECT_EQ(measured.machine.instance_key, "");
  for (const ProfilePlugin &plugin : measured.plugins) EXPECT_EQ(plugin.sha256, "") << plugin.name;
  std::filesystem::create_directories(folder_ / "lib/rayo/profiles");
  std::filesystem::copy_file(RAYO_LIBRARY, folder_ / "lib/librayo.so.0");
  std::filesystem::rename(profile_, folder_ / "lib/rayo/profiles/class.json");
  ProgramOptions options = environment(kDear, kCheap);
  options.environment.push_back("LD_LIBRARY_PATH=" + (folder_ / "lib"));
  const auto explain = [&] {
    const ProgramResult run = tools::test::rayo({"explain", "add", "--shape", "1000000,1000000", "--json"}, options);
    EXPECT_EQ(run.exit_code, 0) << run.err;
    return run.json();
  };
  EXPECT_EQ(explain()["level"], "class");
  EXPECT_EQ(explain()["chosen"]["device"], "mock_b");
  // Who tunes is served by that alone.
  ProgramOptions tuning = environment(kCheap, kDear);
  ASSERT_EQ(tools::test::rayo({"tune", "--ops", "add", "--quick", "--budget", "2"}, tuning).exit_code, 0);
  EXPECT_EQ(explain()["level"], "profile");
  EXPECT_EQ(explain()["chosen"]["device"], "mock_a");
  // Another class of machine is not told of: it is one of many.
  std::filesystem::remove(folder_ / "rayo/profile.json");
  Profile other = read_profile(folder_ / "lib/rayo/profiles/class.json");
  other.machine.class_key = "0123456789abcdef";
  other.machine.cpu = "Another CPU";
  write_file(folder_ / "lib/rayo/profiles/class.json", profile_text(other));
  EXPECT_EQ(explain()["level"], "static");
}

#ifdef RAYO_DEVICE_FILE
// The host: 200 ns an element. The device: 3.2 ms and 1 ns an element, and each operand travels in 2.4 ms + 40 ns an
// element: 10.4 ms + 121 ns in all, and they meet at 131,646.
TEST_F(Tune, FindsWhereADevicePaysTransfersIncluded) {
  if (std::getenv("RAYO_TIMING_TESTS") == nullptr) GTEST_SKIP() << kOnAQuietMachine;
  std::filesystem::remove((folder_ / "plugins") + "/mock_b.so");
  add(RAYO_DEVICE_FILE);
  device_ = "launch=3200000 rate=1 latency=2400000 bandwidth=0.1";
  const ProgramResult run = tune({"--ops", "add", "--dtypes", "f32", "--budget", "20"}, "rate=0.005 threads=0", "");
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const Profile profile = read_profile(profile_);
  const ProfileEntry *entry = entry_on(profile, "host");
  ASSERT_NE(entry, nullptr) << run.out;
  const auto found = crossovers(*entry, 0, 0);
  ASSERT_EQ(found.size(), 1u) << run.out;
  EXPECT_NEAR(static_cast<double>(found[0]) / 131646, 1, 0.1);
  ASSERT_EQ(profile.transfers.size(), 1u);
  EXPECT_NEAR(profile.transfers[0].launch_ns / 3200000, 1, 0.15);
  EXPECT_NEAR(profile.transfers[0].to_latency_ns / 2400000, 1, 0.15);
  EXPECT_TRUE(profile.transfers[0].has_pinned);
  EXPECT_NEAR(profile.transfers[0].pinned_to_bytes_per_ns / 0.1, 1, 0.15);
}

TEST_F(Tune, FindsWhereADevicePaysForProductsThinOnesIncluded) {
  if (std::getenv("RAYO_TIMING_TESTS") == nullptr) GTEST_SKIP() << kOnAQuietMachine;
  std::filesystem::remove((folder_ / "plugins") + "/mock_b.so");
  add(RAYO_DEVICE_FILE);
  // The host: 16 ns a multiply-add. The device: 1.6 ms and 4 ns, and each operand 0.4 ms + 160 ns an element.
  device_ = "launch=1600000 rate=0.25 latency=400000 bandwidth=0.025";
  const ProgramResult run = tune({"--ops", "matmul", "--quick", "--budget", "40"}, "rate=0.0625 threads=0", "");
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const Profile profile = read_profile(profile_);
  const ProfileEntry *entry = entry_on(profile, "host");
  ASSERT_NE(entry, nullptr) << run.out;
  const auto analytical = [](double ratio) {
    double low = 1e3;
    double high = 1e9;
    for (int i = 0; i < 200; ++i) {
      const double volume = std::sqrt(low * high);
      const double smallest = std::cbrt(volume / (ratio * ratio));
      const double elements = smallest * smallest * (2 * ratio + ratio * ratio);
      const double longer = 16 * volume - (1.6e6 + 4 * volume + 3 * 4e5 + 160 * elements);
      (longer > 0 ? high : low) = volume;
    }
    return low;
  };
  const auto square = crossovers(*entry, 0, 0);
  ASSERT_EQ(square.size(), 1u) << run.out;
  EXPECT_NEAR(static_cast<double>(square[0]) / analytical(1), 1, 0.1);
  for (const uint32_t thin : {1u, 2u, 3u}) {
    const auto found = crossovers(*entry, thin, 4);
    ASSERT_EQ(found.size(), 1u) << "class " << thin;
    EXPECT_NEAR(static_cast<double>(found[0]) / analytical(8), 1, 0.1) << "class " << thin;
  }
}

// Data on the device: 0.1 ms + 100 ns an element there; 3 moves of 2 ms + 10 ns, and 1 ns, on the host: 85,507.
TEST_F(Tune, FindsWhereLeavingADevicePays) {
  if (std::getenv("RAYO_TIMING_TESTS") == nullptr) GTEST_SKIP() << kOnAQuietMachine;
  std::filesystem::remove((folder_ / "plugins") + "/mock_b.so");
  add(RAYO_DEVICE_FILE);
  device_ = "launch=100000 rate=0.01 latency=2000000 bandwidth=0.4";
  const ProgramResult run = tune({"--ops", "add", "--dtypes", "f32", "--budget", "12"}, "rate=1 threads=0", "");
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const Profile profile = read_profile(profile_);
  const ProfileEntry *entry = entry_on(profile, "mock0");
  ASSERT_NE(entry, nullptr) << run.out;
  const auto found = crossovers(*entry, 0, 0);
  ASSERT_EQ(found.size(), 1u) << run.out;
  EXPECT_NEAR(static_cast<double>(found[0]) / 85507, 1, 0.1);
  EXPECT_EQ(entry->candidates[entry->choices.back().candidate[0]].device, "mock0");
}

TEST_F(Tune, ADeviceWithAnotherDriverIsMeasuredAnew) {
  add(RAYO_DEVICE_FILE);
  ASSERT_EQ(tune({"--ops", "add", "--quick", "--budget", "2"}, "", "").exit_code, 0);
  const Profile before = read_profile(profile_);
  ASSERT_EQ(before.machine.devices.size(), 1u);
  EXPECT_EQ(before.machine.devices[0].driver, "threads");
  ASSERT_NE(entry_on(before, "mock0"), nullptr);
  ProgramOptions options = environment("", "");
  options.environment.emplace_back("RAYO_MOCK_DRIVER=threads 2");
  const ProgramResult run = tools::test::rayo(
      {"tune", "--ops", "add", "--quick", "--budget", "2", "--resume", "--json", "-o", profile_}, options);
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(run.json()["kept"], 0);
  EXPECT_EQ(read_profile(profile_).machine.devices[0].driver, "threads 2");
  const ProgramResult again = tools::test::rayo(
      {"tune", "--ops", "add", "--quick", "--budget", "2", "--resume", "--json", "-o", profile_}, options);
  EXPECT_EQ(again.json()["kept"], 1);
}
#endif

TEST_F(Tune, SecondProcessChoosesByTheProfileAndMeasuresNothing) {
  ASSERT_EQ(tune({"--ops", "add", "--quick", "--budget", "2"}, kDear, kCheap).exit_code, 0);
  ProgramOptions options = environment("rate=1", "rate=4");
  options.environment.push_back("RAYO_PROFILE=" + profile_);
  const std::string before = read_file(profile_);
  const ProgramResult run = tools::test::rayo({"explain", "add", "--shape", "1000000,1000000", "--json"}, options);
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(run.json()["level"], "profile");
  EXPECT_EQ(run.json()["chosen"]["device"], "mock_b");
  EXPECT_EQ(read_file(profile_), before);
}

#ifdef RAYO_SCALAR_FILE
TEST_F(Tune, FastestAndWrongIsNeverChosen) {
  add(RAYO_SCALAR_FILE);
  const ProgramResult run =
      tune({"--ops", "add", "--quick", "--budget", "2"}, "rate=1e9 wrong=1", "fixed=100000 rate=1");
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_NE(run.out.find("mock_a is never chosen"), std::string::npos) << run.out;
  const Profile profile = read_profile(profile_);
  const ProfileEntry &entry = profile.entries.at(0);
  for (const ProfileCandidate &candidate : entry.candidates) EXPECT_NE(candidate.device, "mock_a");
  ASSERT_FALSE(entry.rejected.empty());
  EXPECT_EQ(entry.rejected[0].device, "mock_a");
  ProgramOptions options = environment("rate=1e9 wrong=1", "rate=1");
  options.environment.push_back("RAYO_PROFILE=" + profile_);
  const auto chosen = tools::test::rayo({"explain", "add", "--shape", "100,100", "--json"}, options).json();
  EXPECT_NE(chosen["chosen"]["device"], "mock_a");
}
#endif

TEST_F(Tune, InterruptKeepsWhatIsMeasuredAndResumeMeasuresTheRest) {
  if (std::getenv("RAYO_TIMING_TESTS") == nullptr) GTEST_SKIP() << kOnAQuietMachine;
  const std::string a = kSlow;
  const std::string b = kFar;
  const pid_t child = ::fork();
  if (child == 0) {
    const ProgramOptions options = environment(a, b);
    for (const std::string &entry : options.environment) ::putenv(const_cast<char *>(entry.c_str()));
    ::execl(RAYO_PROGRAM, RAYO_PROGRAM, "tune", "--ops", "add,matmul", "--dtypes", "f32", "--budget", "12", "-o",
            profile_.c_str(), nullptr);
    ::_exit(127);
  }
  // add is saved once it is measured; matmul is then under way.
  for (int i = 0; i < 2400 && !std::filesystem::exists(profile_); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  ASSERT_TRUE(std::filesystem::exists(profile_));
  ::kill(child, SIGINT);
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 1);
  const Profile part = read_profile(profile_);
  EXPECT_FALSE(part.complete);
  ASSERT_FALSE(part.entries.empty());
  const ProgramResult run =
      tune({"--ops", "add,matmul", "--dtypes", "f32", "--budget", "4", "--resume", "--json"}, a, b);
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(run.json()["kept"], part.entries.size());
  EXPECT_TRUE(read_profile(profile_).complete);
  EXPECT_GT(read_profile(profile_).entries.size(), part.entries.size());
}

TEST_F(Tune, SecondTunerIsTurnedAway) {
  const tools::tune::ProfileLock lock(profile_);
  const ProgramResult run = tune({"--ops", "add", "--quick", "--budget", "1"}, "", "");
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_NE(run.err.find("another rayo tune (process " + std::to_string(::getpid()) + ")"), std::string::npos)
      << run.err;
}

TEST_F(Tune, UnwritableFolderIsSaidBeforeAnythingIsMeasured) {
  write_file(folder_ / "file", "");
  ProgramOptions options = environment("", "");
  const ProgramResult run = tools::test::rayo({"tune", "--ops", "add", "-o", folder_ / "file/profile.json"}, options);
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_NE(run.err.find("cannot be written"), std::string::npos) << run.err;
}

TEST_F(Tune, KilledWhileWritingLeavesTheOldProfileOrTheNew) {
  tools::tune::write_whole(profile_, "old");
  for (int round = 0; round < 20; ++round) {
    const pid_t child = ::fork();
    if (child == 0) {
      const std::string content(size_t{1} << 20, 'n');
      for (;;) tools::tune::write_whole(profile_, content);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(3 * round));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    const std::string there = read_file(profile_);
    ASSERT_TRUE(there == "old" || there == std::string(size_t{1} << 20, 'n')) << there.size();
  }
}

TEST_F(Tune, ReplacesADamagedProfileAndSaysSo) {
  write_file(profile_, "{\"schema\": ");
  const ProgramResult run = tune({"--ops", "add", "--quick", "--budget", "1"}, "rate=1", "rate=2");
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_NE(run.out.find("is replaced: it is empty, cut off"), std::string::npos) << run.out;
  EXPECT_FALSE(read_profile(profile_).entries.empty());
}

TEST_F(Tune, MeasuresTheShapesThatWereCaptured) {
  write_file(folder_ / "calls.jsonl",
             R"({"op":"add","inputs":[{"dtype":"f32","shape":[3000]},{"dtype":"f32","shape":[3000]}],)"
             R"("attributes":{},"layout":"contiguous"})"
             "\n");
  const ProgramResult run = tune({"--shapes", folder_ / "calls.jsonl", "--budget", "1"}, "rate=1", "rate=2");
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const std::vector<uint64_t> volumes = read_profile(profile_).entries.at(0).surfaces.at(0).volumes;
  EXPECT_NE(std::find(volumes.begin(), volumes.end(), 3000u), volumes.end());
}

TEST_F(Tune, DrawsThePictureWithItsLabels) {
  const ProgramResult run =
      tune({"--ops", "add", "--dtypes", "f32", "--budget", "3", "--plot", folder_ / "plot.svg"}, kSlow, kFar);
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const std::string svg = read_file(folder_ / "plot.svg");
  for (const char *label : {"<svg", ">mock_a<", ">mock_b<", ">chosen<", ">elements<"}) {
    EXPECT_NE(svg.find(label), std::string::npos) << label;
  }
  // On a busy machine the two may not meet.
  const auto found = crossovers(read_profile(profile_).entries.at(0), 0, 0);
  EXPECT_EQ(svg.find(">mock_b from ") != std::string::npos || svg.find(">mock_a from ") != std::string::npos,
            !found.empty());
}

TEST_F(Tune, WrongOptionsAreUsageErrors) {
  EXPECT_EQ(tune({"--budget", "soon"}, "", "").exit_code, 2);
  EXPECT_EQ(tune({"--ops", "nothing"}, "", "").exit_code, 2);
  EXPECT_EQ(tune({"--plot", "picture.bmp"}, "", "").exit_code, 2);
  EXPECT_EQ(tune({"--ops", ""}, "", "").exit_code, 2);
  EXPECT_EQ(tune({"--check", "--resume"}, "", "").exit_code, 2);
  const ProgramResult types = tune({"--dtypes", "f99"}, "", "");
  EXPECT_EQ(types.exit_code, 2);
  EXPECT_NE(types.err.find("'f99': legal: f16"), std::string::npos) << types.err;
  const ProgramResult alone = tools::test::rayo({"tune", "--class"}, environment("", ""));
  EXPECT_EQ(alone.exit_code, 2) << alone.err;
  const ProgramResult plot = tune({"--plot", "/nowhere/x.svg"}, "", "");  // said before anything is measured
  EXPECT_EQ(plot.exit_code, 1);
  EXPECT_NE(plot.err.find("plot /nowhere/x.svg: cannot be written"), std::string::npos) << plot.err;
}

// A device that was lucky once is not chosen by that reading; one that is as fast again is.
TEST(Grown, ADeviceIsChosenByItsSlowerSpell) {
  using tools::tune::Grown;
  const std::vector<tools::tune::Way> ways = {{"cpu", "cpu", 1}, {"card0", "card", 1}};
  const std::vector<ProfilePlugin> plugins = {{"cpu", "", "1"}, {"card", "", "1"}};
  const auto winner = [&](double second_spell) {
    Grown grown(ways.size());
    grown.entry.op = "add";
    Grown::Point point;
    point.ns = {60, 50};
    point.noise = {0.01, 0.01};
    Grown::add_spell(&point, 1, second_spell, 0.01);
    for (const uint64_t volume : {64, 4096}) grown.curves[{0, 0}][volume] = point;
    const ProfileEntry entry = grown.finish(ways, plugins);
    EXPECT_EQ(entry.choices.at(0).candidate.size(), 1u);
    return entry.candidates[entry.choices.at(0).candidate.at(0)].device;
  };
  EXPECT_EQ(winner(50), "card0");
  EXPECT_EQ(winner(200), "cpu");
  EXPECT_EQ(winner(61), "cpu");
}

}  // namespace
