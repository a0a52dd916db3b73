// SPDX-License-Identifier: Apache-2.0
//
// The command as a program: output files, recorded certificates, known failures, and what Ctrl-C leaves behind.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <rayo/rayo.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>

#include "runner/certificate.hpp"
#include "runner/options.hpp"
#include "runner/output_file.hpp"

namespace rayo::conform {
namespace {

namespace fs = std::filesystem;

class Command : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = ::testing::TempDir() + "/conform_command_XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = fs::canonical(name);
    ::setenv("XDG_CACHE_HOME", (folder_ / "cache").c_str(), 1);
  }
  void TearDown() override { fs::remove_all(folder_); }

  // Starts the program with stderr in a file.
  pid_t start(std::vector<std::string> args) const {
    args.insert(args.begin(), RAYO_CONFORM);
    const std::string errors = error_file();
    const pid_t pid = ::fork();
    if (pid == 0) {
      const int to = ::open(errors.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
      ::dup2(to, STDERR_FILENO);
      std::vector<char *> list;
      for (std::string &arg : args) list.push_back(arg.data());
      list.push_back(nullptr);
      ::execv(RAYO_CONFORM, list.data());
      ::_exit(99);
    }
    return pid;
  }
  static int finish(pid_t pid) {
    int status = 0;
    ::waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }
  int run(const std::vector<std::string> &args) const { return finish(start(args)); }

  std::string error_file() const { return folder_ / "stderr.txt"; }
  std::string errors() const { return content(error_file()); }
  static std::string content(const std::string &file) {
    std::ifstream stream(file);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  static std::string mutant(const std::string &bug) { return std::string(RAYO_MUTANT_DIR) + "/mutant_" + bug + ".so"; }
  std::vector<std::string> one_case(const std::string &bug, const std::string &line) const {
    return {"--plugin", mutant(bug), "--reference", RAYO_SCALAR_FILE, "--case", line};
  }
  // Files of the folder besides stderr.txt and the cache.
  std::vector<std::string> left_over() const {
    std::vector<std::string> names;
    for (const auto &entry : fs::directory_iterator(folder_)) {
      const std::string name = entry.path().filename();
      if (name != "stderr.txt" && name != "cache") names.push_back(name);
    }
    return names;
  }

  fs::path folder_;
};

constexpr const char *kCase = "add f64 9,9 - 0 uniform 1";

TEST_F(Command, InterruptedItSaysWhatIsLostAndLeavesNoFile) {
  const std::string report = folder_ / "report.html";
  std::ofstream(report) << "as it was";
  for (const int number : {SIGINT, SIGTERM}) {
    // Long enough to be caught in the middle: every op of the reference.
    const pid_t pid =
        start({"--plugin", RAYO_SCALAR_FILE, "--reference", RAYO_SCALAR_FILE, "--format", "html", "-o", report});
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (left_over().size() < 2 && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));  // until its temporary file is there
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    ::kill(pid, number);
    EXPECT_EQ(finish(pid), 128 + number);
    EXPECT_NE(errors().find("interrupted after "), std::string::npos) << errors();
    EXPECT_NE(errors().find("report.html was not written"), std::string::npos) << errors();
    EXPECT_EQ(left_over(), std::vector<std::string>{"report.html"});
    EXPECT_EQ(content(report), "as it was");
  }
}

TEST_F(Command, AnOutputThatCannotBeWrittenIsKnownBeforeTheRun) {
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(run({"--plugin", RAYO_SCALAR_FILE, "--reference", RAYO_SCALAR_FILE, "-o", folder_ / "absent/report.txt"}),
            1);
  EXPECT_NE(errors().find("absent/report.txt: cannot be written"), std::string::npos) << errors();
  EXPECT_EQ(run({"--plugin", RAYO_SCALAR_FILE, "--reference", RAYO_SCALAR_FILE, "-o", folder_}), 1);
  EXPECT_NE(errors().find("Is a directory"), std::string::npos) << errors();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));  // a full run takes longer
}

TEST_F(Command, FollowsALinkAndNeverReplacesADevice) {
  std::ofstream(folder_ / "target.txt") << "old";
  fs::create_symlink("target.txt", folder_ / "link.txt");
  auto args = one_case("none", kCase);
  args.insert(args.end(), {"-o", folder_ / "link.txt"});
  EXPECT_EQ(run(args), 0) << errors();
  EXPECT_TRUE(fs::is_symlink(folder_ / "link.txt"));
  EXPECT_NE(content(folder_ / "target.txt").find("GOOD"), std::string::npos);
  args.back() = "/dev/null";
  EXPECT_EQ(run(args), 0) << errors();
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
}

TEST_F(Command, KnownFailuresMakeAGoodRun) {
  const std::string known = folder_ / "known.txt";
  auto args = one_case("add_f64_as_f32", kCase);
  args.insert(args.end(), {"--expectations", known, "--json", "-o", folder_ / "r.json"});
  std::ofstream(known) << "* | add f64 uniform | rounds to f32\n* | exp | nothing runs exp\n";
  EXPECT_EQ(run(args), 0) << errors();
  const nlohmann::json root = nlohmann::json::parse(content(folder_ / "r.json"));
  EXPECT_EQ(root.at("reports")[0].at("summary").at("expected_fail"), 1);
  EXPECT_EQ(root.at("run").at("expectations")[0].at("matched"), 1);
  EXPECT_EQ(root.at("run").at("expectations")[1].at("matched"), 0);

  args[1] = mutant("none");  // mended: the line has to go
  EXPECT_EQ(run(args), 1);
  EXPECT_NE(content(folder_ / "r.json").find("surprise pass: "), std::string::npos);

  std::ofstream(known) << "\n* add f64\n";
  EXPECT_EQ(run(args), 2);
  EXPECT_NE(errors().find("known.txt:2:"), std::string::npos) << errors();
}

TEST_F(Command, OurOwnListOfKnownFailuresIsWellFormed) {
  auto args = one_case("none", kCase);
  args.insert(args.end(), {"--expectations", std::string(RAYO_EXPECTATIONS_DIR) + "/rayo.txt"});
  EXPECT_EQ(run(args), 0) << errors();
}

TEST_F(Command, OnlyAFullRunMayBeRecorded) {
  const std::vector<std::vector<std::string>> all = {
      {"--quick"}, {"--ops", "add"}, {"--case", kCase}, {"--slice", "2"}};
  for (const std::vector<std::string> &narrow : all) {
    std::vector<std::string> args = narrow;
    args.emplace_back("--record");
    EXPECT_THROW(parse_options(args), UsageError) << narrow[0];
  }
  EXPECT_TRUE(parse_options(std::vector<std::string>{"--record"}).record);
}

TEST(Options, LanesAreAPositiveNumber) {
  EXPECT_EQ(parse_options(std::vector<std::string>{}).lanes, 0u);
  EXPECT_EQ(parse_options(std::vector<std::string>{"--lanes", "3"}).lanes, 3u);
  EXPECT_THROW(parse_options(std::vector<std::string>{"--lanes", "0"}), UsageError);
}

// From the judge's report to the core's answer, with the plugin file that the report is about.
class Recorded : public Command {
 protected:
  void SetUp() override {
    Command::SetUp();
    file_ = mutant("none");
    report_.plugin = "mutant";
    report_.file = file_;
    report_.cases = {{kCase, {State::passed, 0, 0, ""}, ""}};
    run_.kind = RunKind::full;
    rayo_runtime *runtime = create(RAYO_CONFORMANCE_NOT_REQUIRED);
    ASSERT_NE(runtime, nullptr);
    rayo_plugin_info info{};
    info.struct_size = sizeof info;
    info.struct_type = RAYO_TYPE_PLUGIN_INFO;
    ASSERT_EQ(rayo_plugin_get(runtime, 0, &info), RAYO_OK);
    report_.sha256 = info.sha256;
    rayo_runtime_destroy(runtime);
  }
  rayo_runtime *create(std::uint32_t required) const {
    const char *files[] = {file_.c_str()};
    rayo_runtime_options options = RAYO_RUNTIME_OPTIONS_INIT;
    options.flags = RAYO_RUNTIME_NO_ENVIRONMENT | RAYO_RUNTIME_ONLY_FILES;
    options.plugin_files = files;
    options.plugin_file_count = 1;
    options.require_conformance = required;
    rayo_runtime *runtime = nullptr;
    return rayo_runtime_create(&options, &runtime) == RAYO_OK ? runtime : nullptr;
  }
  bool accepted() const {
    const std::unique_ptr<rayo_runtime, decltype(&rayo_runtime_destroy)> runtime(create(RAYO_CONFORMANCE_REQUIRED),
                                                                                 &rayo_runtime_destroy);
    return runtime != nullptr;
  }

  std::string file_;
  PluginReport report_;
  RunInfo run_ = describe_run();
};

TEST_F(Recorded, AGoodFullReportIsAcceptedByTheCore) {
  EXPECT_FALSE(accepted());
  const std::string said = record_verdict(report_, run_);
  EXPECT_EQ(said, "recorded " + (folder_ / "cache/rayo/conformance" / (report_.sha256 + ".json")).string());
  EXPECT_TRUE(accepted());
  struct stat info {};
  ASSERT_EQ(::stat((folder_ / "cache/rayo/conformance").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 077u, 0u);
}

TEST_F(Recorded, AFailingReportWithdrawsTheEarlierOne) {
  (void)record_verdict(report_, run_);
  ASSERT_TRUE(accepted());
  report_.cases.push_back({"sub f32 9,9 - 0 uniform 1", {State::failed, 1, 0, "off"}, ""});
  EXPECT_NE(record_verdict(report_, run_).find("its earlier certificate is withdrawn"), std::string::npos);
  EXPECT_FALSE(accepted());
}

TEST_F(Recorded, ExpectedFailuresAreNoCertificate) {
  report_.cases.push_back({"sub f32 9,9 - 0 uniform 1", {State::expected_fail, 1, 0, "known"}, ""});
  EXPECT_NE(record_verdict(report_, run_).find("1 failures were expected"), std::string::npos);
  EXPECT_FALSE(accepted());
}

TEST_F(Recorded, AQuickRunIsNotACertificateWhoeverWritesIt) {
  run_.kind = RunKind::quick;
  (void)record_verdict(report_, run_);
  EXPECT_FALSE(accepted());
}

}  // namespace
}  // namespace rayo::conform
