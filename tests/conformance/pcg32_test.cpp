// SPDX-License-Identifier: Apache-2.0
#include "suites/pcg32.hpp"

#include <gtest/gtest.h>

#include <array>

#include "suites/distribution.hpp"

namespace rayo::conform {
namespace {

// Output of pcg32-demo of the reference C implementation, round 1: seed 42, stream 54.
TEST(Pcg32, MatchesThePublishedVectors) {
  Pcg32 rng(42, 54);
  for (const std::uint32_t expected : {0xa15c02b7u, 0x7b47f409u, 0xba1d3330u, 0x83d2f293u, 0xbfa4784bu, 0xcbed606eu}) {
    EXPECT_EQ(rng.next(), expected);
  }
}

// The same round's coins and dice-like draws follow the vectors; here: bounded draws stay in range and hit the ends.
TEST(Pcg32, BoundedDrawsCoverTheirRange) {
  Pcg32 rng(1, 1);
  std::array<int, 6> seen{};
  for (int i = 0; i < 600; ++i) {
    const std::uint32_t r = rng.below(6);
    ASSERT_LT(r, 6u);
    ++seen[r];
  }
  for (const int n : seen) EXPECT_GT(n, 50);
}

TEST(Distribution, IsAFunctionOfSeedAndOperand) {
  for (const std::string_view name : distribution_names()) {
    const auto a = draw(name, Dtype::f32, 7, 0, 2, 200);
    const auto b = draw(name, Dtype::f32, 7, 0, 2, 200);
    ASSERT_EQ(a.size(), 200u);
    for (std::size_t i = 0; i < a.size(); ++i) {
      EXPECT_TRUE(a[i] == b[i] || (a[i] != a[i] && b[i] != b[i])) << name << " " << i;
    }
  }
  EXPECT_NE(draw("uniform", Dtype::f32, 7, 0, 2, 8), draw("uniform", Dtype::f32, 8, 0, 2, 8));
  EXPECT_NE(draw("uniform", Dtype::f32, 7, 0, 2, 8), draw("uniform", Dtype::f32, 7, 1, 2, 8));
}

TEST(Distribution, ValuesAreExactInTheirType) {
  for (const std::string_view name : distribution_names()) {
    for (const double v : draw(name, Dtype::f32, 3, 0, 1, 300)) {
      EXPECT_TRUE(v != v || static_cast<double>(static_cast<float>(v)) == v) << name << " " << v;
    }
  }
}

TEST(Distribution, SpecialsPairEveryValueWithEveryOther) {
  const std::size_t n = special_values(Dtype::f32).size();
  EXPECT_GE(n, 90u);
  const auto count = static_cast<std::int64_t>(n * n);
  const auto a = draw("specials", Dtype::f32, 1, 0, 2, count);
  const auto b = draw("specials", Dtype::f32, 1, 1, 2, count);
  EXPECT_EQ(a[0], a[n - 1]);
  EXPECT_EQ(a[n], b[1]);
  EXPECT_EQ(b[0], b[n]);
}

TEST(Distribution, OneNanIsOne) {
  int nans = 0;
  for (const double v : draw("onenan", Dtype::f64, 5, 0, 1, 1000)) nans += v != v ? 1 : 0;
  EXPECT_EQ(nans, 1);
}

}  // namespace
}  // namespace rayo::conform
