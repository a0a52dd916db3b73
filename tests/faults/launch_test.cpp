// SPDX-License-Identifier: Apache-2.0
//
// Faults that no probe sees: they set in when the application's own calls run. A crash takes the application with it;
// the starts after it know.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <thread>
#include <vector>

#include "faults/fault_files.hpp"
#include "faults/fault_run.hpp"
#include "tools/program.hpp"

namespace rayo::faults {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using tools::test::Folder;

constexpr int64_t kLate = 5000;  // elements: more than a probe tries

// A cache of the test's own, for this process and its children.
class OwnCache {
 public:
  OwnCache() { ::setenv("XDG_CACHE_HOME", folder_.path().c_str(), 1); }
  std::string variable() const { return "XDG_CACHE_HOME=" + folder_.path(); }

 private:
  Folder folder_;
};

rayo_plugin_info info_of(rayo_runtime *runtime, const std::string &file) {
  for (uint32_t i = 0; i < rayo_plugin_count(runtime); ++i) {
    rayo_plugin_info info{};
    info.struct_size = sizeof info;
    info.struct_type = RAYO_TYPE_PLUGIN_INFO;
    EXPECT_EQ(rayo_plugin_get(runtime, i, &info), RAYO_OK);
    if (file == info.file) return info;
  }
  ADD_FAILURE() << file << " is not listed";
  return {};
}

// What the application does wrong, if anything.
enum class Deed { none, is_killed, gives_bad_pointer };

// An add over memory that is not there.
rayo_status add_nowhere(rayo_runtime *runtime, int64_t n) {
  std::vector<float> y(static_cast<size_t>(n));
  const auto *nowhere = reinterpret_cast<const float *>(uintptr_t{4096});
  return rayo_add_f32(runtime, n, nowhere, nowhere, y.data());
}

// The application: in a child process, and how it ended. 0: its call was answered with RAYO_OK and was right.
// is_killed: somebody loses patience soon after its call has begun.
int run_application(const std::string &folder, int64_t elements, Deed deed = Deed::none) {
  int begun[2] = {-1, -1};
  EXPECT_EQ(::pipe(begun), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const Runtime runtime = open_folder(folder);
    if (runtime == nullptr) ::_exit(100);
    (void)!::write(begun[1], "x", 1);
    ::exit(-(deed == Deed::gives_bad_pointer ? add_nowhere : add_numbers)(runtime.get(), elements));
  }
  if (deed == Deed::is_killed) {
    char byte = 0;
    EXPECT_EQ(::read(begun[0], &byte, 1), 1);
    ::usleep(500000);
    ::kill(child, SIGKILL);
  }
  ::close(begun[0]);
  ::close(begun[1]);
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return status;
}

bool died_of(int status, int signal) { return WIFSIGNALED(status) && WTERMSIG(status) == signal; }

std::string row_of(std::string fault) {
  for (char &c : fault) c = c == '-' ? '_' : c;
  return fault;
}

// The plugin's fault: a replay of the call dies too, and so one crash is enough, for every program.
void dies_once(const std::string &fault, const std::function<bool(int status)> &as_expected, const std::string &how) {
  const OwnCache cache;
  const Folder folder;
  add_scalar(folder.path());
  const std::string file = add_chaos(folder.path(), fault);
  ASSERT_NE(open_folder(folder.path()), nullptr);  // probed: it passes
  const int status = run_application(folder.path(), kLate);
  EXPECT_TRUE(as_expected(status)) << status;
  const json verdict = verdict_of(devices({"RAYO_PLUGIN_PATH=" + folder.path(), cache.variable()}), file);
  const auto reason = verdict.at("reason").get<std::string>();
  EXPECT_EQ(verdict.at("state"), "quarantined");
  EXPECT_NE(reason.find("fault_test died"), std::string::npos) << reason;
  EXPECT_NE(reason.find("confirmed by replay: it " + how), std::string::npos) << reason;
  EXPECT_NE(reason.find("in its kernel add_f32, add on f32[5000] and f32[5000]"), std::string::npos) << reason;
  const Runtime runtime = open_folder(folder.path());
  ASSERT_NE(runtime, nullptr) << last_error();
  EXPECT_EQ(info_of(runtime.get(), file).state, RAYO_PLUGIN_QUARANTINED);
  EXPECT_EQ(add_numbers(runtime.get(), kLate), RAYO_OK) << last_error();  // by scalar
  record("launch", row_of(fault), verdict.at("state"), reason);
}

// Nobody can tell whose fault it was: after three crashes in a row the plugin is left alone, by this program.
void dies_three_times(const std::string &fault, Deed deed, int signal, const std::string &row, const std::string &why) {
  const OwnCache cache;
  const Folder folder;
  add_scalar(folder.path());
  const std::string file = add_chaos(folder.path(), fault);
  for (int i = 0; i < 3; ++i) {
    const Runtime runtime = open_folder(folder.path());
    ASSERT_NE(runtime, nullptr) << last_error();
    EXPECT_EQ(info_of(runtime.get(), file).state, RAYO_PLUGIN_READY) << "after " << i << " crashes";
    const int status = run_application(folder.path(), kLate, deed);
    EXPECT_TRUE(died_of(status, signal)) << i << ": " << status;
  }
  const Runtime runtime = open_folder(folder.path());
  ASSERT_NE(runtime, nullptr) << last_error();
  const rayo_plugin_info info = info_of(runtime.get(), file);
  const std::string reason = info.reason;
  EXPECT_EQ(info.state, RAYO_PLUGIN_QUARANTINED);
  EXPECT_NE(reason.find("was running each of the last 3 times that "), std::string::npos) << reason;
  EXPECT_NE(reason.find(why), std::string::npos) << reason;
  EXPECT_EQ(add_numbers(runtime.get(), kLate), RAYO_OK) << last_error();  // by scalar
  // Another program has nothing against the plugin.
  const json document = devices({"RAYO_PLUGIN_PATH=" + folder.path(), cache.variable()});
  EXPECT_EQ(verdict_of(document, file).at("state"), "ready");
  record("launch", row, "quarantined", reason);
}

TEST(Launch, ACrashThatAReplayConfirmsQuarantinesForEveryProgram) {
  dies_once(
      "late-segv", [](int status) { return died_of(status, SIGSEGV); }, "crashed in the replay");
}

TEST(Launch, AnAbortCountsAsACrash) {
  dies_once(
      "late-abort", [](int status) { return died_of(status, SIGABRT); }, "crashed in the replay");
}

TEST(Launch, AKernelThatExitsTheProcessCountsAsACrash) {
  dies_once(
      "late-exit3", [](int status) { return WIFEXITED(status) && WEXITSTATUS(status) == 3; },
      "ended the process in the replay");
}

TEST(Launch, AHangThatSomebodyKillsCountsAsACrashAfterThree) {
  dies_three_times("late-wait", Deed::is_killed, SIGKILL, "late_wait", "not all of these calls could be replayed");
}

TEST(Launch, AnApplicationsBadPointerIsNotConfirmedByReplay) {
  dies_three_times("none-at-all", Deed::gives_bad_pointer, SIGSEGV, "bad_pointer_of_the_application",
                   "not confirmed by replay");
}

TEST(Launch, ACleanRunBetweenCrashesBeginsTheCountAnew) {
  const OwnCache cache;
  const Folder folder;
  add_scalar(folder.path());
  const std::string file = add_chaos(folder.path(), "none-at-all");
  for (const bool bad : {true, true, false, true, true}) {
    const int status = run_application(folder.path(), kLate, bad ? Deed::gives_bad_pointer : Deed::none);
    EXPECT_EQ(WIFSIGNALED(status), bad);
  }
  const Runtime runtime = open_folder(folder.path());
  ASSERT_NE(runtime, nullptr);
  EXPECT_EQ(info_of(runtime.get(), file).state, RAYO_PLUGIN_READY);
}

TEST(Launch, ForgettingLetsItTryAgain) {
  const OwnCache cache;
  const Folder folder;
  add_scalar(folder.path());
  const std::string file = add_chaos(folder.path(), "late-segv");
  run_application(folder.path(), kLate);
  EXPECT_EQ(info_of(open_folder(folder.path()).get(), file).state, RAYO_PLUGIN_QUARANTINED);
  ASSERT_EQ(rayo_plugin_forget(file.c_str()), RAYO_OK) << last_error();
  EXPECT_EQ(info_of(open_folder(folder.path()).get(), file).state, RAYO_PLUGIN_READY);
}

// A status is an answer: the host lives, the caller knows, and the next call works.
void answers(const std::string &fault, rayo_status expected, const std::string &text) {
  const Folder folder;
  add_scalar(folder.path());
  const std::string file = add_chaos(folder.path(), "late-" + fault);
  const Runtime runtime = open_folder(folder.path());
  ASSERT_NE(runtime, nullptr) << last_error();
  EXPECT_EQ(info_of(runtime.get(), file).state, RAYO_PLUGIN_READY);
  EXPECT_EQ(add_numbers(runtime.get(), kLate), expected);
  const std::string said = last_error();
  EXPECT_NE(said.find(text), std::string::npos) << said;
  EXPECT_EQ(add_numbers(runtime.get(), 37), RAYO_OK) << last_error();
  record("launch", "late_" + fault, "ready",
         "the call answers " + std::string(rayo_status_name(expected)) + ": " + said);
}

TEST(Launch, AFailingKernelIsAnErrorOfThatCall) { answers("fail", RAYO_INTERNAL, "chaos was asked to fail"); }
TEST(Launch, OutOfMemoryIsAnErrorOfThatCall) { answers("memory", RAYO_OUT_OF_MEMORY, "asked for no memory"); }
TEST(Launch, RetryIsAnErrorOfThatCall) { answers("retry", RAYO_RETRY, "asked to try again later"); }

TEST(Lifecycle, AFileInTwoFoldersIsLoadedOnce) {
  const Folder folder;
  const Folder other;
  add_scalar(folder.path());
  add_chaos(folder.path(), "none-at-all");
  const std::string second = add_chaos(other.path(), "none-at-all");
  const Runtime runtime = open_folder(folder.path() + ":" + other.path());
  ASSERT_NE(runtime, nullptr) << last_error();
  const rayo_plugin_info info = info_of(runtime.get(), second);
  EXPECT_EQ(info.state, RAYO_PLUGIN_REJECTED);
  EXPECT_EQ(add_numbers(runtime.get(), 37), RAYO_OK) << last_error();
  record("lifecycle", "loaded_twice", "rejected", info.reason);
}

TEST(Lifecycle, ForkThenUseInTheChild) {
  const Folder folder;
  add_scalar(folder.path());
  add_chaos(folder.path(), "none-at-all");
  const Runtime runtime = open_folder(folder.path());
  ASSERT_NE(runtime, nullptr) << last_error();
  EXPECT_EQ(add_numbers(runtime.get(), kLate), RAYO_OK) << last_error();
  const pid_t child = ::fork();
  if (child == 0) ::_exit(-add_numbers(runtime.get(), kLate));
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  EXPECT_EQ(add_numbers(runtime.get(), kLate), RAYO_OK) << last_error();
  record("lifecycle", "fork_then_use", "ready", "the child's calls and the parent's are right");
}

TEST(Lifecycle, ManyThreadsCreateRunAndDestroy) {
  const Folder folder;
  add_scalar(folder.path());
  add_chaos(folder.path(), "none-at-all");
  std::atomic<int> right{0};
  std::vector<std::thread> threads;
  constexpr int kThreads = 8;
  constexpr int kRounds = 4;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kRounds; ++i) {
        const Runtime runtime = open_folder(folder.path());
        if (runtime != nullptr && add_numbers(runtime.get(), kLate) == RAYO_OK) ++right;
      }
    });
  }
  for (std::thread &thread : threads) thread.join();
  EXPECT_EQ(right, kThreads * kRounds);
  record("lifecycle", "threads_load_run_and_unload", "ready", "8 threads, each result right");
}

TEST(Lifecycle, ProbesWorkWithSigchldIgnoredAndStandardStreamsClosed) {
  const OwnCache cache;
  const Folder folder;
  add_scalar(folder.path());
  const std::string file = add_chaos(folder.path(), "kernel-segv");
  const pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGCHLD, SIG_IGN);
    for (const int fd : {0, 1, 2}) ::close(fd);
    const Runtime runtime = open_folder(folder.path());
    const bool right = runtime != nullptr && info_of(runtime.get(), file).state == RAYO_PLUGIN_QUARANTINED &&
                       add_numbers(runtime.get(), kLate) == RAYO_OK;
    ::_exit(right ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  record("lifecycle", "host_ignores_SIGCHLD_and_has_no_streams", "quarantined", "the probe's verdict arrives");
}

}  // namespace
}  // namespace rayo::faults
