// SPDX-License-Identifier: Apache-2.0
//
// Elementwise kernels on a Vulkan device: the exact ones have the bits of IEEE 754 on special values, subnormals and
// random bits; the functions keep the bounds of plugin-api/doc/numerics.md's strict class; every layout gives the bits
// of the compact one.
#include <cmath>
#include <functional>
#include <limits>
#include <random>

#include "harness.h"

namespace rayo_test {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

std::vector<float> special_values() {
  std::vector<float> v = {0.0f,      1.0f,           1.5f,           2.0f,      3.0f,        1e-40f,
                          1e-45f,    1.1754942e-38f, 1.1754944e-38f, 0x1p-100f, 0x1.8p-100f, 0x1p-125f,
                          0x1p-149f, 3e38f,          3.4028235e38f,  1e-20f,    1e20f,       kInf,
                          kNaN,      0.1f,           7.0f,           1e-10f,    16777217.0f};
  const size_t n = v.size();
  for (size_t i = 0; i < n; ++i) v.push_back(-v[i]);
  return v;
}

// Random bits, and pairs whose exponents are close, where sums cancel and quotients round.
void pairs(std::vector<float> *a, std::vector<float> *b) {
  for (const float x : special_values())
    for (const float y : special_values()) {
      a->push_back(x);
      b->push_back(y);
    }
  std::mt19937 random(7);
  for (int i = 0; i < 100000; ++i) {
    const uint32_t x = static_cast<uint32_t>(random()), y = static_cast<uint32_t>(random());
    a->push_back(std::bit_cast<float>(x));
    b->push_back(std::bit_cast<float>(i % 2 == 0 ? y : (x & 0xff800000u) ^ (y & 0x80ffffffu)));
  }
  for (int i = 0; i < 20000; ++i) {  // subnormal results and operands
    a->push_back(std::bit_cast<float>(static_cast<uint32_t>(random()) & 0x80ffffffu));
    b->push_back(i % 3 == 0 ? std::bit_cast<float>(static_cast<uint32_t>(random()) & 0x80ffffffu)
                            : std::ldexp(static_cast<float>(random() >> 8), static_cast<int>(random() % 60) - 50));
  }
}

::testing::AssertionResult same_bits(const std::vector<float> &got, const std::vector<float> &want) {
  size_t wrong = 0, first = 0;
  for (size_t i = 0; i < want.size(); ++i) {
    if (std::isnan(got[i]) && std::isnan(want[i])) continue;
    if (std::bit_cast<uint32_t>(got[i]) == std::bit_cast<uint32_t>(want[i])) continue;
    if (wrong++ == 0) first = i;
  }
  if (wrong == 0) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << wrong << " of " << want.size() << " differ, first [" << first << "]: got "
                                       << std::hexfloat << got[first] << ", want " << want[first];
}

float larger(float a, float b) {
  if (std::isnan(a) || std::isnan(b)) return kNaN;
  if (a == 0 && b == 0) return std::signbit(a) ? b : a;
  return a > b ? a : b;
}

class VulkanElementwise : public VulkanTest {
 protected:
  void expect_exact(const std::string &op, const std::function<float(float, float)> &f) {
    std::vector<float> a, b, want;
    pairs(&a, &b);
    for (size_t i = 0; i < a.size(); ++i) want.push_back(f(a[i], b[i]));
    const auto n = static_cast<int64_t>(a.size());
    EXPECT_TRUE(same_bits(run_floats(op, {floats({n}, a), floats({n}, b)}, {n}), want)) << op;
  }
  void expect_exact(const std::string &op, const std::function<float(float)> &f) {
    std::vector<float> a, b, want;
    pairs(&a, &b);
    want.reserve(a.size());
    for (const float x : a) want.push_back(f(x));
    const auto n = static_cast<int64_t>(a.size());
    EXPECT_TRUE(same_bits(run_floats(op, {floats({n}, a)}, {n}), want)) << op;
  }
  // Errors in ULP of the f32 result over every 16381st bit pattern. `absolute` is added to the tolerance.
  void expect_within(const std::string &op, double bound, const std::function<double(double)> &f,
                     const std::function<double(double)> &absolute = {}, const std::vector<Attribute> &attrs = {}) {
    std::vector<float> x = special_values();
    for (uint64_t bits = 3; bits < (uint64_t{1} << 32); bits += 16381)
      x.push_back(std::bit_cast<float>(static_cast<uint32_t>(bits)));
    const auto n = static_cast<int64_t>(x.size());
    const std::vector<float> got = run_floats(op, {floats({n}, x)}, {n}, attrs);
    double worst = 0;
    float at = 0;
    for (size_t i = 0; i < x.size(); ++i) {
      const double want = f(x[i]);
      if (std::isnan(want)) {
        ASSERT_TRUE(std::isnan(got[i])) << op << " of " << x[i];
        continue;
      }
      const auto rounded = static_cast<float>(want);
      if (std::isinf(rounded)) {
        ASSERT_EQ(got[i], rounded) << op << " of " << x[i];
        continue;
      }
      ASSERT_TRUE(std::isfinite(got[i])) << op << " of " << x[i] << " is " << got[i] << ", want " << want;
      const double ulp = std::ldexp(1.0, std::max(std::ilogb(want == 0 ? 1e-300 : want), -126) - 23);
      const double off = std::fabs(got[i] - want);
      if (absolute && off <= absolute(x[i])) continue;
      if (off / ulp > worst) {
        worst = off / ulp;
        at = x[i];
      }
    }
    EXPECT_LE(worst, bound) << op << " at " << std::hexfloat << at;
    RecordProperty("worst_ulp", std::to_string(worst));
  }
};

TEST_F(VulkanElementwise, SumsDifferencesProductsAndQuotientsHaveIeeeBits) {
  expect_exact("add", [](float a, float b) { return a + b; });
  expect_exact("sub", [](float a, float b) { return a - b; });
  expect_exact("mul", [](float a, float b) { return a * b; });
  expect_exact("div", [](float a, float b) { return a / b; });
}

TEST_F(VulkanElementwise, MaxAndMinPropagateNaNAndOrderZeros) {
  expect_exact("max", [](float a, float b) { return larger(a, b); });
  expect_exact("min", [](float a, float b) { return -larger(-a, -b); });
}

TEST_F(VulkanElementwise, NegAbsSqrtReluAreExact) {
  expect_exact("neg", [](float x) { return -x; });
  expect_exact("abs", [](float x) { return std::fabs(x); });
  expect_exact("sqrt", [](float x) { return std::sqrt(x); });
  expect_exact("relu", [](float x) { return larger(x, 0.0f); });
}

TEST_F(VulkanElementwise, ExpLogTanhKeepTheStrictBound) {
  expect_within("exp", 3, [](double x) { return std::exp(x); });
  expect_within("log", 3, [](double x) { return std::log(x); });
  expect_within("tanh", 5, [](double x) { return std::tanh(x); });
}

TEST_F(VulkanElementwise, SigmoidSwishGeluKeepTheStrictBound) {
  const auto tiny = [](double x) { return x < -87.3 ? 0x1p-126 : 0.0; };
  expect_within(
      "sigmoid", 5, [](double x) { return 1 / (1 + std::exp(-x)); }, tiny);
  expect_within(
      "swish", 6, [](double x) { return std::isinf(x) ? (x > 0 ? x : 0.0) : x / (1 + std::exp(-x)); }, tiny);
  const auto share = [](double x) { return std::isinf(x) ? 0.0 : 0x1p-22 * std::fabs(x); };
  expect_within("gelu", 4,
                [](double x) { return std::isinf(x) ? (x > 0 ? x : -0.0) : 0.5 * x * std::erfc(-x / std::sqrt(2.0)); },
                share, {text("approximate", "none")});
  expect_within("gelu", 4,
                [](double x) {
                  const double v = 2 * std::sqrt(2 / std::acos(-1.0)) * (x + 0.044715 * x * x * x);
                  return std::isinf(x) ? (x > 0 ? x : -0.0) : x / (1 + std::exp(-v));
                },
                share, {text("approximate", "tanh")});
}

TEST_F(VulkanElementwise, EveryLayoutGivesTheBitsOfTheCompactOne) {
  // 2 x 3 x 4, read backwards, transposed, with gaps and broadcast; written with gaps.
  std::vector<float> memory(200);
  for (size_t i = 0; i < memory.size(); ++i) memory[i] = 0.37f * static_cast<float>(i) - 11;
  const std::vector<std::vector<int64_t>> layouts = {{12, 4, 1}, {1, 2, 6}, {-12, -4, -1}, {0, 4, 0}, {60, 20, 5}};
  for (const auto &sa : layouts)
    for (const auto &sb : layouts) {
      const auto first = [](const std::vector<int64_t> &s) { return s[0] < 0 ? 23u : 0u; };
      std::vector<float> out(200, -77);
      const Tensor got =
          run("sub", {floats({2, 3, 4}, memory, sa, first(sa) * 4), floats({2, 3, 4}, memory, sb, first(sb) * 4)},
              floats({2, 3, 4}, out, {60, 20, 5}, 8));
      for (int64_t i = 0; i < 24; ++i) {
        const int64_t at[] = {i / 12, i / 4 % 3, i % 4};
        int64_t pa = first(sa), pb = first(sb), py = 2;
        for (size_t k = 0; k < 3; ++k) {
          pa += at[k] * sa[k];
          pb += at[k] * sb[k];
          py += at[k] * std::vector<int64_t>{60, 20, 5}[k];
        }
        out[static_cast<size_t>(py)] = memory[static_cast<size_t>(pa)] - memory[static_cast<size_t>(pb)];
      }
      ASSERT_EQ(values_of<float>(got), out) << "elements between the strides must stay";
    }
}

TEST_F(VulkanElementwise, RanksBeyondTheShadersAxesAreWalked) {
  // Seven axes that cannot be merged: every second element of every one.
  const std::vector<int64_t> shape(7, 2);
  std::vector<int64_t> strides(7);
  int64_t size = 1;
  for (size_t axis = 7; axis-- > 0; size *= 4) strides[axis] = 2 * size / 1;
  std::vector<float> x(static_cast<size_t>(2 * size));
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i);
  const std::vector<float> y = run_floats("neg", {floats(shape, x, strides)}, shape);
  for (size_t i = 0; i < 128; ++i) {
    size_t at = 0;
    for (size_t axis = 0; axis < 7; ++axis) at += (i >> (6 - axis) & 1u) * static_cast<size_t>(strides[axis]);
    ASSERT_EQ(y[i], -x[at]) << i;
  }
}

TEST_F(VulkanElementwise, InPlaceEmptyAndOneElement) {
  const Tensor x = floats({5}, {1, -2, 3, -4, 5});
  EXPECT_EQ(values_of<float>(run("neg", {x}, x, {}, 0)), (std::vector<float>{-1, 2, -3, 4, -5}));
  EXPECT_EQ(run_floats("exp", {floats({0, 3}, {})}, {0, 3}), std::vector<float>{});
  EXPECT_EQ(run_floats("relu", {floats({}, {-3})}, {}), std::vector<float>{0});
}

TEST_F(VulkanElementwise, TransposeMovesBits) {
  std::vector<float> x(2 * 3 * 5);
  for (size_t i = 0; i < x.size(); ++i) x[i] = std::bit_cast<float>(0x7f800001u + static_cast<uint32_t>(i));  // NaNs
  const Tensor got =
      run("transpose", {floats({2, 3, 5}, x)}, floats({5, 2, 3}, std::vector<float>(30)), {ints("perm", {2, 0, -2})});
  const auto bits = values_of<uint32_t>(got);
  for (size_t i = 0; i < 30; ++i) {
    const size_t a = i / 6, b = i / 3 % 2, c = i % 3;
    ASSERT_EQ(bits[i], std::bit_cast<uint32_t>(x[b * 15 + c * 5 + a]));
  }
}

TEST_F(VulkanElementwise, QuantizeRoundsHalfToEvenAndSaturates) {
  const std::vector<float> x = {0.5f, 1.5f, 2.5f, -0.5f, -1.5f, 1e9f, -1e9f, kNaN, kInf, -kInf, 3.3f, 127.5f};
  const auto n = static_cast<int64_t>(x.size());
  const Tensor zero = tensor<int8_t>(RAYO_I8, {}, {3});
  const Tensor got =
      run("quantize_linear", {floats({n}, x), floats({}, {1.0f}), zero},
          tensor<int8_t>(RAYO_I8, {n}, std::vector<int8_t>(x.size())), {ints("axis", {0}), text("output_dtype", "")});
  EXPECT_EQ(values_of<int8_t>(got), (std::vector<int8_t>{3, 5, 5, 3, 1, 127, -128, 3, 127, -128, 6, 127}));
  const Tensor u8 =
      run("quantize_linear", {floats({2, 2}, {10, 20, 30, 1000}), floats({2}, {10.0f, 7.0f})},
          tensor<uint8_t>(RAYO_U8, {2, 2}, std::vector<uint8_t>(4)), {ints("axis", {1}), text("output_dtype", "u8")});
  EXPECT_EQ(values_of<uint8_t>(u8), (std::vector<uint8_t>{1, 3, 3, 143}));
}

TEST_F(VulkanElementwise, DequantizeIsOneExactDifferenceAndOneProduct) {
  std::vector<int8_t> x;
  std::vector<float> want;
  const float scale = 1e-40f;  // products are subnormal
  for (int i = -128; i < 128; ++i) {
    x.push_back(static_cast<int8_t>(i));
    want.push_back(static_cast<float>(i - 7) * scale);
  }
  const Tensor got = run("dequantize_linear",
                         {tensor<int8_t>(RAYO_I8, {256}, x), floats({1}, {scale}), tensor<int8_t>(RAYO_I8, {1}, {7})},
                         floats({256}, std::vector<float>(256)), {ints("axis", {0})});
  EXPECT_TRUE(same_bits(values_of<float>(got), want));
}

}  // namespace
}  // namespace rayo_test
