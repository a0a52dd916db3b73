// SPDX-License-Identifier: Apache-2.0
//
// Cases that reductions and normalisations of existing libraries are known to get wrong, one named test each, on every
// plugin and in both types. Expected values follow from the definitions, not from a reference implementation.
#include <algorithm>

#include "cases.h"

namespace rayo_test {
namespace {

template <class T>
const T kInf = std::numeric_limits<T>::infinity();

/// op over all of a vector: a reduction to one element.
template <class T>
T reduce(const Plugin &p, const std::string &op, const std::vector<T> &x) {
  T y = T(-77);
  EXPECT_EQ(
      p.run(op, {compact({static_cast<int64_t>(x.size())}, dtype_of<T>())}, {x.data()}, compact({}, dtype_of<T>()), &y,
            {int_attr("axes", {0}), int_attr("keepdims", {0}), int_attr("correction", {0})}),
      RAYO_OK);
  return y;
}
template <class T>
int64_t arg(const Plugin &p, const std::string &op, const std::vector<T> &x) {
  int64_t y = -1;
  EXPECT_EQ(p.run(op, {compact({static_cast<int64_t>(x.size())}, dtype_of<T>())}, {x.data()}, compact({}, RAYO_I64), &y,
                  {int_attr("axis", {0}), int_attr("keepdims", {0}), int_attr("select_last_index", {0})}),
            RAYO_OK);
  return y;
}
/// softmax or log_softmax of a vector; along the first axis of n x 1 with `columns`.
template <class T>
std::vector<T> soft(const Plugin &p, const std::string &op, const std::vector<T> &x, bool columns = false) {
  const auto n = static_cast<int64_t>(x.size());
  const View v = compact(columns ? std::vector<int64_t>{n, 1} : std::vector<int64_t>{n}, dtype_of<T>());
  std::vector<T> y(x.size(), T(-77));
  EXPECT_EQ(p.run(op, {v}, {x.data()}, v, y.data(), {int_attr("axis", {0})}), RAYO_OK);
  return y;
}
template <class T>
std::vector<T> norm(const Plugin &p, const std::string &op, const std::vector<T> &x, double epsilon) {
  const View v = compact({static_cast<int64_t>(x.size())}, dtype_of<T>());
  const std::vector<T> scale(x.size(), T(1));
  std::vector<T> y(x.size(), T(-77));
  EXPECT_EQ(
      p.run(op, {v, v}, {x.data(), scale.data()}, v, y.data(), {int_attr("axis", {0}), float_attr("epsilon", epsilon)}),
      RAYO_OK);
  return y;
}

template <class T>
struct Trap : ::testing::Test {};
using Types = ::testing::Types<float, double>;
TYPED_TEST_SUITE(Trap, Types);

TYPED_TEST(Trap, SoftmaxOfAllMinusInfinityIsNan) {
  for (const auto &p : plugins()) {
    for (size_t n : {1u, 5u, 17u, 64u, 100u}) {
      for (bool columns : {false, true}) {
        const std::vector<TypeParam> x(n, -kInf<TypeParam>);
        for (TypeParam y : soft(*p, "softmax", x, columns)) ASSERT_TRUE(std::isnan(y)) << p->name();
        for (TypeParam y : soft(*p, "log_softmax", x, columns)) ASSERT_TRUE(std::isnan(y)) << p->name();
      }
    }
  }
}
TYPED_TEST(Trap, SoftmaxGivesMinusInfinityNoWeight) {
  for (const auto &p : plugins()) {
    for (bool columns : {false, true}) {
      const std::vector<TypeParam> x = {-kInf<TypeParam>, 3, -kInf<TypeParam>};
      EXPECT_EQ(soft(*p, "softmax", x, columns), (std::vector<TypeParam>{0, 1, 0})) << p->name();
      EXPECT_EQ(soft(*p, "log_softmax", x, columns), (std::vector<TypeParam>{x[0], 0, x[0]})) << p->name();
    }
  }
}
TYPED_TEST(Trap, SoftmaxOfLargeValuesDoesNotOverflow) {
  const TypeParam big = std::numeric_limits<TypeParam>::max();
  for (const auto &p : plugins()) {
    EXPECT_EQ(soft<TypeParam>(*p, "softmax", {big, big}), (std::vector<TypeParam>{0.5, 0.5})) << p->name();
    EXPECT_EQ(soft<TypeParam>(*p, "softmax", {1000, 0, 1000}), (std::vector<TypeParam>{0.5, 0, 0.5})) << p->name();
    // The logarithm of a probability that is 0 in the type is still right.
    EXPECT_EQ(soft<TypeParam>(*p, "log_softmax", {0, 10000}), (std::vector<TypeParam>{-10000, 0})) << p->name();
  }
}
TYPED_TEST(Trap, VarianceOfTenThousandPlusZeroToSixIsFour) {
  const std::vector<TypeParam> x = {10000, 10001, 10002, 10003, 10004, 10005, 10006};
  for (const auto &p : plugins()) {
    EXPECT_EQ(reduce(*p, "variance", x), TypeParam(4)) << p->name();
    TypeParam y = 0;  // along a kept last axis
    ASSERT_EQ(
        p->run("variance", {compact({7, 1}, dtype_of<TypeParam>())}, {x.data()}, compact({1}, dtype_of<TypeParam>()),
               &y, {int_attr("axes", {0}), int_attr("keepdims", {0}), int_attr("correction", {0})}),
        RAYO_OK);
    EXPECT_EQ(y, TypeParam(4)) << p->name();
  }
}
TYPED_TEST(Trap, VarianceWithoutDegreesOfFreedomIsNan) {
  for (const auto &p : plugins()) {
    EXPECT_TRUE(std::isnan(reduce<TypeParam>(*p, "variance", {}))) << p->name();
    EXPECT_EQ(reduce<TypeParam>(*p, "variance", {42}), TypeParam(0)) << p->name();
    const TypeParam one = 42;
    TypeParam y = 0;
    ASSERT_EQ(p->run("variance", {compact({1}, dtype_of<TypeParam>())}, {&one}, compact({}, dtype_of<TypeParam>()), &y,
                     {int_attr("axes", {0}), int_attr("keepdims", {0}), int_attr("correction", {1})}),
              RAYO_OK);
    EXPECT_TRUE(std::isnan(y)) << p->name();
  }
}
TYPED_TEST(Trap, LayerNormOfTenThousandPlusZeroToSixIsCentred) {
  const std::vector<TypeParam> x = {10000, 10001, 10002, 10003, 10004, 10005, 10006};
  for (const auto &p : plugins()) {  // sigma = 2
    EXPECT_EQ(norm(*p, "layer_norm", x, 0.0), (std::vector<TypeParam>{-1.5, -1, -0.5, 0, 0.5, 1, 1.5})) << p->name();
  }
}
TYPED_TEST(Trap, LayerNormOfAConstantRowIsZero) {
  for (const auto &p : plugins()) {
    EXPECT_EQ(norm<TypeParam>(*p, "layer_norm", std::vector<TypeParam>(64, 3), 1e-5), std::vector<TypeParam>(64, 0));
  }
}
TYPED_TEST(Trap, MaxAndMinKeepANanAtEveryPosition) {
  for (const auto &p : plugins()) {
    for (size_t n = 1; n <= 140; ++n) {
      for (size_t at = 0; at < n; ++at) {
        std::vector<TypeParam> x = make_data<TypeParam>(n, n);
        x[at] = std::numeric_limits<TypeParam>::quiet_NaN();
        ASSERT_TRUE(std::isnan(reduce(*p, "reduce_max", x))) << p->name() << " " << at << " of " << n;
        ASSERT_TRUE(std::isnan(reduce(*p, "reduce_min", x))) << p->name() << " " << at << " of " << n;
        ASSERT_EQ(arg(*p, "argmax", x), static_cast<int64_t>(at)) << p->name() << " of " << n;
        ASSERT_EQ(arg(*p, "argmin", x), static_cast<int64_t>(at)) << p->name() << " of " << n;
      }
    }
  }
}
TYPED_TEST(Trap, EmptySetsGiveTheIdentity) {
  for (const auto &p : plugins()) {
    for (const char *op : {"reduce_sum", "reduce_l1", "reduce_l2"}) {
      const TypeParam y = reduce<TypeParam>(*p, op, {});
      EXPECT_TRUE(y == 0 && !std::signbit(y)) << op << " " << p->name();
    }
    EXPECT_EQ(reduce<TypeParam>(*p, "reduce_max", {}), -kInf<TypeParam>) << p->name();
    EXPECT_EQ(reduce<TypeParam>(*p, "reduce_min", {}), kInf<TypeParam>) << p->name();
    EXPECT_TRUE(std::isnan(reduce<TypeParam>(*p, "reduce_mean", {}))) << p->name();
    EXPECT_TRUE(soft<TypeParam>(*p, "softmax", {}).empty());
  }
}
TYPED_TEST(Trap, OneElement) {
  for (const auto &p : plugins()) {
    for (const char *op : {"reduce_sum", "reduce_mean", "reduce_max", "reduce_min"}) {
      EXPECT_EQ(reduce<TypeParam>(*p, op, {-2.5}), TypeParam(-2.5)) << op << " " << p->name();
    }
    EXPECT_EQ(reduce<TypeParam>(*p, "reduce_l1", {-2.5}), TypeParam(2.5)) << p->name();
    EXPECT_EQ(reduce<TypeParam>(*p, "reduce_l2", {-2.5}), TypeParam(2.5)) << p->name();
    EXPECT_EQ(arg<TypeParam>(*p, "argmin", {-2.5}), 0) << p->name();
    EXPECT_EQ(soft<TypeParam>(*p, "softmax", {-2.5}), std::vector<TypeParam>{1}) << p->name();
    EXPECT_EQ(soft<TypeParam>(*p, "log_softmax", {-2.5}), std::vector<TypeParam>{0}) << p->name();
    EXPECT_EQ(norm<TypeParam>(*p, "rms_norm", {-2.5}, 0.0), std::vector<TypeParam>{-1}) << p->name();
    EXPECT_EQ(norm<TypeParam>(*p, "layer_norm", {-2.5}, 1e-5), std::vector<TypeParam>{0}) << p->name();
  }
}
TYPED_TEST(Trap, OneByNAndNByOneAgreeWithAVector) {
  const std::vector<TypeParam> x = make_data<TypeParam>(100, 3);
  const DLDataType type = dtype_of<TypeParam>();
  for (const auto &p : plugins()) {
    for (const char *op : {"reduce_sum", "reduce_l1", "reduce_l2", "variance"}) {
      const TypeParam want = reduce(*p, op, x);
      for (const std::vector<int64_t> &shape : {std::vector<int64_t>{1, 100}, std::vector<int64_t>{100, 1}}) {
        TypeParam y = 0;
        ASSERT_EQ(p->run(op, {compact(shape, type)}, {x.data()}, compact({}, type), &y,
                         {int_attr("axes", {0, 1}), int_attr("keepdims", {0}), int_attr("correction", {0})}),
                  RAYO_OK);
        EXPECT_TRUE(same_bits(y, want)) << op << " " << p->name();
      }
    }
  }
}
TYPED_TEST(Trap, ElementFiveHundredAndTwelveCountsOnce) {
  for (const auto &p : plugins()) {  // around a power of two, in exact arithmetic
    for (size_t n : {511u, 512u, 513u}) {
      std::vector<TypeParam> x(n);
      TypeParam sum = 0;
      for (size_t i = 0; i < n; ++i) sum += x[i] = static_cast<TypeParam>(i % 2 == 0 ? i % 16 : 0) - 3;
      TypeParam total = 0, squares = 0;
      for (TypeParam v : x) {
        total += std::fabs(v);
        squares += v * v;
      }
      EXPECT_EQ(reduce(*p, "reduce_sum", x), sum) << p->name() << " " << n;
      EXPECT_EQ(reduce(*p, "reduce_l1", x), total) << p->name() << " " << n;
      EXPECT_EQ(reduce(*p, "reduce_l2", x), std::sqrt(squares)) << p->name() << " " << n;
      x.assign(n, TypeParam(7));
      EXPECT_EQ(soft(*p, "softmax", x)[n - 1], TypeParam(1) * (TypeParam(1) / static_cast<TypeParam>(n))) << n;
      EXPECT_EQ(reduce(*p, "variance", x), TypeParam(0)) << p->name() << " " << n;
    }
  }
}
TYPED_TEST(Trap, InfinityInARowIsNotLostToPadding) {
  for (const auto &p : plugins()) {
    for (size_t n : {1u, 3u, 17u, 65u, 100u}) {
      std::vector<TypeParam> x(n, TypeParam(1));
      x[n / 2] = -kInf<TypeParam>;
      EXPECT_EQ(reduce(*p, "reduce_l1", x), kInf<TypeParam>) << p->name();
      EXPECT_EQ(reduce(*p, "reduce_l2", x), kInf<TypeParam>) << p->name();
      // The sum overflows while all elements are finite: distances from an infinite mean are infinite, not NaN.
      std::vector<TypeParam> large(n + 1, std::numeric_limits<TypeParam>::max());
      EXPECT_EQ(reduce(*p, "variance", large), kInf<TypeParam>) << p->name() << " " << n;
    }
  }
}

}  // namespace
}  // namespace rayo_test
