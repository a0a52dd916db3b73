// SPDX-License-Identifier: Apache-2.0
//
// The device fails at its n-th step, for every n: an error with a reason, or a counted fallback with the right result,
// and nothing is left behind.
#include "device_fixture.hpp"

namespace rayo_test {
namespace {

struct Fault {
  rayo_status status;
  uint32_t counted_as;
};

class Faults : public DeviceTest, public ::testing::WithParamInterface<Fault> {
 protected:
  // Runs `scenario` with the fault at step 0, 1, 2, ... until a run needs fewer steps than that. A runtime of its own
  // each time. `scenario(faulty)` judges; returns what it got.
  template <class Scenario>
  void at_every_step(const Scenario &scenario) {
    int64_t step = 0;
    for (;; ++step) {
      ASSERT_LT(step, 500) << "the fault was never passed";
      start(true);
      mock_switches().arm(step, GetParam().status);
      scenario(step);
      const bool passed = mock_switches().steps() <= static_cast<uint64_t>(step);
      mock_switches().arm(-1, RAYO_OK);
      runtime_.reset();
      ASSERT_EQ(mock_switches().alive(), 0u) << "step " << step << " leaked";
      if (passed) break;
    }
    EXPECT_GT(step, 5) << "the scenario hardly touched the device";
  }
  const std::vector<int64_t> shape_{1000};
  const std::vector<float> x_ = std::vector<float>(1000, 3.0F);
  std::vector<float> y_ = std::vector<float>(1000);
};

TEST_P(Faults, PreferredDeviceFallsBackWithTheRightResult) {
  at_every_step([&](int64_t step) {
    std::fill(y_.begin(), y_.end(), -1.0F);
    const rayo_tensor x = on_host(x_.data(), shape_);
    ASSERT_EQ(add(x, x, on_host(y_.data(), shape_), "mock0,auto"), RAYO_OK) << step << ": " << last_error();
    ASSERT_EQ(y_, std::vector<float>(1000, 6.0F)) << step;
    if (mock_switches().steps() <= static_cast<uint64_t>(step)) return;
    const std::vector<rayo_fallback> all = fallbacks();
    if (all.empty()) return;  // it made do without what failed, and still ran on the device
    ASSERT_EQ(all.size(), 1u) << step;
    EXPECT_EQ(all[0].count, 1u);
    EXPECT_TRUE(all[0].code == GetParam().counted_as || all[0].code == RAYO_FALLBACK_NO_DEVICE) << all[0].reason;
  });
}

TEST_P(Faults, InPlaceOnHostMemoryFallsBackWithItsInputIntact) {
  at_every_step([&](int64_t step) {
    std::vector<float> x = x_;
    const rayo_tensor t = on_host(x.data(), shape_);
    ASSERT_EQ(add(t, t, t, "mock0,auto"), RAYO_OK) << step << ": " << last_error();
    ASSERT_EQ(x, std::vector<float>(1000, 6.0F)) << step;
  });
}

TEST_P(Faults, NamedDeviceIsRightOrFailsWithAReason) {
  at_every_step([&](int64_t step) {
    std::fill(y_.begin(), y_.end(), -1.0F);
    const rayo_tensor x = on_host(x_.data(), shape_);
    const rayo_status status = add(x, x, on_host(y_.data(), shape_), "mock0");
    if (status == RAYO_OK) {
      ASSERT_EQ(y_, std::vector<float>(1000, 6.0F)) << step;
    } else {
      EXPECT_FALSE(last_error().empty());
      EXPECT_TRUE(status == GetParam().status || status == RAYO_UNSUPPORTED) << step << ": " << last_error();
    }
    EXPECT_TRUE(fallbacks().empty());
  });
}

TEST_P(Faults, ResidentTensorsAreRightOrFailWithAReason) {
  at_every_step([&](int64_t step) {
    rayo_device *device = nullptr;
    if (rayo_device_find(runtime_.get(), "mock0", &device) != RAYO_OK) return;
    rayo_buffer *made[2] = {};
    rayo_status status = RAYO_OK;
    for (rayo_buffer *&each : made) {
      if (status == RAYO_OK) status = rayo_buffer_create(device, 4000, RAYO_MEMORY_DEVICE, &each);
    }
    const BufferPtr x(made[0]);
    const BufferPtr y(made[1]);
    if (status == RAYO_OK) status = rayo_buffer_upload(x.get(), 0, x_.data(), 4000);
    if (status == RAYO_OK) {
      const rayo_tensor tx = on_device(x.get(), shape_);
      status = add(tx, tx, on_device(y.get(), shape_));
    }
    std::fill(y_.begin(), y_.end(), -1.0F);
    if (status == RAYO_OK) status = rayo_buffer_download(y.get(), 0, y_.data(), 4000);
    if (status == RAYO_OK) {
      ASSERT_EQ(y_, std::vector<float>(1000, 6.0F)) << step;
    } else {
      EXPECT_EQ(status, GetParam().status) << step << ": " << last_error();
    }
  });
}

TEST_P(Faults, QueuedWorkIsRightOrFailsWithAReason) {
  at_every_step([&](int64_t step) {
    rayo_device *device = nullptr;
    if (rayo_device_find(runtime_.get(), "mock0", &device) != RAYO_OK) return;
    rayo_buffer *made = nullptr;
    rayo_queue *made_queue = nullptr;
    rayo_status status = rayo_buffer_create(device, 4000, RAYO_MEMORY_DEVICE, &made);
    const BufferPtr x(made);
    if (status == RAYO_OK) status = rayo_queue_create(device, &made_queue);
    const QueuePtr q(made_queue);
    if (status == RAYO_OK) status = rayo_queue_upload(q.get(), x.get(), 0, x_.data(), 4000, nullptr);
    if (status == RAYO_OK) {
      const rayo_tensor tx = on_device(x.get(), shape_);
      status = queue_add(q.get(), tx, tx, tx);
    }
    std::fill(y_.begin(), y_.end(), -1.0F);
    if (status == RAYO_OK) status = rayo_queue_download(q.get(), x.get(), 0, y_.data(), 4000, nullptr);
    const rayo_status waited = q == nullptr ? RAYO_OK : rayo_queue_wait(q.get(), kForEver);
    if (status == RAYO_OK && waited == RAYO_OK) {
      ASSERT_EQ(y_, std::vector<float>(1000, 6.0F)) << step;
    } else {
      const rayo_status first = waited != RAYO_OK ? waited : status;
      EXPECT_EQ(first, GetParam().status) << step << ": " << last_error();
    }
  });
}

INSTANTIATE_TEST_SUITE_P(Statuses, Faults,
                         ::testing::Values(Fault{RAYO_DEVICE_LOST, RAYO_FALLBACK_DEVICE_LOST},
                                           Fault{RAYO_OUT_OF_MEMORY, RAYO_FALLBACK_OUT_OF_MEMORY}),
                         [](const auto &param) { return param.param.status == RAYO_DEVICE_LOST ? "Lost" : "Memory"; });

class Limits : public DeviceTest {};

TEST_F(Limits, OperandAboveTheBufferLimitFallsBackOrIsNamed) {
  const std::vector<int64_t> shape{5'000'000};  // 20 MB; the mock's buffers end at 16 MiB
  const std::vector<float> x(5'000'000, 1.0F);
  std::vector<float> y(5'000'000);
  const rayo_tensor t = on_host(x.data(), shape);
  EXPECT_EQ(add(t, t, on_host(y.data(), shape), "mock0"), RAYO_OUT_OF_MEMORY);
  EXPECT_NE(last_error().find("above the device's limit of 16777216"), std::string::npos) << last_error();
  ASSERT_EQ(add(t, t, on_host(y.data(), shape), "mock0,auto"), RAYO_OK) << last_error();
  EXPECT_EQ(y, std::vector<float>(5'000'000, 2.0F));
  ASSERT_EQ(fallbacks().size(), 1u);
  EXPECT_EQ(fallbacks()[0].code, RAYO_FALLBACK_TOO_LARGE);
  rayo_buffer *made = nullptr;
  EXPECT_EQ(rayo_buffer_create(find(), uint64_t{1} << 40, RAYO_MEMORY_DEVICE, &made), RAYO_OUT_OF_MEMORY);
  EXPECT_EQ(made, nullptr);
}

TEST_F(Limits, DeviceMemoryThatRunsOutIsGivenBackAndWorksAgain) {
  std::vector<BufferPtr> hoard;
  for (int i = 0; i < 4; ++i) {
    rayo_buffer *made = nullptr;
    if (rayo_buffer_create(find(), 16u << 20, RAYO_MEMORY_DEVICE, &made) != RAYO_OK) break;
    hoard.emplace_back(made);
  }
  const std::vector<int64_t> shape{1000};
  const std::vector<float> x(1000, 1.0F);
  std::vector<float> y(1000);
  const rayo_tensor t = on_host(x.data(), shape);
  ASSERT_EQ(add(t, t, on_host(y.data(), shape), "mock0,auto"), RAYO_OK) << last_error();
  EXPECT_EQ(y, std::vector<float>(1000, 2.0F));
  ASSERT_EQ(fallbacks().size(), 1u);
  EXPECT_EQ(fallbacks()[0].code, RAYO_FALLBACK_OUT_OF_MEMORY);
  hoard.clear();
  ASSERT_EQ(add(t, t, on_host(y.data(), shape), "mock0,auto"), RAYO_OK) << last_error();
  EXPECT_EQ(fallbacks()[0].count, 1u) << "the device was not tried again";
}

}  // namespace
}  // namespace rayo_test
