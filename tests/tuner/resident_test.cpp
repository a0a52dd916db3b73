// SPDX-License-Identifier: Apache-2.0
//
// Choices for data that lives on a device, on a mock device beside a host plugin: where calls run, what explain says,
// and which times a new driver costs. Nothing here is timed.
#include <gtest/gtest.h>
#include <rayo/device.h>
#include <rayo/profile.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <numeric>

#include "base/sha256.hpp"
#include "counted.hpp"
#include "sample.hpp"
#include "tests/core/temp_folder.hpp"

namespace {

using namespace rayo;
using rayo_test::entry_of;
using rayo_test::Line;
using rayo_test::profile_of;
using rayo_test::TempFolder;

constexpr int64_t kThreshold = 1000;

class Resident : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::copy_file(std::string(RAYO_MOCK_DIR) + "/mock_a.so", plugins_ / "mock_a.so");
    std::filesystem::copy_file(RAYO_DEVICE_FILE, plugins_ / "mock.so");
    profile_ = folder_ / "profile.json";
  }
  void TearDown() override { ::unsetenv("RAYO_MOCK_DRIVER"); }

  // Where the two lines meet: half an element below the threshold.
  static std::vector<Line> lines(bool second_wins) {
    const double fixed = (kThreshold - 0.5) * (second_wins ? 0.5 : 1.5);
    return {{0, second_wins ? 1.0 : 2.0}, {fixed, 0.5}};
  }

  // In host memory the device pays from the threshold on; on the device the host does.
  Profile sample() const {
    const std::vector<ProfilePlugin> marks = {{"mock_a", sha256_of_file(plugins_ / "mock_a.so"), "1"},
                                              {"mock", sha256_of_file(plugins_ / "mock.so"), "0.1.0"}};
    const ProfileCandidate host{0, "mock_a", "add_model", 1, "bound"};
    const ProfileCandidate device{1, "mock0", "add_f32", 1, "bound"};
    Profile profile = profile_of(marks, {entry_of({host, device}, lines(true)), entry_of({device, host}, lines(true))});
    profile.entries[1].residency = "mock0";
    profile.machine.devices = {{"mock0", "mock device with memory of its own", "threads"}};
    profile.transfers = {{"mock0", 100, 50, 1, 50, 1}};
    return profile;
  }

  rayo_runtime *start(const Profile &profile) {
    std::ofstream(profile_, std::ios::binary) << profile_text(profile);
    rayo_profile_options chosen = RAYO_PROFILE_OPTIONS_INIT;
    chosen.profile = profile_.c_str();
    rayo_runtime_options options = RAYO_RUNTIME_OPTIONS_INIT;
    options.next = &chosen;
    options.flags = RAYO_RUNTIME_NO_ENVIRONMENT;
    options.plugin_path = plugins_.path().c_str();
    options.threads = 1;
    options.log = [](void *ctx, int32_t level, const char *text) {
      if (level <= RAYO_LOG_WARN) *static_cast<std::string *>(ctx) += std::string(text) + "\n";
    };
    options.log_ctx = &log_;
    log_.clear();
    runtime_.reset();
    rayo_runtime *runtime = nullptr;
    EXPECT_EQ(rayo_runtime_create(&options, &runtime), RAYO_OK);
    runtime_.reset(runtime);
    return runtime;
  }

  // add of n elements; bit i of `there`: operand i (two inputs, the output) lives on the device.
  class Call {
   public:
    Call(rayo_runtime *runtime, int64_t n, uint32_t there) : n_(n) {
      rayo_device *device = nullptr;
      EXPECT_EQ(rayo_device_find(runtime, "mock0", &device), RAYO_OK);
      for (uint32_t i = 0; i < 3; ++i) {
        memory_[i].resize(static_cast<size_t>(n), 0);
        if (i < 2) std::iota(memory_[i].begin(), memory_[i].end(), static_cast<float>(i));
        if ((there >> i & 1u) == 0) {
          tensors_[i] = rayo_tensor_make(memory_[i].data(), {kDLFloat, 32, 1}, 1, &n_, nullptr);
          continue;
        }
        EXPECT_EQ(rayo_buffer_create(device, bytes(), RAYO_MEMORY_DEVICE, &buffers_[i]), RAYO_OK);
        EXPECT_EQ(rayo_buffer_upload(buffers_[i], 0, memory_[i].data(), bytes()), RAYO_OK);
        EXPECT_EQ(rayo_buffer_tensor(buffers_[i], 0, {kDLFloat, 32, 1}, 1, &n_, nullptr, &tensors_[i]), RAYO_OK);
      }
      desc_.op = rayo_op_find("add");
      desc_.inputs = in_;
      desc_.input_count = 2;
      desc_.outputs = out_;
      desc_.output_count = 1;
      EXPECT_EQ(rayo_plan_create(runtime, &desc_, &plan_), RAYO_OK);
    }
    ~Call() {
      rayo_plan_destroy(plan_);
      for (rayo_buffer *buffer : buffers_) rayo_buffer_destroy(buffer);
    }
    Call(const Call &) = delete;
    Call &operator=(const Call &) = delete;

    rayo_selection select() const {
      rayo_selection selection{};
      selection.struct_size = sizeof selection;
      selection.struct_type = RAYO_TYPE_SELECTION;
      EXPECT_EQ(rayo_plan_select(plan_, &selection), RAYO_OK);
      return selection;
    }
    std::string plugin() const { return select().plugin; }
    bool runs_right() {
      EXPECT_EQ(rayo_plan_run(plan_, in_, out_), RAYO_OK);
      if (buffers_[2] != nullptr) {
        EXPECT_EQ(rayo_buffer_download(buffers_[2], 0, memory_[2].data(), bytes()), RAYO_OK);
      }
      for (size_t i = 0; i < memory_[2].size(); ++i) {
        if (memory_[2][i] != memory_[0][i] + memory_[1][i]) return false;
      }
      return true;
    }
    const rayo_call_desc &desc() const { return desc_; }

   private:
    uint64_t bytes() const { return static_cast<uint64_t>(n_) * sizeof(float); }
    int64_t n_;
    std::vector<float> memory_[3];
    rayo_buffer *buffers_[3] = {};
    rayo_tensor tensors_[3] = {};
    const rayo_tensor *in_[2] = {&tensors_[0], &tensors_[1]};
    const rayo_tensor *out_[1] = {&tensors_[2]};
    rayo_call_desc desc_ = RAYO_CALL_DESC_INIT;
    rayo_plan *plan_ = nullptr;
  };

  std::map<std::string, rayo_candidate> explain(const Call &call) {
    rayo_explanation *raw = nullptr;
    EXPECT_EQ(rayo_explain(runtime_.get(), &call.desc(), &raw), RAYO_OK);
    explanation_.reset(raw);
    std::map<std::string, rayo_candidate> out;
    for (uint32_t i = 0; i < rayo_explanation_count(raw); ++i) {
      rayo_candidate candidate{};
      candidate.struct_size = sizeof candidate;
      candidate.struct_type = RAYO_TYPE_CANDIDATE;
      EXPECT_EQ(rayo_explanation_get(raw, i, &candidate), RAYO_OK);
      out[candidate.device] = candidate;
    }
    return out;
  }

  static constexpr uint32_t kAll = 7;
  TempFolder plugins_;
  TempFolder folder_;
  std::string profile_;
  std::string log_;
  std::unique_ptr<rayo_runtime, decltype(&rayo_runtime_destroy)> runtime_{nullptr, rayo_runtime_destroy};
  std::unique_ptr<rayo_explanation, decltype(&rayo_explanation_destroy)> explanation_{nullptr,
                                                                                      rayo_explanation_destroy};
};

TEST_F(Resident, DataInHostMemoryGoesToTheDeviceFromItsThresholdOn) {
  rayo_runtime *runtime = start(sample());
  EXPECT_EQ(Call(runtime, kThreshold - 1, 0).plugin(), "mock_a");
  Call at(runtime, kThreshold, 0);
  EXPECT_EQ(at.plugin(), "mock");
  EXPECT_STREQ(at.select().device, "mock0");
  EXPECT_TRUE(at.runs_right());
}

TEST_F(Resident, DataOnTheDeviceLeavesItWhereThatWasMeasuredCheaper) {
  rayo_runtime *runtime = start(sample());
  Call below(runtime, kThreshold - 1, kAll);
  EXPECT_EQ(below.plugin(), "mock");
  EXPECT_EQ(below.select().level, RAYO_LEVEL_PROFILE);
  EXPECT_TRUE(below.runs_right());
  Call at(runtime, kThreshold, kAll);
  EXPECT_EQ(at.plugin(), "mock_a");
  EXPECT_EQ(at.select().level, RAYO_LEVEL_PROFILE);
  EXPECT_TRUE(at.runs_right());
  EXPECT_EQ(rayo_fallback_count(runtime), 0u);  // it was meant
}

TEST_F(Resident, DataStaysWhereNothingWasMeasuredOfIt) {
  Profile profile = sample();
  profile.entries.pop_back();
  Call call(start(profile), kThreshold, kAll);
  EXPECT_EQ(call.plugin(), "mock");
  EXPECT_EQ(call.select().level, RAYO_LEVEL_STATIC);
  // The host alone was measured: nothing to compare it with.
  Profile half = sample();
  half.entries[1] = entry_of({{0, "mock_a", "add_model", 1, "bound"}}, {{0, 1}});
  half.entries[1].residency = "mock0";
  Call other(start(half), kThreshold, kAll);
  EXPECT_EQ(other.plugin(), "mock");
}

TEST_F(Resident, OperandsInBothPlacesFollowTheSumOfTheParts) {
  // One input travels to the device, or one input to the host and the output back: 50 ns + 4 ns an element each.
  // Device: max(kernel there) + 50 + 4 n; host: kernel here + 2 (50 + 4 n).
  Profile profile = sample();
  profile.entries[0] = entry_of({{0, "mock_a", "add_model", 1, "bound"}}, {{0, 1}});
  profile.entries[1] = entry_of({{1, "mock0", "add_f32", 1, "bound"}}, {{0, 1}});
  profile.entries[1].residency = "mock0";
  Call stays(start(profile), 5000, 5);
  EXPECT_EQ(stays.plugin(), "mock");
  EXPECT_EQ(stays.select().level, RAYO_LEVEL_PROFILE);
  EXPECT_TRUE(stays.runs_right());
  auto parts = explain(stays);
  EXPECT_NEAR(parts["mock0"].transfer_ns, 50 + 4 * 5000, 1);
  EXPECT_NEAR(parts["mock0"].predicted_ns, 5000 + 50 + 4 * 5000, 1);
  EXPECT_NEAR(parts["mock_a"].predicted_ns, 5000 + 2 * (50 + 4 * 5000), 1);
  // A device 20 times slower: both moves are worth it, by more than the model's margin.
  profile.entries[1] = entry_of({{1, "mock0", "add_f32", 1, "bound"}}, {{0, 20}});
  profile.entries[1].residency = "mock0";
  Call leaves(start(profile), 5000, 5);
  EXPECT_EQ(leaves.plugin(), "mock_a");
  EXPECT_TRUE(leaves.runs_right());
  EXPECT_EQ(rayo_fallback_count(runtime_.get()), 0u);
  profile.transfers.clear();  // without them nothing can be summed
  EXPECT_EQ(Call(start(profile), 5000, 5).plugin(), "mock");
}

TEST_F(Resident, ExplainTellsTransfersLaunchAndKernelApart) {
  rayo_runtime *runtime = start(sample());
  auto host = explain(Call(runtime, 10000, 0));
  // In host memory 499.75 + n / 2; on the device n: the launch is 100 of it.
  const rayo_candidate device = host["mock0"];
  EXPECT_EQ(device.state, RAYO_CANDIDATE_CHOSEN);
  EXPECT_NEAR(device.predicted_ns, device.transfer_ns + device.launch_ns + device.kernel_ns, 1e-6);
  EXPECT_NEAR(device.launch_ns, 100, 1e-6);
  EXPECT_NE(std::string(device.reason).find("launch 100 ns"), std::string::npos) << device.reason;
  auto there = explain(Call(runtime, 10000, kAll));
  EXPECT_EQ(there["mock_a"].state, RAYO_CANDIDATE_CHOSEN);
  EXPECT_EQ(there["mock0"].transfer_ns, 0);
  EXPECT_NEAR(there["mock0"].kernel_ns, 10000 - 100, 1e-6);
}

TEST_F(Resident, AnotherDriverCostsThatDevicesTimesAlone) {
  const Profile profile = sample();
  start(profile);
  EXPECT_EQ(log_, "");
  ::setenv("RAYO_MOCK_DRIVER", "threads 2", 1);
  rayo_runtime *runtime = start(profile);
  EXPECT_NE(log_.find("the driver of 'mock0' was 'threads', here it is 'threads 2'"), std::string::npos) << log_;
  const Call call(runtime, kThreshold, 0);
  EXPECT_EQ(call.plugin(), "mock_a");  // what was measured of it still holds
  EXPECT_EQ(call.select().level, RAYO_LEVEL_PROFILE);
  EXPECT_NE(std::string(explain(call)["mock0"].reason).find("the driver of 'mock0' was 'threads'"), std::string::npos)
      << explain(call)["mock0"].reason;
  EXPECT_EQ(Call(runtime, kThreshold, kAll).plugin(), "mock");  // no entry says otherwise
  Profile early = profile;                                      // of a version that did not state drivers
  early.machine.devices[0].driver = "";
  EXPECT_EQ(Call(start(early), kThreshold, 0).plugin(), "mock");
}

TEST_F(Resident, ChoosingTakesNoMemoryAndNoLockEither) {
  const Call call(start(sample()), kThreshold, kAll);
  const rayo_selection first = call.select();
  const uint64_t allocations_before = allocations;
  const uint64_t locks_before = locks;
  for (int i = 0; i < 1000; ++i) {
    if (call.select().plugin != first.plugin) FAIL() << i;
  }
  EXPECT_EQ(allocations, allocations_before);
  EXPECT_EQ(locks, locks_before);
}

}  // namespace
