// SPDX-License-Identifier: Apache-2.0
//
// The order of the contract, seen where it matters: 1e8 + 1 is 1e8 in f32, so where a 1 stands decides whether it
// survives.
#include "oracle/contract.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

namespace rayo::conform::contract {
namespace {

constexpr float kBig = 1e8f;

std::vector<float> sparse(std::size_t n, const std::map<std::size_t, float> &at) {
  std::vector<float> x(n, 0.0f);
  for (const auto &[i, v] : at) x[i] = v;
  return x;
}

float total(std::size_t n, const std::map<std::size_t, float> &at) {
  const std::vector<float> x = sparse(n, at);
  return sum(std::span<const float>(x));
}

float leading(std::size_t n, const std::map<std::size_t, float> &at) {
  const std::vector<float> x = sparse(n, at);
  return leading_sum(std::span<const float>(x));
}

TEST(Contract, ALaneTakesEvery64thElement) {
  EXPECT_EQ(total(200, {{0, kBig}, {64, 1}, {128, -kBig}}), 0);
  EXPECT_EQ(total(200, {{0, kBig}, {1, 1}, {64, -kBig}}), 1);
}

TEST(Contract, LanesAreHalved) {
  // Lanes 0 and 32 meet first, then 0 and 16.
  EXPECT_EQ(total(64, {{0, kBig}, {16, 1}, {32, -kBig}}), 1);
  EXPECT_EQ(total(64, {{0, kBig}, {32, 1}, {16, -kBig}}), 0);
}

TEST(Contract, BlocksOf16384AreSummedApart) {
  EXPECT_EQ(total(20000, {{0, kBig}, {64, -kBig}, {16384, 1}}), 1);
  EXPECT_EQ(total(20000, {{0, kBig}, {16320, 1}, {16384, -kBig}}), 0);
}

TEST(Contract, BlocksCombinePairwise) {
  const std::size_t b = 16384;
  EXPECT_EQ(total(4 * b, {{0, kBig}, {b, 1}, {2 * b, -kBig}, {3 * b, 1}}), 0);
  EXPECT_EQ(total(3 * b, {{0, kBig}, {b, -kBig}, {2 * b, 1}}), 1);
}

TEST(Contract, LeadingAxesChainBlocksOf256) {
  EXPECT_EQ(leading(300, {{0, kBig}, {1, 1}, {2, -kBig}}), 0);
  EXPECT_EQ(leading(300, {{0, kBig}, {1, -kBig}, {2, 1}}), 1);
  EXPECT_EQ(leading(1024, {{0, kBig}, {256, 1}, {512, -kBig}, {768, 1}}), 0);
  EXPECT_EQ(leading(512, {{0, kBig}, {255, -kBig}, {256, 1}}), 1);
}

TEST(Contract, DotFusesProductAndSum) {
  // (1 + 2^-12)^2 - 1 keeps its last term, 2^-24, only without a rounding between product and sum.
  const std::vector<float> a = sparse(65, {{0, -1.0f}, {64, 1.0f + 0x1p-12f}});
  std::vector<float> b = a;
  b[0] = 1.0f;
  EXPECT_EQ(dot(std::span<const float>(a), std::span<const float>(b)), 0x1p-11f + 0x1p-24f);
  const std::vector<float> c = {-1.0f, 1.0f + 0x1p-12f};
  const std::vector<float> d = {1.0f, 1.0f + 0x1p-12f};
  EXPECT_EQ(chain(std::span<const float>(c), std::span<const float>(d)), 0x1p-11f + 0x1p-24f);
}

TEST(Contract, AShortBlockIsFilledWithPlusZero) {
  // The product underflows to -0. Alone in a full group it stays; in a short one the filling turns lanes 64.. over it.
  std::vector<float> a(65, -0.0f);
  std::vector<float> b(65, 0.0f);
  for (std::size_t i = 0; i < 65; ++i) {
    a[i] = -0x1p-140f;
    b[i] = 0x1p-140f;
  }
  const auto negative = [&](std::size_t n) {
    return std::signbit(dot(std::span<const float>(a.data(), n), std::span<const float>(b.data(), n)));
  };
  EXPECT_TRUE(negative(64));
  EXPECT_FALSE(negative(63));
  EXPECT_FALSE(negative(65));
}

TEST(Contract, AColumnHasTheDotOrderUnlessBatchInvariant) {
  Case call;
  call.op = "matmul";
  Problem p;
  p.op = find_op("matmul");
  p.call = &call;
  const std::vector<float> ones = std::vector<float>(65, 1.0f);
  const std::vector<float> x = sparse(65, {{0, kBig}, {1, 1}, {64, -kBig}});
  p.inputs = {{Dtype::f32, {1, 65}, {x.begin(), x.end()}}, {Dtype::f32, {65, 1}, {ones.begin(), ones.end()}}};
  EXPECT_EQ(evaluate(p)->at(0), 1);
  call.attrs = {{"batch_invariant", "1"}};
  EXPECT_EQ(evaluate(p)->at(0), 0);
}

TEST(Contract, EmptySumsAreZero) {
  EXPECT_EQ(sum(std::span<const float>()), 0);
  EXPECT_EQ(leading_sum(std::span<const double>()), 0);
  EXPECT_EQ(chain(std::span<const double>(), std::span<const double>()), 0);
}

// Distance of `got` from the C library's value (itself below 1 ULP), in ULP.
double ulps(double got, double expected) {
  return std::fabs(got - expected) / (std::nextafter(std::fabs(expected), INFINITY) - std::fabs(expected));
}

TEST(Contract, F64ExpAndLogAreTheFunctionsTheirTextsName) {
  for (int i = -7400; i < 7090; ++i) {
    const double x = i * 0.1;
    EXPECT_LE(ulps(exp(x), std::exp(x)), 2) << x;
    const double y = std::exp(x);
    if (y > 0) EXPECT_LE(ulps(log(y), std::log(y)), 2) << y;
  }
  EXPECT_EQ(exp(-INFINITY), 0);
  EXPECT_EQ(exp(INFINITY), INFINITY);
  EXPECT_TRUE(std::isnan(exp(std::nan(""))));
  EXPECT_EQ(log(-0.0), -INFINITY);
  EXPECT_EQ(log(INFINITY), INFINITY);
  EXPECT_TRUE(std::isnan(log(-1.0)));
}

}  // namespace
}  // namespace rayo::conform::contract
