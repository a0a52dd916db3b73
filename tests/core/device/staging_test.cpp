// SPDX-License-Identifier: Apache-2.0
//
// Host tensors on a device: strides, broadcasting, gaps, empty tensors, large ones, many threads, unified memory.
#include <numeric>
#include <thread>

#include "device_fixture.hpp"

namespace rayo_test {
namespace {

class Staging : public DeviceTest {
 protected:
  static std::vector<float> counted(size_t n, float first = 0) {
    std::vector<float> values(n);
    std::iota(values.begin(), values.end(), first);
    return values;
  }
};

TEST_F(Staging, ReadsNegativeAndPermutedStrides) {
  const std::vector<float> x = counted(6, 1);
  std::vector<float> y(6);
  const std::vector<int64_t> shape{2, 3};
  const int64_t reversed[] = {-3, -1};
  const int64_t columns[] = {1, 2};
  const rayo_tensor a = on_host(x.data() + 5, shape, reversed);
  const rayo_tensor b = on_host(x.data(), shape, columns);
  const rayo_tensor out = on_host(y.data(), shape, columns);
  ASSERT_EQ(add(a, b, out, "mock0"), RAYO_OK) << last_error();
  EXPECT_EQ(y, (std::vector<float>{7, 5, 8, 6, 9, 7}));
}

TEST_F(Staging, BroadcastsAndTakesScalars) {
  const std::vector<float> column{1, 2, 3};
  const std::vector<float> row{10, 20};
  std::vector<float> y(6);
  const std::vector<int64_t> column_shape{3, 1};
  const std::vector<int64_t> row_shape{2};
  const std::vector<int64_t> shape{3, 2};
  ASSERT_EQ(
      add(on_host(column.data(), column_shape), on_host(row.data(), row_shape), on_host(y.data(), shape), "mock0"),
      RAYO_OK)
      << last_error();
  EXPECT_EQ(y, (std::vector<float>{11, 21, 12, 22, 13, 23}));
  const std::vector<int64_t> scalar;
  float sum = 0;
  ASSERT_EQ(add(on_host(column.data(), scalar), on_host(row.data(), scalar), on_host(&sum, scalar), "mock0"), RAYO_OK);
  EXPECT_EQ(sum, 11.0F);
}

TEST_F(Staging, WritesNothingBetweenTheElementsOfAStridedOutput) {
  const std::vector<float> x = counted(5);
  const std::vector<int64_t> shape{5};
  for (const int64_t stride : {2, 3, 7, -2}) {
    std::vector<float> y(40, -9.0F);
    const int64_t strides[] = {stride};
    float *first = y.data() + (stride < 0 ? 10 : 0);
    ASSERT_EQ(add(on_host(x.data(), shape), on_host(x.data(), shape), on_host(first, shape, strides), "mock0"), RAYO_OK)
        << last_error();
    std::vector<float> expected(40, -9.0F);
    for (int i = 0; i < 5; ++i)
      expected[static_cast<size_t>(first - y.data() + i * stride)] = 2.0F * static_cast<float>(i);
    EXPECT_EQ(y, expected) << stride;
  }
}

TEST_F(Staging, RepeatedElementsTravelOnce) {
  const float one = 1;
  const std::vector<float> x = counted(64);
  std::vector<float> y(64);
  const std::vector<int64_t> shape{8, 8};
  const int64_t zero[] = {0, 0};
  ASSERT_EQ(add(on_host(&one, shape, zero), on_host(x.data(), shape), on_host(y.data(), shape), "mock0"), RAYO_OK)
      << last_error();
  EXPECT_EQ(y, counted(64, 1));
}

TEST_F(Staging, EmptyTensorsAndUnalignedOnes) {
  const std::vector<int64_t> none{0, 3};
  ASSERT_EQ(add(on_host(nullptr, none), on_host(nullptr, none), on_host(nullptr, none), "mock0"), RAYO_OK)
      << last_error();
  std::vector<char> bytes(64, 0);
  const std::vector<float> x = counted(4, 1);
  memcpy(bytes.data() + 3, x.data(), 16);
  std::vector<float> y(4);
  const std::vector<int64_t> shape{4};
  const rayo_tensor odd = on_host(reinterpret_cast<const float *>(bytes.data() + 3), shape);
  ASSERT_EQ(add(odd, odd, on_host(y.data(), shape), "mock0"), RAYO_OK) << last_error();
  EXPECT_EQ(y, (std::vector<float>{2, 4, 6, 8}));
}

TEST_F(Staging, InPlaceAndLargerThanTheChunksThatTravel) {
  constexpr size_t kCount = 3'500'000;  // 14 MB: several chunks of 4 MiB, below the mock's limit of 16 MiB
  std::vector<float> x(kCount);
  for (size_t i = 0; i < kCount; ++i) x[i] = static_cast<float>(i % 1000);
  const std::vector<int64_t> shape{static_cast<int64_t>(kCount)};
  const rayo_tensor t = on_host(x.data(), shape);
  ASSERT_EQ(add(t, t, t, "mock0"), RAYO_OK) << last_error();
  for (size_t i = 0; i < kCount; ++i) ASSERT_EQ(x[i], 2.0F * static_cast<float>(i % 1000)) << i;
}

TEST_F(Staging, ManyThreadsShareTheLanes) {
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      const std::vector<float> x(500, static_cast<float>(t));
      std::vector<float> y(500);
      const std::vector<int64_t> shape{500};
      for (int i = 0; i < 50; ++i) {
        if (add(on_host(x.data(), shape), on_host(x.data(), shape), on_host(y.data(), shape), "mock0") != RAYO_OK ||
            y != std::vector<float>(500, 2.0F * static_cast<float>(t))) {
          ++wrong;
        }
      }
    });
  }
  for (std::thread &thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST_F(Staging, RepeatedCallsReuseTheirMemory) {
  const std::vector<float> x = counted(1000);
  std::vector<float> y(1000);
  const std::vector<int64_t> shape{1000};
  const auto once = [&] {
    ASSERT_EQ(add(on_host(x.data(), shape), on_host(x.data(), shape), on_host(y.data(), shape), "mock0"), RAYO_OK);
  };
  once();
  const uint64_t before = mock_switches().alive();
  for (int i = 0; i < 1000; ++i) once();
  EXPECT_EQ(mock_switches().alive(), before);
}

TEST_F(Staging, UnifiedMemoryIsMappedAndLargeOperandsAreImported) {
  mock_switches().unified(1);
  start(true);
  const std::vector<float> small = counted(100);
  std::vector<float> y(100);
  const std::vector<int64_t> shape{100};
  ASSERT_EQ(add(on_host(small.data(), shape), on_host(small.data(), shape), on_host(y.data(), shape), "mock0"), RAYO_OK)
      << last_error();
  for (size_t i = 0; i < 100; ++i) ASSERT_EQ(y[i], 2.0F * small[i]);
  constexpr size_t kCount = 1'000'000;
  std::vector<float> large(kCount, 3.0F);
  std::vector<float> sum(kCount);
  const std::vector<int64_t> large_shape{static_cast<int64_t>(kCount)};
  const uint64_t before = mock_switches().imports();
  const rayo_tensor x = on_host(large.data(), large_shape);
  ASSERT_EQ(add(x, x, on_host(sum.data(), large_shape), "mock0"), RAYO_OK) << last_error();
  EXPECT_EQ(sum, std::vector<float>(kCount, 6.0F));
  EXPECT_EQ(mock_switches().imports(), before + 3);
  ASSERT_EQ(add(x, x, x, "mock0"), RAYO_OK) << last_error();  // in place
  EXPECT_EQ(large, std::vector<float>(kCount, 6.0F));
}

}  // namespace
}  // namespace rayo_test
