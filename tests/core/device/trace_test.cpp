// SPDX-License-Identifier: Apache-2.0
//
// Uploads, kernels and downloads on two queues, tile after tile, in one trace: every step is there, in the order that
// the semaphores ask for, and each queue's in a thread of its own.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>

#include <nlohmann/json.hpp>

#include "device_fixture.hpp"

namespace rayo_test {
namespace {

class TraceOfQueues : public DeviceTest, public ::testing::WithParamInterface<const char *> {
 protected:
  static constexpr size_t kTiles = 4;
  static constexpr size_t kFloats = 200'000;

  void SetUp() override {
    path_ = std::filesystem::path(::testing::TempDir()) / (std::string("rayo_queues_") + GetParam() + ".json");
    trace_ = path_.string();
    start(true);
  }
  void TearDown() override {
    DeviceTest::TearDown();
    std::filesystem::remove(path_);
  }
  std::filesystem::path path_;
};

TEST_P(TraceOfQueues, ShowsTheStepsOfAPipelineInOrder) {
  rayo_device *device = find(GetParam());
  const std::vector<int64_t> shape{static_cast<int64_t>(kFloats)};
  const std::vector<float> x(kFloats, 1.0F);
  std::vector<std::vector<float>> results(kTiles, std::vector<float>(kFloats));
  {
    const QueuePtr copies = queue(device);
    const QueuePtr compute = queue(device);
    const SemaphorePtr uploaded = semaphore(device);
    const SemaphorePtr computed = semaphore(device);
    std::vector<BufferPtr> in;
    std::vector<BufferPtr> out;
    for (size_t i = 0; i < kTiles; ++i) {
      in.push_back(buffer(device, kFloats));
      out.push_back(buffer(device, kFloats));
    }
    const auto upload = [&](size_t i) {
      const rayo_point signal{uploaded.get(), i + 1};
      const rayo_sync sync{nullptr, &signal, 0, 1};
      ASSERT_EQ(rayo_queue_upload(copies.get(), in[i].get(), 0, x.data(), kFloats * 4, &sync), RAYO_OK) << last_error();
    };
    upload(0);
    for (size_t i = 0; i < kTiles; ++i) {
      const rayo_point wait{uploaded.get(), i + 1};
      const rayo_point signal{computed.get(), i + 1};
      const rayo_sync sync{&wait, &signal, 1, 1};
      const rayo_tensor a = on_device(in[i].get(), shape);
      ASSERT_EQ(queue_add(compute.get(), a, a, on_device(out[i].get(), shape), &sync), RAYO_OK) << last_error();
      if (i + 1 < kTiles) upload(i + 1);  // while tile i is computed
      const rayo_sync after{&signal, nullptr, 1, 0};
      ASSERT_EQ(rayo_queue_download(copies.get(), out[i].get(), 0, results[i].data(), kFloats * 4, &after), RAYO_OK);
    }
    ASSERT_EQ(rayo_queue_wait(copies.get(), kForEver), RAYO_OK) << last_error();
    ASSERT_EQ(rayo_queue_wait(compute.get(), kForEver), RAYO_OK) << last_error();
  }
  for (const std::vector<float> &each : results) ASSERT_EQ(each, std::vector<float>(kFloats, 2.0F));
  ASSERT_EQ(rayo_trace_flush(runtime_.get()), RAYO_OK) << last_error();

  nlohmann::json events = nlohmann::json::parse(std::ifstream(path_));
  if (events.is_object()) events = events["traceEvents"];
  struct Step {
    double begin;
    double end;
    int64_t thread;
  };
  std::map<std::string, std::vector<Step>> steps;
  for (const auto &event : events) {
    if (event.value("ph", "") != "X") continue;
    // Of the queues' own rows: what the caller's thread did is of kind submit and wait.
    const std::string kind = event.value("cat", "");
    if (kind != "call" && kind != "copy" && kind != "work") continue;
    const double begin = event["ts"];
    steps[event["name"]].push_back({begin, begin + event["dur"].get<double>(), event["tid"].get<int64_t>()});
  }
  for (const char *name : {"upload", "add", "download"}) {
    ASSERT_EQ(steps[name].size(), kTiles) << name;
    std::sort(steps[name].begin(), steps[name].end(), [](const Step &a, const Step &b) { return a.begin < b.begin; });
  }
  for (size_t i = 0; i < kTiles; ++i) {
    EXPECT_LE(steps["upload"][i].end, steps["add"][i].begin) << i;
    EXPECT_LE(steps["add"][i].end, steps["download"][i].begin) << i;
    EXPECT_EQ(steps["upload"][i].thread, steps["download"][i].thread);
    EXPECT_NE(steps["upload"][i].thread, steps["add"][i].thread);
  }
}

INSTANTIATE_TEST_SUITE_P(Devices, TraceOfQueues, ::testing::Values("mock0", "host"),
                         [](const auto &param) { return std::string(param.param); });

}  // namespace
}  // namespace rayo_test
