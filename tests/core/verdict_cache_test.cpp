// SPDX-License-Identifier: Apache-2.0
//
// What is remembered about plugin files: across processes, through damage, with two writers.
#include "loader/verdict_cache.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

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

// One entry of each kind, each member of which may be replaced.
std::string document(const std::string &member = "", const std::string &value = "") {
  const auto object = [&](std::initializer_list<std::pair<std::string, std::string>> members) {
    std::string out;
    for (const auto &[name, usual] : members) {
      if (name == member && value.empty()) continue;
      out += (out.empty() ? "{\"" : ",\"") + name + "\":" + (name == member ? value : usual);
    }
    return out + "}";
  };
  const std::string file = object({{"dev", "1"},
                                   {"ino", "2"},
                                   {"size", "3"},
                                   {"mtime", "-4000000005"},
                                   {"ctime", "6"},
                                   {"sha256", "\"h\""},
                                   {"at", "7"}});
  const std::string verdict =
      object({{"state", "\"quarantined\""}, {"reason", "\"crashed\""}, {"at", "10"}, {"expires", "20"}});
  const std::string launches = object({{"count", "3"}, {"refuted", "1"}, {"at", "7"}, {"lines", "[\"one\"]"}});
  return object({{"schema", "\"urn:rayo:verdicts:1\""},
                 {"files", "{\"/x.so\":" + file + "}"},
                 {"verdicts", "{\"h m\":" + verdict + "}"},
                 {"launches", "{\"h /bin/app\":" + launches + "}"}});
}

TEST(VerdictCache, ReadsWhatItWrites) {
  const VerdictCache cache = VerdictCache::from_text(document());
  ASSERT_TRUE(cache.find("h", "m", 15).has_value());
  EXPECT_EQ(cache.find("h", "m", 15)->state, PluginState::quarantined);
  EXPECT_EQ(cache.launch_crashes("h", "/bin/app").count, 3);
  EXPECT_EQ(cache.launch_crashes("h", "/bin/app").refuted, 1);
  EXPECT_EQ(cache.launch_crashes("h", "/bin/app").lines, std::vector<std::string>{"one"});
  EXPECT_EQ(VerdictCache::from_text(cache.text()).text(), cache.text());
  // Members that came later may be missing.
  EXPECT_EQ(VerdictCache::from_text(document("refuted", "")).launch_crashes("h", "/bin/app").count, 3);
  EXPECT_TRUE(VerdictCache::from_text(document("lines", "")).launch_crashes("h", "/bin/app").lines.empty());
  EXPECT_EQ(VerdictCache::from_text(document("state", "\"ready\"")).find("h", "m", 15)->state, PluginState::ready);
  EXPECT_EQ(VerdictCache::from_text(document("state", "\"new\"")).find("h", "m", 15)->state, PluginState::rejected);
}

TEST(VerdictCache, OneWrongMemberMakesItEmpty) {
  const std::pair<const char *, const char *> wrong[] = {{"schema", ""},          {"schema", "\"urn:rayo:verdicts:2\""},
                                                         {"files", "[]"},         {"dev", "-1"},
                                                         {"size", "1.5"},         {"sha256", "7"},
                                                         {"verdicts", ""},        {"reason", "\"\""},
                                                         {"reason", ""},          {"at", "-1"},
                                                         {"at", "1099511627777"}, {"expires", "\"soon\""},
                                                         {"launches", "null"},    {"count", "9223372036854775808"},
                                                         {"refuted", "true"},     {"lines", "{}"},
                                                         {"lines", "[1]"}};
  for (const auto &[member, value] : wrong) {
    const VerdictCache cache = VerdictCache::from_text(document(member, value));
    EXPECT_FALSE(cache.find("h", "m", 15).has_value()) << member << " " << value;
    EXPECT_EQ(cache.launch_crashes("h", "/bin/app").count, 0) << member << " " << value;
  }
}

TEST(VerdictCache, TheOldestOfTooManyGo) {
  const TempFolder folder;
  const std::string path = folder / "verdicts.json";
  constexpr int kMost = 1024;
  VerdictCache cache(path);
  for (int i = 0; i < kMost + 5; ++i) cache.put(kHash, std::to_string(i), crash(5000 - i, 0));
  cache.save(kSilent);
  const VerdictCache after(path);
  int kept = 0;
  for (int i = 0; i < kMost + 5; ++i) {
    const bool found = after.find(kHash, std::to_string(i), 9000).has_value();
    EXPECT_EQ(found, i < kMost) << i;
    kept += found ? 1 : 0;
  }
  EXPECT_EQ(kept, kMost);
}

TEST(VerdictCache, KeepsFewCallsOfAProgram) {
  const TempFolder folder;
  const std::string path = folder / "verdicts.json";
  VerdictCache cache(path);
  for (size_t i = 0; i < VerdictCache::kMostLines + 3; ++i) {
    cache.count_crash(kHash, "/bin/app", {"line " + std::to_string(i)}, 7);
  }
  cache.count_crash(std::string(64, 'b'), "/bin/app", {"another file"}, 7);
  cache.save(kSilent);
  const VerdictCache after(path);
  EXPECT_EQ(after.launch_crashes(kHash, "/bin/app").lines.size(), VerdictCache::kMostLines);
  EXPECT_EQ(after.programs_to_replay(kHash).size(), 1u);
}

TEST(VerdictCache, WhatCannotBeWrittenIsLoggedAndKeptForTheNextTry) {
  const TempFolder folder;
  folder.write("file", {'x'});
  std::string said;
  const rayo::Log log(
      RAYO_LOG_DEBUG, [](void *ctx, int32_t, const char *text) { *static_cast<std::string *>(ctx) += text; }, &said);
  VerdictCache cache(folder / "file/verdicts.json");
  cache.put(kHash, "m", crash(1, 0));
  cache.save(log);
  EXPECT_NE(said.find("verdicts of plugins are not kept: " + (folder / "file/verdicts.json") + " cannot be locked: "),
            std::string::npos)
      << said;
  ASSERT_EQ(::unlink((folder / "file").c_str()), 0);
  cache.save(log);
  EXPECT_TRUE(VerdictCache(folder / "file/verdicts.json").find(kHash, "m", 5).has_value());
}

TEST(VerdictCache, AFileOfManyMegabytesIsNotRead) {
  const TempFolder folder;
  const std::string path = folder / "verdicts.json";
  {
    VerdictCache cache(path);
    cache.put(kHash, "m", crash(1, 0));
    cache.save(kSilent);
  }
  ASSERT_TRUE(VerdictCache(path).find(kHash, "m", 5).has_value());
  std::vector<char> bytes = rayo_test::read_file(path);
  bytes.resize((size_t{4} << 20) + 1, ' ');
  folder.write("verdicts.json", bytes);
  EXPECT_FALSE(VerdictCache(path).find(kHash, "m", 5).has_value());
}

TEST(VerdictCache, WithoutAPlaceNothingIsRememberedAndNothingWritten) {
  VerdictCache cache("");
  cache.put(kHash, "m", crash(1, 0));
  cache.save(kSilent);
  EXPECT_TRUE(cache.find(kHash, "m", 5).has_value());
  const char *home = ::getenv("HOME");
  const char *given = ::getenv("XDG_CACHE_HOME");
  const std::string old_home = home != nullptr ? home : "";
  const std::string old_cache = given != nullptr ? given : "";
  ::unsetenv("HOME");
  ::unsetenv("XDG_CACHE_HOME");
  EXPECT_EQ(VerdictCache::default_path(), "");
  if (home != nullptr) ::setenv("HOME", old_home.c_str(), 1);
  ::setenv("XDG_CACHE_HOME", "/var/cache/somebody", 1);
  EXPECT_EQ(VerdictCache::default_path(), "/var/cache/somebody/rayo/verdicts.json");
  if (given != nullptr) {
    ::setenv("XDG_CACHE_HOME", old_cache.c_str(), 1);
  } else {
    ::unsetenv("XDG_CACHE_HOME");
  }
}

TEST(VerdictCache, ForgetsTheHashOfAFileThatIsGoneOrReplaced) {
  const TempFolder folder;
  const std::string path = folder / "verdicts.json";
  for (const char *name : {"stays.so", "goes.so", "changes.so"}) folder.write(name, {'a'});
  VerdictCache cache(path);
  for (const char *name : {"stays.so", "goes.so", "changes.so"}) cache.sha256(folder / name, stat_of(folder / name));
  ASSERT_EQ(::unlink((folder / "goes.so").c_str()), 0);
  folder.write("changes.so", {'b', 'b'});
  cache.save(kSilent);
  const std::vector<char> bytes = rayo_test::read_file(path);
  const std::string text(bytes.begin(), bytes.end());
  EXPECT_NE(text.find("stays.so"), std::string::npos);
  EXPECT_EQ(text.find("goes.so"), std::string::npos);
  EXPECT_EQ(text.find("changes.so"), std::string::npos);
}

TEST(Manifest, IsReadFromFoldersThatNobodyElseWrites) {
  const TempFolder folder;
  const auto made = [&](const std::string &name, char digit) {
    std::filesystem::create_directory(folder / name);
    const std::string line = std::string(64, digit) + "  x.so\n";
    folder.write(name + "/manifest.sha256", {line.begin(), line.end()});
    return folder / name;
  };
  const std::string good = made("good", '1');
  const std::string open = made("open", '2');
  ASSERT_EQ(::chmod((open + "/manifest.sha256").c_str(), 0666), 0);
  const std::string large = made("large", '3');
  ASSERT_EQ(::truncate((large + "/manifest.sha256").c_str(), (1 << 20) + 1), 0);
  const std::string second = made("second", '4');
  const rayo::Manifest manifest = rayo::read_manifest({good, open, large, folder / "missing", second});
  EXPECT_TRUE(manifest.lists(std::string(64, '1')));
  EXPECT_FALSE(manifest.lists(std::string(64, '2')));
  EXPECT_FALSE(manifest.lists(std::string(64, '3')));
  EXPECT_TRUE(manifest.lists(std::string(64, '4')));
}

TEST(Manifest, HashesAreLowerCaseHex) {
  for (const char wrong : {'/', ':', '`', 'g'}) {
    const std::string hash = std::string(63, 'a') + wrong;
    EXPECT_FALSE(rayo::Manifest(hash + "  x").lists(hash)) << wrong;
  }
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
