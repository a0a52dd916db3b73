// SPDX-License-Identifier: Apache-2.0
//
// Buffers, queues and semaphores: the same tests on the mock device and on the host dressed as one.
#include <algorithm>

#include <thread>

#include "device_fixture.hpp"

namespace rayo_test {
namespace {

class Queues : public DeviceTest, public ::testing::WithParamInterface<const char *> {
 protected:
  void SetUp() override {
    DeviceTest::SetUp();
    device_ = find(GetParam());
    ASSERT_NE(device_, nullptr);
  }
  rayo_device *device_ = nullptr;
  const std::vector<int64_t> shape_{256};
  const std::vector<float> ones_ = std::vector<float>(256, 1.0F);
  const std::vector<float> eights_ = std::vector<float>(256, 8.0F);
  std::vector<float> result_ = std::vector<float>(256, -1.0F);
  static constexpr uint64_t kBytes = 256 * sizeof(float);
};

TEST_P(Queues, DescribesTheDevice) {
  rayo_device_info info{};
  info.struct_size = sizeof info;
  info.struct_type = RAYO_TYPE_DEVICE_INFO;
  ASSERT_EQ(rayo_device_describe(device_, &info), RAYO_OK) << last_error();
  EXPECT_STREQ(info.id, GetParam());
  EXPECT_GT(info.max_buffer_bytes, 0u);
}

TEST_P(Queues, UploadsComputesOnTwoQueuesAndDownloads) {
  const BufferPtr a = buffer(device_, 256);
  const BufferPtr b = buffer(device_, 256);
  const BufferPtr y = buffer(device_, 256);
  const rayo_tensor ta = on_device(a.get(), shape_);
  const rayo_tensor tb = on_device(b.get(), shape_);
  const rayo_tensor ty = on_device(y.get(), shape_);
  const QueuePtr copies = queue(device_);
  const QueuePtr compute = queue(device_);
  const SemaphorePtr timeline = semaphore(device_);
  const rayo_point points[] = {{timeline.get(), 1}, {timeline.get(), 2}, {timeline.get(), 3}};
  const rayo_sync uploaded{nullptr, &points[0], 0, 1};
  const rayo_sync computed{&points[0], &points[1], 1, 1};
  const rayo_sync downloaded{&points[1], &points[2], 1, 1};
  ASSERT_EQ(rayo_queue_upload(copies.get(), a.get(), 0, ones_.data(), kBytes, nullptr), RAYO_OK) << last_error();
  ASSERT_EQ(rayo_queue_upload(copies.get(), b.get(), 0, eights_.data(), kBytes, &uploaded), RAYO_OK) << last_error();
  ASSERT_EQ(queue_add(compute.get(), ta, tb, ty, &computed), RAYO_OK) << last_error();
  ASSERT_EQ(rayo_queue_download(copies.get(), y.get(), 0, result_.data(), kBytes, &downloaded), RAYO_OK);
  ASSERT_EQ(rayo_semaphore_wait(timeline.get(), 3, kForEver), RAYO_OK) << last_error();
  EXPECT_EQ(result_, std::vector<float>(256, 9.0F));
  uint64_t value = 0;
  EXPECT_EQ(rayo_semaphore_query(timeline.get(), &value), RAYO_OK);
  EXPECT_EQ(value, 3u);
}

TEST_P(Queues, HostMemoryOfACopyIsTheCallersAgainOnceItsSignalIsReached) {
  constexpr uint64_t kFloats = uint64_t{1} << 20;  // large enough that a worker copies it
  const QueuePtr up = queue(device_);
  const QueuePtr down = queue(device_);
  const SemaphorePtr uploaded = semaphore(device_);
  const SemaphorePtr downloaded = semaphore(device_);
  const BufferPtr x = buffer(device_, kFloats);
  std::vector<float> source(kFloats);
  std::vector<float> result(kFloats, -1.0F);
  for (uint64_t round = 1; round <= 4; ++round) {
    std::fill(source.begin(), source.end(), static_cast<float>(round));
    const rayo_point last{downloaded.get(), round - 1};
    const rayo_point arrived{uploaded.get(), round};
    const rayo_point back{downloaded.get(), round};
    const rayo_sync above{&last, &arrived, 1, 1};
    const rayo_sync below{&arrived, &back, 1, 1};
    ASSERT_EQ(rayo_queue_upload(up.get(), x.get(), 0, source.data(), kFloats * 4, &above), RAYO_OK) << last_error();
    ASSERT_EQ(rayo_queue_download(down.get(), x.get(), 0, result.data(), kFloats * 4, &below), RAYO_OK);
    ASSERT_EQ(rayo_semaphore_wait(uploaded.get(), round, kForEver), RAYO_OK) << last_error();
    std::fill(source.begin(), source.end(), -7.0F);  // nobody reads it any more
    ASSERT_EQ(rayo_semaphore_wait(downloaded.get(), round, kForEver), RAYO_OK) << last_error();
    ASSERT_EQ(result, std::vector<float>(kFloats, static_cast<float>(round)));
  }
}

TEST_P(Queues, QueuedWorkOutlivesItsBuffersAndPlan) {
  BufferPtr x = filled(device_, eights_);
  const BufferPtr y = buffer(device_, 256);
  const rayo_tensor tx = on_device(x.get(), shape_);
  const rayo_tensor ty = on_device(y.get(), shape_);
  const rayo_tensor *in[] = {&tx, &tx};
  const rayo_tensor *out[] = {&ty};
  rayo_run_options options = RAYO_RUN_OPTIONS_INIT;
  options.device = GetParam();
  rayo_call_desc desc = RAYO_CALL_DESC_INIT;
  desc.op = add_;
  desc.inputs = in;
  desc.input_count = 2;
  desc.outputs = out;
  desc.output_count = 1;
  desc.options = &options;
  rayo_plan *plan = nullptr;
  ASSERT_EQ(rayo_plan_create(runtime_.get(), &desc, &plan), RAYO_OK) << last_error();
  const QueuePtr q = queue(device_);
  const SemaphorePtr gate = semaphore(device_);
  const BufferPtr scratch = buffer(device_, 256);
  ASSERT_EQ(rayo_queue_run_plan(q.get(), plan, in, out, nullptr), RAYO_OK) << last_error();
  x.reset();
  rayo_plan_destroy(plan);
  ASSERT_EQ(rayo_queue_wait(q.get(), kForEver), RAYO_OK) << last_error();
  EXPECT_EQ(content(y.get(), 256), std::vector<float>(256, 16.0F));
}

TEST_P(Queues, CopiesBetweenBuffersAndRefusesOverlap) {
  const BufferPtr x = filled(device_, eights_);
  const BufferPtr y = filled(device_, ones_);
  const QueuePtr q = queue(device_);
  ASSERT_EQ(rayo_queue_copy(q.get(), y.get(), 8, x.get(), 0, 16, nullptr), RAYO_OK) << last_error();
  ASSERT_EQ(rayo_queue_wait(q.get(), kForEver), RAYO_OK) << last_error();
  const std::vector<float> got = content(y.get(), 8);
  EXPECT_EQ(got, (std::vector<float>{1, 1, 8, 8, 8, 8, 1, 1}));
  EXPECT_EQ(rayo_queue_copy(q.get(), x.get(), 8, x.get(), 0, 16, nullptr), RAYO_INVALID_ARGUMENT);
  EXPECT_EQ(rayo_queue_copy(q.get(), y.get(), kBytes, x.get(), 0, 16, nullptr), RAYO_INVALID_ARGUMENT);
}

TEST_P(Queues, TensorThatNamesItsQueueIsWaitedFor) {
  const BufferPtr x = buffer(device_, 256);
  const BufferPtr y = buffer(device_, 256);
  const QueuePtr q = queue(device_);
  const QueuePtr other = queue(device_);
  ASSERT_EQ(rayo_queue_upload(q.get(), x.get(), 0, eights_.data(), kBytes, nullptr), RAYO_OK);
  rayo_tensor tx = on_device(x.get(), shape_);
  tx.queue = q.get();
  const rayo_tensor ty = on_device(y.get(), shape_);
  ASSERT_EQ(queue_add(other.get(), tx, tx, ty), RAYO_OK) << last_error();
  ASSERT_EQ(rayo_queue_wait(other.get(), kForEver), RAYO_OK) << last_error();
  EXPECT_EQ(content(y.get(), 256), std::vector<float>(256, 16.0F));
}

TEST_P(Queues, WrongPointsAndOperandsLeaveNoTrace) {
  const BufferPtr x = filled(device_, ones_);
  const QueuePtr q = queue(device_);
  const SemaphorePtr timeline = semaphore(device_);
  const rayo_point point{timeline.get(), 5};
  const rayo_sync early{&point, nullptr, 1, 0};
  EXPECT_EQ(rayo_queue_download(q.get(), x.get(), 0, result_.data(), kBytes, &early), RAYO_PRECONDITION);
  const rayo_tensor tx = on_device(x.get(), shape_);
  const std::vector<int64_t> wrong{3};
  const rayo_tensor ty = on_device(x.get(), wrong);
  EXPECT_EQ(queue_add(q.get(), tx, tx, ty), RAYO_INVALID_ARGUMENT);
  EXPECT_EQ(rayo_queue_wait(q.get(), kForEver), RAYO_OK) << last_error();
  EXPECT_EQ(rayo_semaphore_signal(timeline.get(), 5), RAYO_OK) << last_error();
  EXPECT_EQ(rayo_queue_download(q.get(), x.get(), 0, result_.data(), kBytes, &early), RAYO_OK) << last_error();
  EXPECT_EQ(rayo_semaphore_wait(timeline.get(), 6, 0), RAYO_TIMEOUT);
}

TEST_P(Queues, HandlesOutliveTheirRuntime) {
  BufferPtr x = filled(device_, ones_);
  QueuePtr q = queue(device_);
  SemaphorePtr timeline = semaphore(device_);
  runtime_.reset();
  float one = 0;
  EXPECT_EQ(rayo_buffer_download(x.get(), 0, &one, sizeof one), RAYO_PRECONDITION);
  EXPECT_EQ(rayo_queue_wait(q.get(), 0), RAYO_PRECONDITION);
  EXPECT_EQ(rayo_semaphore_signal(timeline.get(), 1), RAYO_PRECONDITION);
}

TEST_P(Queues, ThousandCyclesLeaveNothing) {
  const auto cycle = [&] {
    const BufferPtr x = filled(device_, ones_);
    const QueuePtr q = queue(device_);
    const SemaphorePtr timeline = semaphore(device_);
    const rayo_tensor tx = on_device(x.get(), shape_);
    ASSERT_EQ(queue_add(q.get(), tx, tx, tx), RAYO_OK) << last_error();
  };
  cycle();
  const uint64_t before = mock_switches().alive();
  for (int i = 0; i < 1000; ++i) cycle();
  EXPECT_EQ(mock_switches().alive(), before);
}

TEST_P(Queues, FailureCancelsWhatIsBehindAndTheQueueRecovers) {
  if (std::string(GetParam()) != "mock0") GTEST_SKIP() << "only the mock has an op that fails on the device";
  const BufferPtr x = filled(device_, std::vector<float>(256, -4.0F));
  const BufferPtr y = filled(device_, ones_);
  const rayo_tensor tx = on_device(x.get(), shape_);
  const rayo_tensor ty = on_device(y.get(), shape_);
  const rayo_tensor *in[] = {&tx};
  const rayo_tensor *out[] = {&tx};
  const QueuePtr q = queue(device_);
  const QueuePtr other = queue(device_);
  const SemaphorePtr timeline = semaphore(device_);
  const rayo_point point{timeline.get(), 1};
  const rayo_sync signal{nullptr, &point, 0, 1};
  const rayo_sync wait{&point, nullptr, 1, 0};
  ASSERT_EQ(rayo_queue_run(q.get(), rayo_op_find("mock.checked_sqrt"), in, 1, out, 1, nullptr, &signal), RAYO_OK)
      << last_error();
  ASSERT_EQ(queue_add(other.get(), ty, ty, ty, &wait), RAYO_OK) << last_error();
  EXPECT_EQ(rayo_semaphore_wait(timeline.get(), 1, kForEver), RAYO_CANCELLED);
  EXPECT_NE(last_error().find("mock.checked_sqrt met -4"), std::string::npos) << last_error();
  EXPECT_EQ(rayo_queue_wait(q.get(), kForEver), RAYO_INVALID_ARGUMENT);
  EXPECT_EQ(rayo_queue_wait(other.get(), kForEver), RAYO_CANCELLED);
  ASSERT_EQ(queue_add(q.get(), ty, ty, ty), RAYO_OK) << "the queue works again: " << last_error();
  EXPECT_EQ(rayo_queue_wait(q.get(), kForEver), RAYO_OK) << last_error();
  EXPECT_EQ(content(y.get(), 256), std::vector<float>(256, 2.0F)) << "cancelled work must not have written";
}

INSTANTIATE_TEST_SUITE_P(Devices, Queues, ::testing::Values("mock0", "host", "scalar"),
                         [](const auto &param) { return std::string(param.param); });

}  // namespace
}  // namespace rayo_test
