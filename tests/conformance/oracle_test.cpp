// SPDX-License-Identifier: Apache-2.0
//
// Each oracle against values known from elsewhere: published constants, exact small results, limits.
#include "oracle/oracle.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "oracle/bounds.hpp"

namespace rayo::conform {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

template <class R>
Expected<R> run(std::string_view op, std::vector<Values> inputs,
                std::vector<std::pair<std::string, std::string>> attrs = {}) {
  Case c;
  c.op = std::string(op);
  c.attrs = std::move(attrs);
  Problem p;
  p.op = find_op(op);
  p.call = &c;
  p.inputs = std::move(inputs);
  Expected<R> out;
  run_oracle<R>(*find_oracle(op), p, out);
  return out;
}

Values line(std::vector<double> data, Dtype dtype = Dtype::f64) {
  const auto n = static_cast<std::int64_t>(data.size());
  return {dtype, {n}, std::move(data)};
}

double unary(std::string_view op, double x, std::vector<std::pair<std::string, std::string>> attrs = {}) {
  return static_cast<double>(run<wide::Quad>(op, {line({x})}, std::move(attrs)).elements[0].value);
}

double binary(std::string_view op, double a, double b) {
  return static_cast<double>(run<wide::Quad>(op, {line({a}), line({b})}).elements[0].value);
}

std::vector<double> values(const Expected<double> &e) {
  std::vector<double> out;
  for (const auto &element : e.elements) out.push_back(element.value);
  return out;
}

TEST(Oracle, UnaryFunctionsMatchPublishedConstants) {
  EXPECT_EQ(unary("exp", 1), 2.718281828459045235360287);
  EXPECT_EQ(unary("exp", -1), 0.367879441171442321595524);
  EXPECT_EQ(unary("log", 2), 0.693147180559945309417232);
  EXPECT_EQ(unary("log", 10), 2.302585092994045684017991);
  EXPECT_EQ(unary("sqrt", 2), 1.414213562373095048801689);
  EXPECT_EQ(unary("tanh", 1), 0.761594155955764888119458);
  EXPECT_EQ(unary("sigmoid", 1), 0.731058578630004879251160);
  EXPECT_EQ(unary("sigmoid", -1), 0.268941421369995120748840);
  EXPECT_EQ(unary("swish", 1), 0.731058578630004879251160);
  EXPECT_EQ(unary("gelu", 1), 0.841344746068542948585233);  // the normal distribution at 1
  EXPECT_EQ(unary("gelu", -1), -0.158655253931457051414767);
  EXPECT_NEAR(unary("gelu", 1, {{"approximate", "tanh"}}), 0.841191990608, 1e-12);
  EXPECT_EQ(unary("neg", 3), -3);
  EXPECT_EQ(unary("abs", -3), 3);
  EXPECT_EQ(unary("relu", -3), 0);
  EXPECT_EQ(unary("relu", 3), 3);
}

TEST(Oracle, UnaryFunctionsKeepTheirLimits) {
  EXPECT_EQ(unary("exp", kInf), kInf);
  EXPECT_EQ(unary("exp", -kInf), 0);
  EXPECT_EQ(unary("log", 0), -kInf);
  EXPECT_TRUE(std::isnan(unary("log", -1)));
  EXPECT_TRUE(std::isnan(unary("sqrt", -1)));
  EXPECT_EQ(unary("tanh", 1e-40), 1e-40);
  EXPECT_GT(unary("sigmoid", -104), 0);
  EXPECT_EQ(unary("gelu", -kInf), 0);
  EXPECT_EQ(unary("gelu", kInf), kInf);
  EXPECT_EQ(unary("swish", -kInf), 0);
  EXPECT_FALSE(std::signbit(unary("relu", -0.0)));
  for (const char *op : {"exp", "log", "tanh", "sigmoid", "gelu", "swish", "relu", "sqrt", "abs", "neg"}) {
    EXPECT_TRUE(std::isnan(unary(op, kNan))) << op;
  }
}

TEST(Oracle, MaxAndMinPropagateNanAndOrderZeros) {
  EXPECT_TRUE(std::isnan(binary("max", kNan, 1)));
  EXPECT_TRUE(std::isnan(binary("max", 1, kNan)));
  EXPECT_TRUE(std::isnan(binary("min", kNan, -kInf)));
  EXPECT_FALSE(std::signbit(binary("max", -0.0, 0.0)));
  EXPECT_FALSE(std::signbit(binary("max", 0.0, -0.0)));
  EXPECT_TRUE(std::signbit(binary("min", 0.0, -0.0)));
  EXPECT_EQ(binary("div", 1, 0), kInf);
  EXPECT_EQ(binary("sub", 1, 3), -2);
  EXPECT_EQ(binary("mul", 0.5, 3), 1.5);
}

TEST(Oracle, BinaryBroadcasts) {
  const Values a{Dtype::f32, {2, 1}, {1, 2}};
  const auto e = run<double>("add", {a, line({10, 20, 30}, Dtype::f32)});
  EXPECT_EQ(e.shape, (Shape{2, 3}));
  EXPECT_EQ(values(e), (std::vector<double>{11, 21, 31, 12, 22, 32}));
}

TEST(Oracle, ReductionsOverAxes) {
  const Values x{Dtype::f32, {2, 3}, {1, 5, 3, 4, 2, 6}};
  EXPECT_EQ(values(run<double>("reduce_sum", {x}, {{"axes", "0"}})), (std::vector<double>{5, 7, 9}));
  EXPECT_EQ(run<double>("reduce_sum", {x}, {{"axes", "0"}}).shape, (Shape{1, 3}));
  EXPECT_EQ(values(run<double>("reduce_mean", {x}, {{"axes", "-1"}, {"keepdims", "0"}})), (std::vector<double>{3, 4}));
  EXPECT_EQ(values(run<double>("reduce_max", {x}, {{"axes", "1"}})), (std::vector<double>{5, 6}));
  EXPECT_EQ(values(run<double>("reduce_min", {x})), (std::vector<double>{1}));
  EXPECT_EQ(values(run<double>("argmax", {x}, {{"axis", "1"}})), (std::vector<double>{1, 2}));
}

TEST(Oracle, ReductionsOfNothingGiveTheIdentity) {
  const Values none{Dtype::f32, {0}, {}};
  EXPECT_EQ(run<double>("reduce_sum", {none}).elements[0].value, 0);
  EXPECT_TRUE(std::isnan(run<double>("reduce_mean", {none}).elements[0].value));
  EXPECT_EQ(run<double>("reduce_max", {none}).elements[0].value, -kInf);
  EXPECT_EQ(run<double>("reduce_min", {none}).elements[0].value, kInf);
  EXPECT_EQ(run<double>("dot", {none, none}).elements[0].value, 0);
}

TEST(Oracle, ArgmaxBreaksTiesAndTakesNanForTheLargest) {
  EXPECT_EQ(run<double>("argmax", {line({2, 7, 7, 1})}).elements[0].value, 1);
  EXPECT_EQ(run<double>("argmax", {line({2, 7, 7, 1})}, {{"select_last_index", "1"}}).elements[0].value, 2);
  EXPECT_EQ(run<double>("argmax", {line({2, kNan, 9, kNan})}).elements[0].value, 1);
  EXPECT_EQ(run<double>("argmax", {line({2, kNan, 9, kNan})}, {{"select_last_index", "1"}}).elements[0].value, 3);
  EXPECT_EQ(run<double>("argmax", {line({-0.0, 0.0})}).elements[0].value, 0);
}

TEST(Oracle, SoftmaxIsStableAndSumsToOne) {
  const auto e = run<double>("softmax", {line({1000, 1000, -1000}, Dtype::f32)});
  EXPECT_EQ(values(e), (std::vector<double>{0.5, 0.5, 0}));
  EXPECT_TRUE(std::isnan(run<double>("softmax", {line({-kInf, -kInf})}).elements[0].value));
  const Values x{Dtype::f32, {2, 2}, {0, 0, 0, 0}};
  EXPECT_EQ(values(run<double>("softmax", {x}, {{"axis", "0"}})), (std::vector<double>{0.5, 0.5, 0.5, 0.5}));
}

TEST(Oracle, ProductsMatchHandCalculation) {
  const Values a{Dtype::f32, {2, 3}, {1, 2, 3, 4, 5, 6}};
  const Values b{Dtype::f32, {3, 2}, {7, 8, 9, 10, 11, 12}};
  EXPECT_EQ(values(run<double>("matmul", {a, b})), (std::vector<double>{58, 64, 139, 154}));
  EXPECT_EQ(values(run<double>("gemm", {b, a, line({1, -1}, Dtype::f32)},
                               {{"alpha", "2"}, {"beta", "-1"}, {"transA", "1"}, {"transB", "1"}})),
            (std::vector<double>{115, 279, 127, 309}));
  const auto vector = run<double>("matmul", {line({1, 2, 3}, Dtype::f32), b});
  EXPECT_EQ(vector.shape, (Shape{2}));
  EXPECT_EQ(values(vector), (std::vector<double>{58, 64}));
  const auto unread = run<double>("gemm", {a, b, line({kNan, kNan}, Dtype::f32)}, {{"beta", "0"}});
  EXPECT_EQ(unread.elements[0].value, 58);
  EXPECT_EQ(run<double>("dot", {line({1, 2}), line({3, 4})}).elements[0].value, 11);
}

TEST(Oracle, TransposePermutesAxes) {
  const Values x{Dtype::f32, {2, 3}, {1, 2, 3, 4, 5, 6}};
  EXPECT_EQ(values(run<double>("transpose", {x})), (std::vector<double>{1, 4, 2, 5, 3, 6}));
  const Values y{Dtype::f32, {1, 2, 3}, {1, 2, 3, 4, 5, 6}};
  EXPECT_EQ(run<double>("transpose", {y}, {{"perm", "-1,0,1"}}).shape, (Shape{3, 1, 2}));
}

TEST(Bounds, UlpFollowsTheBinade) {
  const Format f32 = format_of(Dtype::f32);
  EXPECT_EQ(ulp_at(f32, 1.0), 0x1p-23);
  EXPECT_EQ(ulp_at(f32, 0.75), 0x1p-24);
  EXPECT_EQ(ulp_at(f32, 1e-45), 0x1p-149);
  EXPECT_EQ(ulp_at(f32, 0.0), 0x1p-149);
  EXPECT_EQ(ulp_at(f32, 1e300), 0x1p104);
  EXPECT_EQ(static_cast<double>(ulp_at(format_of(Dtype::f64), wide::Quad(3))), 0x1p-51);
}

}  // namespace
}  // namespace rayo::conform
