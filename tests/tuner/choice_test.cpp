// SPDX-License-Identifier: Apache-2.0
//
// What is chosen by a profile, over two plugins of known cost: thresholds to the element, layers, entries that no
// longer hold, damaged files. Nothing here is timed.
#include <gtest/gtest.h>
#include <rayo/profile.h>
#include <rayo/rayo.h>

#include <filesystem>
#include <fstream>
#include <memory>

#include "base/sha256.hpp"
#include "counted.hpp"
#include "sample.hpp"
#include "tests/core/temp_folder.hpp"

namespace {

using namespace rayo;
using rayo_test::entry_of;
using rayo_test::profile_of;
using rayo_test::TempFolder;

struct Logged {
  std::string text;
};

class Choice : public testing::Test {
 protected:
  void SetUp() override {
    for (const char *name : {"mock_a", "mock_b"}) {
      std::filesystem::copy_file(std::string(RAYO_MOCK_DIR) + "/" + name + ".so",
                                 plugins_ / (std::string(name) + ".so"));
    }
    profile_ = folder_ / "profile.json";
  }

  std::string plugin_file(const char *name) const { return plugins_ / (std::string(name) + ".so"); }

  std::vector<ProfilePlugin> marks() const {
    return {{"mock_a", sha256_of_file(plugin_file("mock_a")), "1"},
            {"mock_b", sha256_of_file(plugin_file("mock_b")), "1"}};
  }

  // mock_a alone up to `threshold`, mock_b from there on.
  Profile with_threshold(uint64_t threshold) const {
    // a: v, b: (threshold - 1/2) / 2 + v / 2; they meet half an element below the threshold.
    return profile_of(marks(),
                      {entry_of({{0, "mock_a", "add_model", 1, "bound"}, {1, "mock_b", "add_model", 1, "bound"}},
                                {{0, 1}, {(static_cast<double>(threshold) - 0.5) / 2, 0.5}})});
  }

  void write(const std::string &text) const { std::ofstream(profile_, std::ios::binary) << text; }
  void write(const Profile &profile) const { write(profile_text(profile)); }

  rayo_runtime *start(const char *profile = nullptr, uint32_t threads = 2) {
    rayo_profile_options chosen = RAYO_PROFILE_OPTIONS_INIT;
    chosen.profile = profile == nullptr ? profile_.c_str() : profile;
    rayo_runtime_options options = RAYO_RUNTIME_OPTIONS_INIT;
    options.next = &chosen;
    options.flags = RAYO_RUNTIME_NO_ENVIRONMENT;
    options.plugin_path = plugins_.path().c_str();
    options.threads = threads;
    options.log = [](void *ctx, int32_t level, const char *text) {
      if (level <= RAYO_LOG_WARN) static_cast<Logged *>(ctx)->text += std::string(text) + "\n";
    };
    options.log_ctx = &logged_;
    runtime_.reset();
    rayo_runtime *runtime = nullptr;
    status_ = rayo_runtime_create(&options, &runtime);
    runtime_.reset(runtime);
    return runtime;
  }

  struct Plan {
    Plan(rayo_runtime *runtime, std::vector<int64_t> shape, const char *device = nullptr) : extents(std::move(shape)) {
      rayo_run_options options = RAYO_RUN_OPTIONS_INIT;
      options.device = device;
      const rayo_tensor tensor =
          rayo_tensor_make(nullptr, {kDLFloat, 32, 1}, static_cast<int32_t>(extents.size()), extents.data(), nullptr);
      const rayo_tensor *inputs[] = {&tensor, &tensor};
      rayo_call_desc desc = RAYO_CALL_DESC_INIT;
      desc.op = rayo_op_find("add");
      desc.inputs = inputs;
      desc.input_count = 2;
      desc.options = &options;
      EXPECT_EQ(rayo_plan_create(runtime, &desc, &plan), RAYO_OK);
    }
    ~Plan() { rayo_plan_destroy(plan); }
    rayo_selection select() const {
      rayo_selection selection{};
      selection.struct_size = sizeof selection;
      selection.struct_type = RAYO_TYPE_SELECTION;
      EXPECT_EQ(rayo_plan_select(plan, &selection), RAYO_OK);
      return selection;
    }
    std::vector<int64_t> extents;
    rayo_plan *plan = nullptr;
  };

  std::string chosen(rayo_runtime *runtime, int64_t n) { return Plan(runtime, {n}).select().plugin; }

  // Reasons of rayo_explain by plugin, and the level.
  std::map<std::string, std::string> explain(rayo_runtime *runtime, int64_t n, std::string *out_level = nullptr) {
    const rayo_tensor tensor = rayo_tensor_make(nullptr, {kDLFloat, 32, 1}, 1, &n, nullptr);
    const rayo_tensor *inputs[] = {&tensor, &tensor};
    rayo_call_desc desc = RAYO_CALL_DESC_INIT;
    desc.op = rayo_op_find("add");
    desc.inputs = inputs;
    desc.input_count = 2;
    rayo_explanation *explanation = nullptr;
    EXPECT_EQ(rayo_explain(runtime, &desc, &explanation), RAYO_OK);
    std::map<std::string, std::string> reasons;
    for (uint32_t i = 0; i < rayo_explanation_count(explanation); ++i) {
      rayo_candidate candidate{};
      candidate.struct_size = sizeof candidate;
      candidate.struct_type = RAYO_TYPE_CANDIDATE;
      EXPECT_EQ(rayo_explanation_get(explanation, i, &candidate), RAYO_OK);
      reasons[candidate.plugin] = candidate.reason;
      predicted_[candidate.plugin] = candidate.predicted_ns;
    }
    if (out_level != nullptr) *out_level = rayo_explanation_level(explanation);
    rayo_explanation_destroy(explanation);
    return reasons;
  }

  TempFolder plugins_;
  TempFolder folder_;
  std::string profile_;
  Logged logged_;
  rayo_status status_ = RAYO_OK;
  std::map<std::string, double> predicted_;
  std::unique_ptr<rayo_runtime, decltype(&rayo_runtime_destroy)> runtime_{nullptr, rayo_runtime_destroy};
};

TEST_F(Choice, IsStaticWithoutAProfile) {
  rayo_runtime *runtime = start("none");
  std::string level;
  explain(runtime, 10, &level);
  EXPECT_EQ(level, "static");
  EXPECT_EQ(chosen(runtime, 10), "mock_a");  // the higher preference
}

TEST_F(Choice, ThresholdTakesEffectAtItsValue) {
  for (const uint64_t threshold : {uint64_t{2}, uint64_t{777}, uint64_t{4096}, uint64_t{99999}}) {
    write(with_threshold(threshold));
    rayo_runtime *runtime = start();
    EXPECT_EQ(chosen(runtime, static_cast<int64_t>(threshold) - 1), "mock_a") << threshold;
    EXPECT_EQ(chosen(runtime, static_cast<int64_t>(threshold)), "mock_b") << threshold;
  }
}

TEST_F(Choice, StatedBreakpointIsTheOneInEffect) {
  // Written by hand: the breakpoint moved away from where the times put it.
  Profile profile = with_threshold(5000);
  profile.entries[0].choices[0].from = {0, 123};
  write(profile);
  rayo_runtime *runtime = start();
  EXPECT_EQ(chosen(runtime, 122), "mock_a");
  EXPECT_EQ(chosen(runtime, 123), "mock_b");
}

TEST_F(Choice, ThreadsFollowTheirThreshold) {
  write(profile_of(marks(), {entry_of({{0, "mock_a", "add_model", 1, "bound"}, {0, "mock_a", "add_model", 2, "bound"}},
                                      {{0, 1}, {999.5 / 2, 0.5}})}));
  rayo_runtime *runtime = start();
  EXPECT_EQ(Plan(runtime, {999}).select().threads, 1u);
  EXPECT_EQ(Plan(runtime, {1000}).select().threads, 2u);
  runtime = start(nullptr, 1);
  EXPECT_EQ(Plan(runtime, {1000}).select().threads, 1u);  // a call of one thread
}

TEST_F(Choice, TakesNoMemoryAndNoLockAndIsAlwaysTheSame) {
  write(with_threshold(777));
  const Plan plan(start(), {1000});
  const rayo_selection first = plan.select();
  const uint64_t allocations_before = allocations;
  const uint64_t locks_before = locks;
  for (int i = 0; i < 1000; ++i) {
    rayo_selection again{};
    again.struct_size = sizeof again;
    again.struct_type = RAYO_TYPE_SELECTION;
    rayo_plan_select(plan.plan, &again);
    if (again.plugin != first.plugin || again.threads != first.threads || again.level != first.level) FAIL() << i;
  }
  EXPECT_EQ(allocations, allocations_before);
  EXPECT_EQ(locks, locks_before);
  EXPECT_EQ(first.level, RAYO_LEVEL_PROFILE);
}

TEST_F(Choice, IsForcedByADevice) {
  write(with_threshold(777));
  const Plan plan(start(), {1000}, "mock_a");
  EXPECT_STREQ(plan.select().plugin, "mock_a");
  EXPECT_EQ(plan.select().level, RAYO_LEVEL_FORCED);
}

TEST_F(Choice, IsExplainedWithPredictedTimes) {
  write(with_threshold(777));
  std::string level;
  auto reasons = explain(start(), 10000, &level);
  EXPECT_EQ(level, "profile");
  EXPECT_NEAR(predicted_["mock_a"], 10000, 1);
  EXPECT_NEAR(predicted_["mock_b"], 5388.25, 1);
  EXPECT_NE(reasons["mock_b"].find(profile_), std::string::npos) << reasons["mock_b"];
  EXPECT_NE(reasons["mock_a"].find("1.86x slower than mock_b"), std::string::npos) << reasons["mock_a"];
}

TEST_F(Choice, ReplacedPluginLosesItsEntriesAlone) {
  Profile profile = with_threshold(777);
  profile.entries.push_back(entry_of({{0, "mock_a", "matmul_model", 1, "bound"}}, {{0, 1}}));
  profile.entries[1].op = "matmul";
  profile.plugins[1].sha256 = std::string(64, '0');  // mock_b's file is another one now
  write(profile);
  std::string level;
  auto reasons = explain(start(), 10000, &level);
  EXPECT_EQ(level, "profile");  // what was measured of mock_a still holds
  EXPECT_EQ(chosen(runtime_.get(), 10000), "mock_a");
  EXPECT_NE(reasons["mock_b"].find("its file has changed"), std::string::npos) << reasons["mock_b"];
  EXPECT_NE(logged_.text.find("mock_b: its file has changed"), std::string::npos) << logged_.text;
}

TEST_F(Choice, UnmeasuredFavouriteIsNotTurnedDown) {
  // mock_a is first in the static order, and its file has changed: the profile cannot say that mock_b is faster.
  Profile profile = with_threshold(777);
  profile.plugins[0].sha256 = std::string(64, '0');
  write(profile);
  std::string level;
  auto reasons = explain(start(), 10000, &level);
  EXPECT_EQ(level, "static");
  EXPECT_EQ(chosen(runtime_.get(), 10000), "mock_a");
  EXPECT_NE(reasons["mock_a"].find("its file has changed"), std::string::npos) << reasons["mock_a"];
}

TEST_F(Choice, RemovedPluginIsNotMissed) {
  write(with_threshold(777));
  std::filesystem::remove(plugin_file("mock_b"));
  EXPECT_EQ(chosen(start(), 10000), "mock_a");
  EXPECT_NE(logged_.text.find("mock_b: it is not among the ready plugins"), std::string::npos) << logged_.text;
}

TEST_F(Choice, ProfileOfAnotherMachineIsNotUsed) {
  Profile profile = with_threshold(777);
  profile.machine.cpu = "Another CPU";
  profile.machine.class_key = "0123456789abcdef";
  write(profile);
  std::string level;
  auto reasons = explain(start(), 10000, &level);
  EXPECT_EQ(level, "static");
  EXPECT_NE(logged_.text.find("'Another CPU'"), std::string::npos) << logged_.text;
  EXPECT_NE(reasons["mock_a"].find("'Another CPU'"), std::string::npos) << reasons["mock_a"];
}

TEST_F(Choice, WrongResultIsNeverChosen) {
  Profile profile = with_threshold(777);
  profile.entries[0] = entry_of({{1, "mock_b", "add_model", 1, "bound"}}, {{0, 1}});
  profile.entries[0].rejected = {{0, "mock_a", "element 0 is wrong"}};
  write(profile);
  auto reasons = explain(start(), 10);
  EXPECT_EQ(chosen(runtime_.get(), 10), "mock_b");
  EXPECT_NE(reasons["mock_a"].find("wrong result when it was tuned: element 0 is wrong"), std::string::npos);
}

TEST_F(Choice, DamagedProfilesLeaveTheStaticRules) {
  const std::string text = profile_text(with_threshold(777));
  const std::string newer = [&] {
    std::string changed = text;
    return changed.replace(changed.find("profile:1"), 9, "profile:9");
  }();
  for (const std::string &damaged : {std::string(), text.substr(0, text.size() / 2), std::string("{}"), newer,
                                     std::string(1000, '\0'), text.substr(0, 40) + "~" + text.substr(41)}) {
    write(damaged);
    logged_.text.clear();
    rayo_runtime *runtime = start();
    ASSERT_NE(runtime, nullptr) << status_;
    EXPECT_EQ(chosen(runtime, 10000), "mock_a");
    EXPECT_NE(logged_.text.find("is not used: "), std::string::npos) << logged_.text;
    EXPECT_NE(logged_.text.find(profile_), std::string::npos) << logged_.text;
  }
}

TEST_F(Choice, ProfileThatWasNamedHasToExist) {
  EXPECT_EQ(start("/nowhere/profile.json"), nullptr);
  EXPECT_EQ(status_, RAYO_NOT_FOUND);
}

TEST_F(Choice, FollowsAProfileThatIsLoadedLater) {
  rayo_runtime *runtime = start("none");
  const Plan plan(runtime, {1000});
  EXPECT_STREQ(plan.select().plugin, "mock_a");
  write(with_threshold(777));
  ASSERT_EQ(rayo_runtime_load_profile(runtime, profile_.c_str()), RAYO_OK);
  EXPECT_STREQ(plan.select().plugin, "mock_b");
  EXPECT_EQ(chosen(runtime, 1000), "mock_b");
  ASSERT_EQ(rayo_runtime_load_profile(runtime, "none"), RAYO_OK);
  EXPECT_EQ(chosen(runtime, 1000), "mock_a");
}

}  // namespace
