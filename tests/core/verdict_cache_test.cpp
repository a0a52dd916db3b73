// SPDX-License-Identifier: Apache-2.0
//
// What is remembered about plugin files: across processes, through damage, with two writers.
#include "loader/verdict_cache.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "loader/manifest.hpp"
#include "temp_folder.hpp"

namespace {

using rayo::PluginState;
using rayo::Verdict;
using rayo::VerdictCache;
using rayo_test::TempFolder;

const rayo::Log kSilent(-1, nullptr, nullptr);
const std::string kHash(64, 'a');

Verdict crash(int64_t at, int64_t expires) { return {PluginState::quarantined, "crashed: SIGSEGV", at, expires}; }

struct stat stat_of(const std::string &path) {
  struct stat info {};
  EXPECT_EQ(::stat(path.c_str(), &info), 0);
  return info;
}

TEST(VerdictCache, KeepsVerdictsForTheNextStart) {
  const TempFolder folder;
  const std::string path = folder / "deep/er/verdicts.json";
  {
    VerdictCache cache(path);
    cache.put(kHash, "machine", crash(1000, 2000));
    cache.save(kSilent);
  }
  const VerdictCache cache(path);
  const auto verdict = cache.find(kHash, "machine", 1500);
  ASSERT_TRUE(verdict.has_value());
  EXPECT_EQ(verdict->state, PluginState::quarantined);
  EXPECT_EQ(verdict->reason, "crashed: SIGSEGV");
  EXPECT_FALSE(cache.find(kHash, "another machine", 1500).has_value());
  EXPECT_FALSE(cache.find(kHash, "machine", 2000).has_value()) << "expired";
  EXPECT_FALSE(cache.find(kHash, "machine", 900).has_value()) << "the clock was set back";
  EXPECT_EQ(stat_of(folder / "deep").st_mode & 0777u, 0700u);
}

TEST(VerdictCache, HashesAFileAgainOnlyWhenStatChanged) {
  const TempFolder folder;
  const std::string file = folder / "plugin.so";
  folder.write("plugin.so", {'o', 'n', 'e'});
  VerdictCache cache(folder / "verdicts.json");
  const std::string first = cache.sha256(file, stat_of(file));
  EXPECT_EQ(first, "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed");
  cache.save(kSilent);
  // The same file as far as stat goes: what is remembered is believed.
  VerdictCache again(folder / "verdicts.json");
  EXPECT_EQ(again.sha256(file, stat_of(file)), first);
  // Replaced by one of the same size: another inode.
  folder.write("other.so", {'t', 'w', 'o'});
  ASSERT_EQ(::rename((folder / "other.so").c_str(), file.c_str()), 0);
  const std::string second = again.sha256(file, stat_of(file));
  EXPECT_EQ(second, "3fc4ccfe745870e2c0d99f71f30ff0656c8dedd41cc1d7d3d376b0dbe685e2f3");
  // Not the file that stat described.
  struct stat wrong = stat_of(file);
  wrong.st_size += 1;
  EXPECT_EQ(again.sha256(file, wrong), "");
}

TEST(VerdictCache, ReadsDamageAsEmptyAndWritesAgain) {
  const TempFolder folder;
  const std::string path = folder / "verdicts.json";
  const auto written = [&] {
    VerdictCache cache(path);
    cache.put(kHash, "m", crash(1, 0));
    cache.save(kSilent);
    return rayo_test::read_file(path);
  };
  const std::vector<char> good = written();
  for (const std::string &text : {std::string("{"), std::string(), std::string("[]"), std::string("{\"schema\":3}"),
                                  std::string(100000, '['), std::string(good.begin(), good.end() - 9)}) {
    folder.write("verdicts.json", {text.begin(), text.end()});
    EXPECT_FALSE(VerdictCache(path).find(kHash, "m", 5).has_value()) << text.substr(0, 40);
    written();
    EXPECT_TRUE(VerdictCache(path).find(kHash, "m", 5).has_value()) << text.substr(0, 40);
  }
  ASSERT_EQ(::chmod(path.c_str(), 0666), 0);  // anybody may have written this
  EXPECT_FALSE(VerdictCache(path).find(kHash, "m", 5).has_value());
}

TEST(VerdictCache, MergesWhatSeveralProcessesWrite) {
  const TempFolder folder;
  const std::string path = folder / "verdicts.json";
  constexpr int kWriters = 4;
  constexpr int kEach = 8;
  for (int writer = 0; writer < kWriters; ++writer) {
    const pid_t pid = ::fork();
    ASSERT_GE(pid, 0);
    if (pid != 0) continue;
    for (int i = 0; i < kEach; ++i) {
      VerdictCache cache(path);
      cache.put(kHash, std::to_string(writer * kEach + i), crash(1, 0));
      cache.save(kSilent);
    }
    ::_exit(0);
  }
  for (int writer = 0; writer < kWriters; ++writer) ASSERT_GT(::wait(nullptr), 0);
  const VerdictCache cache(path);
  int found = 0;
  for (int i = 0; i < kWriters * kEach; ++i) found += cache.find(kHash, std::to_string(i), 5).has_value() ? 1 : 0;
  // A writer that cannot get the lock for a quarter of a second gives up; the file is whole all the same.
  EXPECT_GE(found, kWriters);
}

TEST(VerdictCache, ForgetsAFileWholly) {
  const TempFolder folder;
  const std::string path = folder / "verdicts.json";
  VerdictCache cache(path);
  cache.put(kHash, "m", crash(1, 0));
  cache.count_crash(kHash, "/bin/app", {}, 5);
  cache.save(kSilent);
  VerdictCache other(path);
  other.forget(kHash);
  other.save(kSilent);
  const VerdictCache after(path);
  EXPECT_FALSE(after.find(kHash, "m", 5).has_value());
  EXPECT_EQ(after.launch_crashes(kHash, "/bin/app").count, 0);
}

TEST(VerdictCache, CountsCrashesInARowPerProgram) {
  const TempFolder folder;
  const std::string path = folder / "verdicts.json";
  for (const bool crashed : {true, true, false, true}) {
    VerdictCache cache(path);
    if (crashed) {
      cache.count_crash(kHash, "/bin/app", {}, 7);
    } else {
      cache.count_clean(kHash, "/bin/app", 7);
    }
    cache.save(kSilent);
  }
  const VerdictCache cache(path);
  EXPECT_EQ(cache.launch_crashes(kHash, "/bin/app").count, 1) << "a clean end begins anew";
  EXPECT_EQ(cache.launch_crashes(kHash, "/bin/other").count, 0);
}

TEST(VerdictCache, KeepsCallsUntilTheyAreReplayed) {
  const TempFolder folder;
  const std::string path = folder / "verdicts.json";
  for (const char *line : {"one", "two", "one"}) {
    VerdictCache cache(path);
    cache.count_crash(kHash, "/bin/app", {line}, 7);
    cache.save(kSilent);
  }
  VerdictCache cache(path);
  EXPECT_EQ(cache.programs_to_replay(kHash), std::vector<std::string>{"/bin/app"});
  EXPECT_EQ(cache.launch_crashes(kHash, "/bin/app").lines, (std::vector<std::string>{"one", "two"}));
  cache.set_replayed(kHash, "/bin/app", true);
  cache.count_crash(kHash, "/bin/app", {"three"}, 9);  // of a process that ended meanwhile
  cache.save(kSilent);
  const rayo::LaunchCrashes after = VerdictCache(path).launch_crashes(kHash, "/bin/app");
  EXPECT_EQ(after.count, 4);
  EXPECT_EQ(after.refuted, 1);
  EXPECT_EQ(after.at, 9);
  EXPECT_EQ(after.lines, std::vector<std::string>{"three"});
}

TEST(Manifest, ListsHashesOfWellFormedLines) {
  const rayo::Manifest manifest(kHash + "  scalar.so\nnot a line\n" + std::string(64, 'Z') + "  x\n" +
                                std::string(64, 'b') + " one_blank\n" + std::string(64, 'c') + "  last.so");
  EXPECT_TRUE(manifest.lists(kHash));
  EXPECT_TRUE(manifest.lists(std::string(64, 'c')));
  EXPECT_FALSE(manifest.lists(std::string(64, 'b')));
  EXPECT_FALSE(manifest.lists(std::string(64, 'Z')));
}

}  // namespace
