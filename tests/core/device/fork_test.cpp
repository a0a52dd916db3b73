// SPDX-License-Identifier: Apache-2.0
//
// A forked child: devices and what was made from them say so, calls on host memory work.
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "device_fixture.hpp"

namespace rayo_test {
namespace {

class Fork : public DeviceTest {};

TEST_F(Fork, ChildIsToldAndItsHostCallsWork) {
  BufferPtr x = filled(find(), std::vector<float>(4, 1.0F));
  QueuePtr q = queue(find());
  QueuePtr host_queue = queue(find("host"));
  SemaphorePtr timeline = semaphore(find());
  const std::vector<int64_t> shape{4};
  const std::vector<float> values{1, 2, 3, 4};
  std::vector<float> y(4);
  const rayo_tensor t = on_host(values.data(), shape);
  const rayo_tensor out = on_host(y.data(), shape);
  ASSERT_EQ(add(t, t, out, "mock0"), RAYO_OK) << last_error();
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    int failed = 0;
    const auto expect = [&failed](int bit, bool right) { failed |= right ? 0 : 1 << bit; };
    float one = 0;
    expect(0, rayo_buffer_download(x.get(), 0, &one, sizeof one) == RAYO_FORKED);
    expect(1, rayo_queue_wait(q.get(), 0) == RAYO_FORKED);
    expect(2, rayo_queue_wait(host_queue.get(), 0) == RAYO_FORKED);
    expect(3, rayo_semaphore_signal(timeline.get(), 1) == RAYO_FORKED);
    expect(4, add(t, t, out, "mock0") == RAYO_FORKED);
    std::fill(y.begin(), y.end(), 0.0F);
    expect(5, add(t, t, out) == RAYO_OK && y == std::vector<float>({2, 4, 6, 8}));
    std::fill(y.begin(), y.end(), 0.0F);
    expect(6, add(t, t, out, "mock0,auto") == RAYO_OK && y == std::vector<float>({2, 4, 6, 8}));
    rayo_device *device = nullptr;
    expect(7, rayo_device_find(runtime_.get(), "mock0", &device) == RAYO_FORKED);
    x.reset();  // must return
    q.reset();
    host_queue.reset();
    timeline.reset();
    runtime_.reset();
    if (failed != 0) fprintf(stderr, "child: wrong at bits %x\n", failed);
    _exit(failed == 0 ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

// Another thread is inside the device tier at nearly every fork: what it holds there must not be held in the child.
class ForkBeside : public DeviceTest, public ::testing::WithParamInterface<int> {};

TEST_P(ForkBeside, ChildDoesNotInheritALockThatIsHeldForEver) {
  const std::vector<int64_t> shape{4};
  const std::vector<float> values{1, 2, 3, 4};
  const rayo_tensor t = on_host(values.data(), shape);
  ASSERT_NE(find("host"), nullptr);
  // The parts: the devices, the fallback counters, a plan that falls back.
  const auto work = [&](float *y) {
    rayo_device *device = nullptr;
    const rayo_tensor out = on_host(y, shape);
    switch (GetParam()) {
      case 0:
        rayo_device_find(runtime_.get(), "host", &device);
        break;
      case 1:
        (void)rayo_fallback_count(runtime_.get());
        break;
      default:
        add(t, t, out, "nowhere,auto");
    }
  };
  std::vector<float> first(4);
  work(first.data());
  std::atomic<bool> stop{false};
  std::thread beside([&] {
    std::vector<float> y(4);
    while (!stop) work(y.data());
  });
  int hung = 0;
  for (int i = 0; i < 300 && hung == 0; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      alarm(5);  // ends a child that hangs
      std::vector<float> y(4);
      work(y.data());
      _exit(0);
    }
    int status = -1;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    hung += WIFSIGNALED(status) ? 1 : 0;
  }
  stop = true;
  beside.join();
  EXPECT_EQ(hung, 0);
}

INSTANTIATE_TEST_SUITE_P(Parts, ForkBeside, ::testing::Values(0, 1, 2));

}  // namespace
}  // namespace rayo_test
