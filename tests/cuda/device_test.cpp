// SPDX-License-Identifier: Apache-2.0
//
// The CUDA plugin's device tier over the simulated driver: order between queues, poison, limits, a lost device,
// failures injected at every call, fork.
#include <sys/wait.h>
#include <unistd.h>

#include "device_harness.h"

namespace {

using cuda_test::Device;

constexpr uint64_t kForEver = UINT64_MAX;
constexpr int64_t kCount = 1000;
constexpr uint64_t kBytes = kCount * sizeof(float);
constexpr int kLost = 700, kNoMemory = 2;

class CudaDevice : public ::testing::Test {
 protected:
  void SetUp() override { make(); }
  void TearDown() override { unmake(); }

  void make() {
    d_ = std::make_unique<Device>();
    const rayo_device_api &api = d_->api();
    ASSERT_EQ(api.queue_create(d_->device, &other_, &d_->error), RAYO_OK);
    ASSERT_EQ(api.semaphore_create(d_->device, 0, &done_, &d_->error), RAYO_OK);
    x_ = d_->buffer(kBytes);
    y_ = d_->buffer(kBytes);
  }
  void unmake() {
    d_->heal();
    d_->hold(0);
    const rayo_device_api &api = d_->api();
    api.queue_destroy(other_);
    api.semaphore_destroy(done_);
    api.buffer_destroy(x_);
    api.buffer_destroy(y_);
    const auto live = d_->live_bytes;
    d_.reset();
    EXPECT_EQ(live(), 0u) << "memory was not given back";
  }

  using Points = std::vector<rayo_point>;
  rayo_status copy(rayo_queue *queue, rayo_buffer *dst, rayo_buffer *src, void *to, const void *from,
                   const Points &waits, const Points &signals, uint64_t size = kBytes) {
    rayo_copy c{};
    c.struct_size = sizeof c;
    c.struct_type = RAYO_TYPE_COPY;
    c.dst_buffer = dst;
    c.src_buffer = src;
    c.dst_host = to;
    c.src_host = from;
    c.size = size;
    c.waits = waits.data();
    c.wait_count = static_cast<uint32_t>(waits.size());
    c.signals = signals.data();
    c.signal_count = static_cast<uint32_t>(signals.size());
    return d_->api().copy(queue, &c);
  }
  uint64_t value() {
    uint64_t v = 0;
    EXPECT_EQ(d_->api().semaphore_query(done_, &v, &d_->error), RAYO_OK) << d_->error.text;
    return v;
  }
  rayo_status wait(rayo_queue *queue) { return d_->api().queue_wait(queue, kForEver, &d_->error); }

  std::unique_ptr<Device> d_;
  rayo_queue *other_ = nullptr;
  rayo_semaphore *done_ = nullptr;
  rayo_buffer *x_ = nullptr, *y_ = nullptr;
};

TEST_F(CudaDevice, DescribesItselfAndSaysThatItIsASimulation) {
  rayo_device_info info{};
  info.struct_size = sizeof info;
  info.struct_type = RAYO_TYPE_DEVICE_INFO;
  rayo_device_info *out[] = {&info};
  uint32_t count = 0;
  ASSERT_EQ(d_->api().enumerate(d_->instance, 1, out, &count, &d_->error), RAYO_OK);
  EXPECT_EQ(count, 1u);
  EXPECT_STREQ(info.id, "cuda0");
  EXPECT_EQ(info.dl.device_type, kDLCUDA);
  EXPECT_TRUE(info.flags & RAYO_DEVICE_SOFTWARE);
  EXPECT_GT(info.max_buffer_bytes, 0u);
}

TEST_F(CudaDevice, TwoQueuesRunInTheOrderOfTheirSemaphore) {
  std::vector<float> in(kCount, 3.0f), out(kCount, 0.0f);
  ASSERT_EQ(copy(d_->queue, x_, nullptr, nullptr, in.data(), {}, {{done_, 1}}), RAYO_OK);
  ASSERT_EQ(copy(other_, y_, x_, nullptr, nullptr, {{done_, 1}}, {{done_, 2}}), RAYO_OK);
  ASSERT_EQ(copy(d_->queue, nullptr, y_, out.data(), nullptr, {{done_, 2}}, {{done_, 5}}), RAYO_OK);
  EXPECT_EQ(out[0], 0.0f) << "copies wait for nobody, and nobody has waited yet";
  EXPECT_EQ(d_->api().semaphore_wait(done_, 5, kForEver, &d_->error), RAYO_OK);
  EXPECT_EQ(out, in);
  EXPECT_EQ(value(), 5u);
}

TEST_F(CudaDevice, SubmissionsDoNotWaitForTheDevice) {
  d_->hold(1);
  std::vector<float> host(3 << 20, 1.0f);  // pageable, and larger than a piece of the staging memory
  rayo_buffer *big = d_->buffer(host.size() * sizeof(float));
  ASSERT_EQ(copy(d_->queue, big, nullptr, nullptr, host.data(), {}, {{done_, 1}}, host.size() * sizeof(float)),
            RAYO_OK);
  EXPECT_EQ(d_->api().semaphore_wait(done_, 1, 0, &d_->error), RAYO_TIMEOUT);
  EXPECT_EQ(d_->api().queue_wait(d_->queue, 1000000, &d_->error), RAYO_TIMEOUT);
  EXPECT_EQ(value(), 0u);
  d_->api().buffer_destroy(big);  // held by the submission
  d_->hold(0);
  EXPECT_EQ(wait(d_->queue), RAYO_OK);
  EXPECT_EQ(value(), 1u);
}

TEST_F(CudaDevice, PageableMemoryOfAnySizeArrivesWhole) {
  std::vector<float> host(3 << 20), back(host.size());
  for (std::size_t i = 0; i < host.size(); ++i) host[i] = static_cast<float>(i % 100003);
  const uint64_t bytes = host.size() * sizeof(float);
  rayo_buffer *big = d_->buffer(bytes);
  ASSERT_EQ(copy(d_->queue, big, nullptr, nullptr, host.data(), {}, {}, bytes), RAYO_OK);
  ASSERT_EQ(copy(d_->queue, nullptr, big, back.data(), nullptr, {}, {}, bytes), RAYO_OK);
  EXPECT_EQ(wait(d_->queue), RAYO_OK);
  EXPECT_EQ(back, host);
  d_->api().buffer_destroy(big);
}

TEST_F(CudaDevice, PinnedAndImportedMemoryHasAHostAddress) {
  rayo_buffer *pinned = d_->buffer(kBytes, RAYO_MEMORY_PINNED);
  void *p = nullptr;
  ASSERT_EQ(d_->api().buffer_map(pinned, &p, &d_->error), RAYO_OK);
  static_cast<float *>(p)[7] = 5.0f;
  std::vector<float> own(kCount, 0.0f);
  rayo_buffer *imported = nullptr;
  ASSERT_EQ(d_->api().buffer_import(d_->device, own.data(), kBytes, &imported, &d_->error), RAYO_OK);
  ASSERT_EQ(copy(d_->queue, imported, pinned, nullptr, nullptr, {}, {}), RAYO_OK);
  EXPECT_EQ(wait(d_->queue), RAYO_OK);
  EXPECT_EQ(own[7], 5.0f);
  EXPECT_EQ(d_->api().buffer_map(x_, &p, &d_->error), RAYO_UNSUPPORTED);
  d_->api().buffer_destroy(imported);
  d_->api().buffer_destroy(pinned);
}

TEST_F(CudaDevice, RefusedSubmissionsLeaveNoTrace) {
  EXPECT_EQ(copy(d_->queue, y_, x_, nullptr, nullptr, {{done_, 1}}, {}), RAYO_PRECONDITION) << "wait before signal";
  EXPECT_EQ(copy(d_->queue, y_, x_, nullptr, nullptr, {}, {{done_, 0}}), RAYO_INVALID_ARGUMENT) << "not above";
  EXPECT_EQ(copy(d_->queue, y_, x_, nullptr, nullptr, {}, {{done_, 1}}, kBytes + 1), RAYO_INVALID_ARGUMENT);
  EXPECT_NE(cuda_test::last_text().find("reach beyond a buffer of 4000 bytes"), std::string::npos);
  EXPECT_EQ(value(), 0u);
  EXPECT_EQ(d_->api().semaphore_signal(done_, 1, &d_->error), RAYO_OK);
  EXPECT_EQ(d_->api().semaphore_signal(done_, 1, &d_->error), RAYO_INVALID_ARGUMENT);
  EXPECT_EQ(value(), 1u);
  EXPECT_EQ(wait(d_->queue), RAYO_OK);
}

TEST_F(CudaDevice, ABufferAboveTheLimitIsOutOfMemoryWithAText) {
  const rayo_buffer_desc desc{sizeof desc, RAYO_TYPE_BUFFER_DESC, nullptr, uint64_t{1} << 40, RAYO_MEMORY_DEVICE, 0};
  rayo_buffer *out = nullptr;
  EXPECT_EQ(d_->api().buffer_create(d_->device, &desc, &out, &d_->error), RAYO_OUT_OF_MEMORY);
  EXPECT_NE(std::string(d_->error.text).find("is above the 1073741824 of cuda0"), std::string::npos) << d_->error.text;
  const rayo_buffer_desc unified{sizeof desc, RAYO_TYPE_BUFFER_DESC, nullptr, 64, RAYO_MEMORY_UNIFIED, 0};
  EXPECT_EQ(d_->api().buffer_create(d_->device, &unified, &out, &d_->error), RAYO_UNSUPPORTED);
}

TEST_F(CudaDevice, OutOfMemoryNamesTheDeviceTheCodeAndWhatHelps) {
  const rayo_buffer_desc desc{sizeof desc, RAYO_TYPE_BUFFER_DESC, nullptr, uint64_t{900} << 20, RAYO_MEMORY_DEVICE, 0};
  rayo_buffer *first = nullptr, *second = nullptr;
  ASSERT_EQ(d_->api().buffer_create(d_->device, &desc, &first, &d_->error), RAYO_OK);
  EXPECT_EQ(d_->api().buffer_create(d_->device, &desc, &second, &d_->error), RAYO_OUT_OF_MEMORY);
  for (const char *part : {"cuda0", "CUDA_ERROR_OUT_OF_MEMORY (2)", "943718400 bytes", "free buffers"}) {
    EXPECT_NE(std::string(d_->error.text).find(part), std::string::npos) << d_->error.text;
  }
  d_->api().buffer_destroy(first);
}

TEST_F(CudaDevice, ASubmissionThatFailsHalfwayPoisonsWhatWaitsOnIt) {
  std::vector<float> host(3 << 20, 1.0f);
  rayo_buffer *big = d_->buffer(host.size() * sizeof(float));
  d_->fail("cuLaunchHostFunc", 2, kNoMemory, 0);  // the second piece of three
  EXPECT_EQ(copy(d_->queue, big, nullptr, nullptr, host.data(), {}, {{done_, 1}}, host.size() * sizeof(float)),
            RAYO_OK);
  EXPECT_EQ(d_->api().semaphore_wait(done_, 1, kForEver, &d_->error), RAYO_CANCELLED);
  EXPECT_NE(std::string(d_->error.text).find("CUDA_ERROR_OUT_OF_MEMORY"), std::string::npos) << d_->error.text;
  EXPECT_EQ(value(), 0u);
  // Behind it in the queue, and waiting for it elsewhere: cancelled too.
  EXPECT_EQ(copy(d_->queue, y_, x_, nullptr, nullptr, {}, {{done_, 2}}), RAYO_OK);
  EXPECT_EQ(copy(other_, y_, x_, nullptr, nullptr, {{done_, 1}}, {{done_, 3}}), RAYO_OK);
  EXPECT_EQ(wait(other_), RAYO_CANCELLED);
  EXPECT_EQ(wait(d_->queue), RAYO_OUT_OF_MEMORY) << "the first failure, once";
  EXPECT_EQ(wait(d_->queue), RAYO_OK);
  EXPECT_EQ(copy(d_->queue, y_, x_, nullptr, nullptr, {}, {}), RAYO_OK) << "the queue is free again";
  EXPECT_EQ(wait(d_->queue), RAYO_OK);
  EXPECT_EQ(d_->api().semaphore_wait(done_, 1, 0, &d_->error), RAYO_CANCELLED) << "a timeline stays poisoned";
  d_->api().buffer_destroy(big);
}

TEST_F(CudaDevice, ALostDeviceEndsEveryWaitAndSaysSo) {
  d_->hold(1);
  ASSERT_EQ(copy(d_->queue, y_, x_, nullptr, nullptr, {}, {{done_, 1}}), RAYO_OK);
  d_->fail("cuEventQuery", 1, kLost, 1);
  EXPECT_EQ(d_->api().semaphore_wait(done_, 1, kForEver, &d_->error), RAYO_DEVICE_LOST);
  for (const char *part : {"cuda0", "(700)", "close the device"}) {
    EXPECT_NE(std::string(d_->error.text).find(part), std::string::npos) << d_->error.text;
  }
  EXPECT_EQ(wait(d_->queue), RAYO_DEVICE_LOST);
  EXPECT_EQ(copy(other_, y_, x_, nullptr, nullptr, {}, {}), RAYO_DEVICE_LOST);
  rayo_queue *third = nullptr;
  EXPECT_EQ(d_->api().queue_create(d_->device, &third, &d_->error), RAYO_DEVICE_LOST);
  uint64_t v = 0;
  EXPECT_EQ(d_->api().semaphore_query(done_, &v, &d_->error), RAYO_DEVICE_LOST);
}

/// A whole call, from buffers to the result.
rayo_status call(Device &d, std::vector<float> &y) {
  std::vector<float> x(20000);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i % 13);
  y.assign(1, -1.0f);
  return d.run("reduce_sum_f32", {Device::operand({20000}, x, RAYO_F32)}, {Device::operand({1}, y, RAYO_F32)},
               {rayo_test::int_attr("axes", {}), rayo_test::int_attr("keepdims", {1})});
}

TEST(CudaFaults, AFailedLaunchIsAnErrorOfTheSubmissionAndOfNothingElse) {
  Device d;
  std::vector<float> y;
  for (const int result : {kNoMemory, 719}) {
    d.fail("cuLaunchKernel", 1, result, 0);
    const rayo_status status = call(d, y);
    d.heal();
    if (result == kNoMemory) {
      EXPECT_EQ(status, RAYO_OUT_OF_MEMORY);
      EXPECT_NE(cuda_test::last_text().find("reduce_sum: cuda0"), std::string::npos) << cuda_test::last_text();
      EXPECT_EQ(call(d, y), RAYO_OK);
      EXPECT_EQ(y[0], 119979.0f);
    } else {
      EXPECT_EQ(status, RAYO_DEVICE_LOST) << "this context answers nothing any more";
    }
  }
}

TEST(CudaFaults, TheSecondOfTwoLaunchesFailing) {
  Device d;
  std::vector<float> y;
  d.fail("cuLaunchKernel", 2, kNoMemory, 0);
  EXPECT_EQ(call(d, y), RAYO_OUT_OF_MEMORY) << "found by the wait: the first launch was queued";
  d.heal();
  EXPECT_EQ(call(d, y), RAYO_OK);
  EXPECT_EQ(y[0], 119979.0f);
}

TEST(CudaFork, AChildIsToldThatTheDeviceIsItsParents) {
  Device d;
  rayo_buffer *b = d.buffer(64);
  const pid_t child = fork();
  if (child == 0) {
    rayo_queue *queue = nullptr;
    uint64_t v = 0;
    void *p = nullptr;
    bool ok = d.api().queue_create(d.device, &queue, &d.error) == RAYO_FORKED;
    ok = ok && d.api().queue_wait(d.queue, 0, &d.error) == RAYO_FORKED &&
         d.api().buffer_handle(b, &p, &d.error) == RAYO_FORKED;
    d.api().buffer_destroy(b);
    d.api().queue_destroy(d.queue);
    d.api().device_close(d.device);
    _exit(ok && v == 0 ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  d.api().buffer_destroy(b);
}

}  // namespace
