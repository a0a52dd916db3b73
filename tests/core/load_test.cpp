// SPDX-License-Identifier: Apache-2.0
//
// Loading itself, in this process and without a probe before it: what a plugin does wrong becomes its record's reason.
#include "loader/load.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/error.hpp"
#include "capi/host_table.hpp"
#include "elf_image.hpp"
#include "loader/cpu_features.hpp"
#include "loader/library.hpp"
#include "temp_folder.hpp"

namespace rayo {
namespace {

using rayo_test::ElfImage;
using rayo_test::TempFolder;

const Log kSilent(-1, nullptr, nullptr);

class Load : public testing::Test {
 protected:
  void SetUp() override {
    fill_host_table(&host_, &kSilent, nullptr);
    rules_.cpu_features = detect_cpu_features();
  }
  PluginCandidate examined(const std::string &file) const { return examine_plugin(file, rules_); }
  LoadedPlugin started(const std::string &file) const {
    return start_plugin(examined(file), host_, rules_, kSilent, nullptr);
  }
  std::string reason(const std::string &file) const {
    const LoadedPlugin loaded = started(file);
    EXPECT_EQ(loaded.record->state == PluginState::ready, loaded.record->reason.empty());
    EXPECT_EQ(loaded.record->plugin != nullptr, loaded.record->reason.empty());
    return loaded.record->reason;
  }
  std::string fixture(const std::string &name, const std::string &as = "") {
    folder_.copy_fixture(name, as);
    return folder_ / ((as.empty() ? name : as) + ".so");
  }
  std::string chaos(const std::string &fault) {
    std::filesystem::copy_file(RAYO_CHAOS_FILE, folder_ / ("chaos-" + fault + ".so"));
    return folder_ / ("chaos-" + fault + ".so");
  }
  void expect_part(const std::string &text, const std::string &part) {
    EXPECT_NE(text.find(part), std::string::npos) << "'" << part << "' in: " << text;
  }

  TempFolder folder_;
  HostTable host_{};
  LoadRules rules_;
};

TEST_F(Load, AGoodPluginIsReadyWithWhatItSays) {
  std::vector<std::string> steps;
  rules_.on_step = [&](const char *what) { steps.emplace_back(what); };
  const LoadedPlugin loaded = started(fixture("good"));
  EXPECT_EQ(loaded.record->reason, "");
  EXPECT_EQ(loaded.record->name, "good");
  EXPECT_EQ(loaded.record->vendor, "Test");
  EXPECT_EQ(loaded.record->version, "1.0");
  EXPECT_EQ(loaded.answer.kernels.size(), 1u);
  EXPECT_EQ(steps, (std::vector<std::string>{"loading", "in its query", "in its create"}));
}

TEST_F(Load, WhatItThrowsIsItsReason) {
  expect_part(reason(chaos("query-throw")), "its query threw an exception: chaos");
  expect_part(reason(chaos("query-number")), "its query threw an exception of an unknown type");
}

#if defined(__x86_64__)
TEST_F(Load, AnotherFloatingPointEnvironmentIsUndoneAndRefusesIt) {
  const unsigned before = __builtin_ia32_stmxcsr() & 0x8040u;
  expect_part(reason(chaos("load-mxcsr")), "its loading changed the floating-point environment");
  expect_part(reason(chaos("query-mxcsr")), "its query changed the floating-point environment");
  expect_part(reason(chaos("create-mxcsr")), "its create changed the floating-point environment");
  EXPECT_EQ(__builtin_ia32_stmxcsr() & 0x8040u, before);
}
#endif

TEST_F(Load, AnInstanceThatCannotStartSaysWhyOrThatItDoesNot) {
  expect_part(reason(fixture("create")), "could not start (status -3): the test asked for this failure");
  expect_part(reason(fixture("silent_create")), "could not start (status -3): it gave no reason");
}

TEST_F(Load, MissingFeaturesAreTheCpusOrDisabled) {
  ElfImage image;
  image.note.cpu_high = 1u << 8;
  folder_.write("absent.so", image.bytes());
  expect_part(examined(folder_ / "absent.so").record->reason, "needs bit 40: not on this CPU");
  const uint64_t here = detect_cpu_features();
  if (here == 0) GTEST_SKIP() << "this CPU has no feature to disable";
  const uint64_t one = here & (~here + 1);
  image.note.cpu_high = static_cast<uint32_t>(one >> 32);
  image.note.cpu_low = static_cast<uint32_t>(one);
  folder_.write("disabled.so", image.bytes());
  EXPECT_EQ(examined(folder_ / "disabled.so").record->reason, "");
  rules_.cpu_features = here & ~one;
  expect_part(examined(folder_ / "disabled.so").record->reason,
              "needs " + cpu_feature_names(one) + ": disabled by RAYO_CPU_DISABLE or the option cpu_disable");
}

TEST_F(Load, AFileThatChangesBetweenTheLookAndTheLoadIsRefused) {
  const std::string file = fixture("good", "grows");
  PluginCandidate candidate = examined(file);
  ASSERT_EQ(candidate.record->reason, "");
  std::ofstream(file, std::ios::app) << "more";
  const LoadedPlugin loaded = start_plugin(std::move(candidate), host_, rules_, kSilent, nullptr);
  expect_part(loaded.record->reason, "was replaced or changed while it was being loaded");
  const std::string gone = fixture("good", "goes");
  candidate = examined(gone);
  std::filesystem::rename(gone, folder_ / "elsewhere.so");
  expect_part(start_plugin(std::move(candidate), host_, rules_, kSilent, nullptr).record->reason, "cannot be loaded: ");
}

TEST_F(Load, AFileThatRemovesItselfWhenItIsLoadedIsRefused) {
  expect_part(reason(chaos("load-unlink")), "was replaced or changed while it was being loaded");
}

TEST_F(Load, AFileThatChangesBetweenTheLookAndTheProofIsRefused) {
  const std::string file = fixture("good", "grows");
  std::vector<PluginCandidate> candidates;
  candidates.push_back(examined(file));
  ASSERT_EQ(candidates[0].record->reason, "");
  std::ofstream(file, std::ios::app) << "more";
  prove_candidates(&candidates, {rules_.cpu_features, 0, false}, kSilent);
  expect_part(candidates[0].record->reason, "was replaced or changed while it was being examined");
}

TEST_F(Load, ANameThatIsTakenIsRefusedUnloaded) {
  const LoadedPlugin first = started(fixture("good"));
  PluginCandidate second = examined(fixture("good", "again"));
  const LoadedPlugin loaded = start_plugin(std::move(second), host_, rules_, kSilent, first.record.get());
  expect_part(loaded.record->reason, "has the name 'good', which");
  EXPECT_TRUE(loaded.answer.kernels.empty());
}

TEST_F(Load, WhatWasRefusedBeforeIsNotLoaded) {
  rules_.on_step = [](const char *) { FAIL() << "nothing of it may run"; };
  expect_part(reason(folder_ / "missing.so"), "cannot be examined");
  expect_part(reason(fixture("abi_major")), "is built for ABI 99.0");
  rules_.require_conformance = true;
  expect_part(reason(fixture("good")), "has no certificate of conformance");
}

TEST_F(Load, IsolationIsForTheNamedOrForWhatIsNotThePackagesOwn) {
  // Where a plugin is isolated it is not loaded here: then no step of it runs.
  const auto loaded_here = [&](const Isolation &isolation, bool listed) {
    bool here = false;
    rules_.isolation = &isolation;
    rules_.on_step = [&](const char *) { here = true; };
    PluginCandidate candidate = examined(std::string(RAYO_FIXTURE_DIR) + "/good.so");
    candidate.listed = listed;
    EXPECT_EQ(start_plugin(std::move(candidate), host_, rules_, kSilent, nullptr).record->reason, "");
    rules_.isolation = nullptr;
    return here;
  };
  EXPECT_TRUE(loaded_here({false, {}, 10000}, false));
  EXPECT_TRUE(loaded_here({true, {}, 10000}, true));
  EXPECT_FALSE(loaded_here({true, {}, 10000}, false));
  EXPECT_TRUE(loaded_here({true, {"other"}, 10000}, false));
  EXPECT_FALSE(loaded_here({true, {"other", "good"}, 10000}, true));
}

TEST_F(Load, AnIsolatedPluginsOwnOpsAreLeftOutAndLogged) {
  std::string log;
  const Log keep(
      RAYO_LOG_WARN, [](void *ctx, int32_t, const char *text) { *static_cast<std::string *>(ctx) += text; }, &log);
  const Isolation isolation{true, {}, 10000};
  rules_.isolation = &isolation;
  const LoadedPlugin loaded = start_plugin(examined(fixture("good")), host_, rules_, keep, nullptr);
  EXPECT_EQ(loaded.record->reason, "");
  EXPECT_TRUE(loaded.answer.kernels.empty());
  EXPECT_NE(loaded.record->remote, nullptr);
  expect_part(log, "isolated plugin good: 1 kernels of ops that it brings itself are left out");
}

TEST_F(Load, ADeviceTierCannotBeIsolated) {
  ElfImage image;
  image.note.tiers = RAYO_TIER_HOST | RAYO_TIER_DEVICE;
  folder_.write("device.so", image.bytes());
  const Isolation isolation{true, {}, 10000};
  rules_.isolation = &isolation;
  expect_part(reason(folder_ / "device.so"), "drives devices and cannot be isolated");
}

TEST_F(Load, AFileThatTheIsolatedProcessCannotUseIsRefusedWithItsReason) {
  const Isolation isolation{true, {}, 10000};
  rules_.isolation = &isolation;
  expect_part(reason(fixture("null_create")), "create or destroy is NULL");
  expect_part(reason(chaos("load-exit3")), "cannot be isolated: its worker process ended: exit status 3");
}

// ---- open_library ----

std::string refusal(const std::string &path) {
  struct stat info {};
  (void)::stat(path.c_str(), &info);
  try {
    open_library(path, info);
  } catch (const Error &error) {
    return error.what();
  }
  return "";
}

TEST_F(Load, AnObjectWithoutTheEntryIsRefusedOnceItIsOpen) {
  expect_part(refusal(fixture("no_symbol")), "does not export rayo_plugin_query once loaded");
  expect_part(refusal(folder_ / "no_symbol.so"), "does not export");  // known by now
}

TEST_F(Load, WhatTheDynamicLinkerSaysIsPassedOn) {
  expect_part(refusal(fixture("unresolved")), "rayo_test_symbol_that_nobody_defines");
  expect_part(refusal(""), "cannot be loaded: ");
}

TEST_F(Load, TheSameFileIsOpenedOnce) {
  const std::string file = fixture("good");
  struct stat info {};
  ASSERT_EQ(::stat(file.c_str(), &info), 0);
  const rayo_plugin_query_fn first = open_library(file, info);
  EXPECT_EQ(open_library(file, info), first);
  for (const auto change : {+[](struct stat *s) { ++s->st_size; }, +[](struct stat *s) { ++s->st_mtim.tv_sec; },
                            +[](struct stat *s) { s->st_mtim.tv_nsec ^= 1; }}) {
    struct stat other = info;
    change(&other);
    EXPECT_THROW(open_library(file, other), Error);
  }
  // The same number on another device is another file; glibc knows that it is not.
  struct stat elsewhere = info;
  ++elsewhere.st_dev;
  EXPECT_EQ(open_library(file, elsewhere), first);
}

}  // namespace
}  // namespace rayo
