// SPDX-License-Identifier: Apache-2.0
//
// Reductions, rows and products on a Vulkan device, judged in double by the bounds of plugin-api/doc/numerics.md, and
// bit for bit on whole numbers and where the contract fixes the order.
#include <cmath>
#include <limits>
#include <numeric>
#include <random>

#include "harness.h"

namespace rayo_test {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr double kUnit = 0x1p-24;

std::vector<float> uniform(size_t n, uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<float> v(n);
  for (float &x : v) x = static_cast<float>(static_cast<int32_t>(random())) * 0x1p-31f;
  return v;
}
std::vector<float> whole(size_t n, uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<float> v(n);
  for (float &x : v) x = static_cast<float>(static_cast<int>(random() % 7) - 3);
  return v;
}

using VulkanReduce = VulkanTest;

// The lane order of numerics.md, section 3: 64 lanes, blocks of 16384, halving, blocks pairwise.
float lane_sum(const std::vector<float> &x) {
  std::vector<float> blocks;
  for (size_t first = 0; first == 0 || first < x.size(); first += 16384) {
    std::vector<float> lanes(64, 0.0f);
    for (size_t i = first; i < std::min(x.size(), first + 16384); ++i) lanes[(i - first) % 64] += x[i];
    for (size_t h = 32; h >= 1; h /= 2)
      for (size_t l = 0; l < h; ++l) lanes[l] += lanes[l + h];
    blocks.push_back(lanes[0]);
  }
  while (blocks.size() > 1) {
    std::vector<float> next;
    for (size_t i = 0; i + 1 < blocks.size(); i += 2) next.push_back(blocks[i] + blocks[i + 1]);
    if (blocks.size() % 2 == 1) next.push_back(blocks.back());
    blocks = next;
  }
  return blocks[0];
}

TEST_F(VulkanReduce, SumOverTheLastAxisHasTheContractsBits) {
  for (const size_t n : {0u, 1u, 63u, 64u, 65u, 1000u, 16384u, 16385u, 100000u}) {
    const std::vector<float> x = uniform(n, 1);
    const auto y = run_floats("reduce_sum", {floats({static_cast<int64_t>(n)}, x)}, {1},
                              {ints("axes", {}), ints("keepdims", {1})});
    EXPECT_EQ(y[0], lane_sum(x)) << n;
  }
}

TEST_F(VulkanReduce, LeadingAxesAreReducedInChains) {
  const std::vector<float> x = uniform(1000 * 7, 2);
  const auto y = run_floats("reduce_sum", {floats({1000, 7}, x)}, {7}, {ints("axes", {0}), ints("keepdims", {0})});
  for (size_t j = 0; j < 7; ++j) {
    float chain[4] = {};
    for (size_t i = 0; i < 1000; ++i) chain[i / 256] += x[i * 7 + j];
    EXPECT_EQ(y[j], (chain[0] + chain[1]) + (chain[2] + chain[3])) << j;
  }
}

TEST_F(VulkanReduce, ExtremaAndMeanOverMiddleAxes) {
  const std::vector<float> x = uniform(3 * 5 * 4 * 6, 3);
  const std::vector<Attribute> attrs = {ints("axes", {1, 3}), ints("keepdims", {0})};
  const auto largest = run_floats("reduce_max", {floats({3, 5, 4, 6}, x)}, {3, 4}, attrs);
  const auto least = run_floats("reduce_min", {floats({3, 5, 4, 6}, x)}, {3, 4}, attrs);
  const auto mean = run_floats("reduce_mean", {floats({3, 5, 4, 6}, x)}, {3, 4}, attrs);
  for (size_t a = 0; a < 3; ++a)
    for (size_t c = 0; c < 4; ++c) {
      float top = -kInf, low = kInf;
      double sum = 0, size = 0;
      for (size_t b = 0; b < 5; ++b)
        for (size_t d = 0; d < 6; ++d) {
          const float v = x[((a * 5 + b) * 4 + c) * 6 + d];
          top = std::max(top, v);
          low = std::min(low, v);
          sum += v;
          size += std::fabs(v);
        }
      EXPECT_EQ(largest[a * 4 + c], top);
      EXPECT_EQ(least[a * 4 + c], low);
      EXPECT_NEAR(mean[a * 4 + c], sum / 30, 31 * kUnit * size / 30);
    }
}

TEST_F(VulkanReduce, EmptySetsGiveTheIdentityAndNaNPropagates) {
  const std::vector<Attribute> attrs = {ints("axes", {1}), ints("keepdims", {0})};
  EXPECT_EQ(run_floats("reduce_sum", {floats({2, 0}, {})}, {2}, attrs), (std::vector<float>{0, 0}));
  EXPECT_EQ(run_floats("reduce_max", {floats({2, 0}, {})}, {2}, attrs), (std::vector<float>{-kInf, -kInf}));
  EXPECT_TRUE(std::isnan(run_floats("reduce_mean", {floats({1, 0}, {})}, {1}, attrs)[0]));
  std::vector<float> x(100, 1.0f);
  x[37] = std::nanf("");
  EXPECT_TRUE(std::isnan(run_floats("reduce_max", {floats({1, 100}, x)}, {1}, attrs)[0]));
}

TEST_F(VulkanReduce, DotIsExactOnWholeNumbersAndWithinItsBound) {
  for (const int64_t n : {1, 17, 300, 40000}) {
    const auto size = static_cast<size_t>(n);
    std::vector<float> a = whole(size, 4), b = whole(size, 5);
    double sum = 0;
    for (size_t i = 0; i < size; ++i) sum += static_cast<double>(a[i]) * b[i];
    EXPECT_EQ(run_floats("dot", {floats({n}, a), floats({n}, b)}, {})[0], sum) << n;
    a = uniform(size, 6);
    b = uniform(size, 7);
    double magnitude = sum = 0;
    for (size_t i = 0; i < size; ++i) {
      sum += static_cast<double>(a[i]) * b[i];
      magnitude += std::fabs(static_cast<double>(a[i]) * b[i]);
    }
    EXPECT_NEAR(run_floats("dot", {floats({n}, a), floats({n}, b)}, {})[0], sum,
                (4 + 2 * std::sqrt(static_cast<double>(n))) * kUnit * magnitude)
        << n;
  }
}

using VulkanRows = VulkanTest;

TEST_F(VulkanRows, SoftmaxKeepsItsBoundAlongAnyAxis) {
  for (const int64_t axis : {0, 1, 2}) {
    std::vector<float> x = uniform(3 * 70 * 5, 8);
    for (float &v : x) v *= 20;
    const std::vector<int64_t> shape = {3, 70, 5};
    const auto y = run_floats("softmax", {floats(shape, x)}, shape, {ints("axis", {axis})});
    const size_t stride = axis == 0 ? 350 : axis == 1 ? 5 : 1;
    const auto n = static_cast<size_t>(shape[static_cast<size_t>(axis)]);
    for (size_t i = 0; i < x.size(); ++i) {
      const size_t first = i - i / stride % n * stride;
      double top = -1e30, sum = 0;
      for (size_t k = 0; k < n; ++k) top = std::max<double>(top, x[first + k * stride]);
      for (size_t k = 0; k < n; ++k) sum += std::exp(x[first + k * stride] - top);
      const double want = std::exp(x[i] - top) / sum;
      ASSERT_NEAR(y[i], want, want * kUnit * (16 + std::fabs(x[i] - top) + 2 * std::sqrt(static_cast<double>(n))));
    }
  }
}

TEST_F(VulkanRows, SoftmaxOfInfinitiesAndLongRows) {
  const auto y =
      run_floats("softmax", {floats({2, 3}, {-kInf, -kInf, -kInf, 0, -kInf, 0})}, {2, 3}, {ints("axis", {1})});
  EXPECT_TRUE(std::isnan(y[0]) && std::isnan(y[2]));
  EXPECT_EQ((std::vector<float>{y[3], y[4], y[5]}), (std::vector<float>{0.5f, 0, 0.5f}));
  const auto flat =
      run_floats("softmax", {floats({1, 4096}, std::vector<float>(4096, 1000.0f))}, {1, 4096}, {ints("axis", {1})});
  for (const float v : flat) ASSERT_EQ(v, 0x1p-12f);
}

TEST_F(VulkanRows, LayerNormKeepsItsBoundWithScaleAndBias) {
  for (const bool with_bias : {false, true}) {
    const size_t rows = 5, n = 300;
    std::vector<float> x = uniform(rows * n, 9), g = uniform(n, 10), b = uniform(n, 11);
    for (float &v : x) v = v * 2 + 10;
    std::vector<Tensor> inputs = {floats({5, 3, 100}, x), floats({3, 100}, g)};
    if (with_bias) inputs.push_back(floats({3, 100}, b));
    const auto y = run_floats("layer_norm", inputs, {5, 3, 100}, {ints("axis", {1}), real("epsilon", 1e-5)});
    for (size_t r = 0; r < rows; ++r) {
      double mean = 0, var = 0, size = 0;
      for (size_t i = 0; i < n; ++i) mean += x[r * n + i] / static_cast<double>(n);
      for (size_t i = 0; i < n; ++i) var += std::pow(x[r * n + i] - mean, 2) / static_cast<double>(n);
      for (size_t i = 0; i < n; ++i) size += std::fabs(x[r * n + i]) / static_cast<double>(n);
      const double sigma = std::sqrt(var + 1e-5), root = 2 * std::sqrt(static_cast<double>(n));
      for (size_t i = 0; i < n; ++i) {
        const double hat = (x[r * n + i] - mean) / sigma, shift = with_bias ? b[i] : 0;
        const double bound =
            std::fabs(g[i]) * kUnit * ((4 + root) * (size / sigma + std::fabs(hat)) + 8) + kUnit * std::fabs(shift);
        ASSERT_NEAR(y[r * n + i], hat * g[i] + shift, bound);
      }
    }
  }
}

class VulkanProduct : public VulkanTest {
 protected:
  // Compact matrices of whole numbers: every order gives the exact result.
  void expect_exact(int64_t m, int64_t n, int64_t k) {
    const std::vector<float> a = whole(static_cast<size_t>(m * k), 12), b = whole(static_cast<size_t>(k * n), 13);
    const auto y = run_floats("matmul", {floats({m, k}, a), floats({k, n}, b)}, {m, n}, {ints("batch_invariant", {0})});
    for (int64_t i = 0; i < m; ++i)
      for (int64_t j = 0; j < n; ++j) {
        float sum = 0;
        for (int64_t p = 0; p < k; ++p) sum += a[static_cast<size_t>(i * k + p)] * b[static_cast<size_t>(p * n + j)];
        ASSERT_EQ(y[static_cast<size_t>(i * n + j)], sum) << m << "x" << n << "x" << k << " at " << i << ", " << j;
      }
  }
};

TEST_F(VulkanProduct, MatmulIsExactOnWholeNumbersAtEveryTileSize) {
  for (const auto &[m, n, k] : std::vector<std::array<int64_t, 3>>{{1, 1, 1},
                                                                   {1, 1, 0},
                                                                   {5, 3, 2},
                                                                   {4, 4, 16},
                                                                   {17, 33, 65},
                                                                   {64, 64, 64},
                                                                   {65, 63, 17},
                                                                   {1, 300, 40},
                                                                   {300, 1, 40},
                                                                   {3, 200, 33},
                                                                   {130, 70, 100}})
    expect_exact(m, n, k);
}

TEST_F(VulkanProduct, BatchesBroadcastAndVectorsArePromoted) {
  const std::vector<float> a = whole(2 * 1 * 3 * 4, 14), b = whole(5 * 4 * 6, 15);
  const std::vector<Attribute> attrs = {ints("batch_invariant", {0})};
  const auto y = run_floats("matmul", {floats({2, 1, 3, 4}, a), floats({5, 4, 6}, b)}, {2, 5, 3, 6}, attrs);
  for (size_t g = 0; g < 2; ++g)
    for (size_t h = 0; h < 5; ++h)
      for (size_t i = 0; i < 3; ++i)
        for (size_t j = 0; j < 6; ++j) {
          float sum = 0;
          for (size_t p = 0; p < 4; ++p) sum += a[(g * 3 + i) * 4 + p] * b[(h * 4 + p) * 6 + j];
          ASSERT_EQ(y[((g * 5 + h) * 3 + i) * 6 + j], sum);
        }
  const auto row =
      run_floats("matmul", {floats({4}, {1, 2, 3, 4}), floats({4, 2}, {1, 0, 0, 1, 1, 0, 0, 1})}, {2}, attrs);
  EXPECT_EQ(row, (std::vector<float>{4, 6}));
  const auto column = run_floats("matmul", {floats({2, 2}, {1, 2, 3, 4}), floats({2}, {5, 6})}, {2}, attrs);
  EXPECT_EQ(column, (std::vector<float>{17, 39}));
}

TEST_F(VulkanProduct, GemmScalesTransposesAndAddsC) {
  const int64_t m = 19, n = 23, k = 31;
  const std::vector<float> a = whole(19 * 31, 16), b = whole(31 * 23, 17), c = whole(23, 18);
  for (const int64_t ta : {0, 1})
    for (const int64_t tb : {0, 1}) {
      const Tensor ta_tensor = ta != 0 ? floats({k, m}, a) : floats({m, k}, a);
      const Tensor tb_tensor = tb != 0 ? floats({n, k}, b) : floats({k, n}, b);
      const auto y = run_floats("gemm", {ta_tensor, tb_tensor, floats({n}, c)}, {m, n},
                                {real("alpha", 2), real("beta", -0.5), ints("transA", {ta}), ints("transB", {tb}),
                                 ints("batch_invariant", {0})});
      for (int64_t i = 0; i < m; ++i)
        for (int64_t j = 0; j < n; ++j) {
          float sum = 0;
          for (int64_t p = 0; p < k; ++p)
            sum += a[static_cast<size_t>(ta != 0 ? p * m + i : i * k + p)] *
                   b[static_cast<size_t>(tb != 0 ? j * k + p : p * n + j)];
          ASSERT_EQ(y[static_cast<size_t>(i * n + j)], 2 * sum - 0.5f * c[static_cast<size_t>(j)]);
        }
    }
}

TEST_F(VulkanProduct, CIsNotReadWhereBetaIsZero) {
  const std::vector<Attribute> attrs = {real("alpha", 1), real("beta", 0), ints("transA", {0}), ints("transB", {0}),
                                        ints("batch_invariant", {0})};
  const auto y =
      run_floats("gemm", {floats({1, 1}, {3}), floats({1, 1}, {4}), floats({1, 1}, {std::nanf("")})}, {1, 1}, attrs);
  EXPECT_EQ(y[0], 12);
}

TEST_F(VulkanProduct, SubnormalOperandsAreKept) {
  const auto y = run_floats("matmul", {floats({1, 3}, {1e-40f, 1.0f, 2.0f}), floats({3, 1}, {4.0f, 1e-41f, 1e-40f})},
                            {1, 1}, {ints("batch_invariant", {0})});
  EXPECT_NEAR(y[0], 4e-40 + 1e-41 + 2e-40, 4 * 0x1p-149);
}

TEST_F(VulkanProduct, MatmulKeepsTheRandomWalkBound) {
  const size_t m = 40, n = 50, k = 700;
  const std::vector<float> a = uniform(m * k, 19), b = uniform(k * n, 20);
  const auto y =
      run_floats("matmul", {floats({40, 700}, a), floats({700, 50}, b)}, {40, 50}, {ints("batch_invariant", {0})});
  for (size_t i = 0; i < m; ++i)
    for (size_t j = 0; j < n; ++j) {
      double sum = 0, magnitude = 0;
      for (size_t p = 0; p < k; ++p) {
        const double product = static_cast<double>(a[i * k + p]) * b[p * n + j];
        sum += product;
        magnitude += std::fabs(product);
      }
      ASSERT_NEAR(y[i * n + j], sum, (4 + 2 * std::sqrt(static_cast<double>(k))) * kUnit * magnitude);
    }
}

}  // namespace
}  // namespace rayo_test
