// SPDX-License-Identifier: Apache-2.0
#include "runner/judge.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <limits>

#include "runner/memory.hpp"

namespace rayo::conform {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

class JudgeTest : public ::testing::Test {
 protected:
  // The verdict on one result of op(x) in f32.
  State judge(std::string_view op, double x, double actual, Grade grade = Grade::ours) {
    call_.op = std::string(op);
    problem_.op = find_op(op);
    problem_.call = &call_;
    problem_.inputs = {{Dtype::f32, {1}, {x}}};
    if (problem_.op->required_inputs == 2) problem_.inputs.push_back({Dtype::f32, {1}, {1.0}});
    Expected<double> expected;
    run_oracle<double>(*find_oracle(op), problem_, expected);
    return judge_against_oracle(problem_, expected, *find_bound(op), {grade, false}, {actual}).state;
  }
  Case call_;
  Problem problem_;
};

TEST_F(JudgeTest, ExactOpsAreJudgedByBits) {
  EXPECT_EQ(judge("add", 0.5, 1.5), State::passed);
  EXPECT_EQ(judge("add", 0.5, 1.5 + 0x1p-23), State::failed);
  EXPECT_EQ(judge("neg", 0.0, -0.0), State::passed);
  EXPECT_EQ(judge("neg", 0.0, 0.0), State::failed);
  EXPECT_EQ(judge("relu", -1, -0.0), State::failed);
  EXPECT_EQ(judge("add", kNan, kNan), State::passed);
  EXPECT_EQ(judge("add", kNan, 1), State::failed);
  EXPECT_EQ(judge("add", 1, kNan), State::failed);
}

TEST_F(JudgeTest, UlpBoundsDependOnTheClass) {
  const double right = static_cast<float>(std::exp(1.0));
  EXPECT_EQ(judge("exp", 1, right), State::passed);
  EXPECT_EQ(judge("exp", 1, right + 2 * 0x1p-22), State::failed);
  EXPECT_EQ(judge("exp", 1, right + 2 * 0x1p-22, Grade::strict), State::passed);
  EXPECT_EQ(judge("exp", 1, right + 4 * 0x1p-22, Grade::strict), State::failed);
  EXPECT_EQ(judge("exp", 1, right + 4 * 0x1p-22, Grade::relaxed), State::passed);
  EXPECT_EQ(judge("exp", 1, kInf, Grade::relaxed), State::failed);
}

TEST_F(JudgeTest, OverflowMustBeOverflow) {
  EXPECT_EQ(judge("exp", 89, kInf), State::passed);
  EXPECT_EQ(judge("exp", 89, -kInf), State::failed);
  EXPECT_EQ(judge("exp", 88, kInf), State::failed);
  EXPECT_EQ(judge("exp", 200, std::numeric_limits<float>::max()), State::failed);
  EXPECT_EQ(judge("exp", kInf, kInf), State::passed);
  EXPECT_EQ(judge("exp", kInf, kNan), State::failed);
}

TEST_F(JudgeTest, ARelaxedProductMayRoundItsInputs) {
  // 1.25 rounded twice to 11 bits loses less than 2^-10 of it.
  const double off = 1.25 + 1.25 * 0x1p-10;
  EXPECT_EQ(judge("matmul", 1.25, off, Grade::strict), State::failed);
  EXPECT_EQ(judge("matmul", 1.25, off, Grade::relaxed), State::passed);
  EXPECT_EQ(judge("matmul", 1.25, 1.25 + 1.25 * 0x1p-9, Grade::relaxed), State::failed);
}

TEST_F(JudgeTest, WholeNumbersMustBeExact) {
  call_.op = "reduce_sum";
  problem_.op = find_op("reduce_sum");
  problem_.call = &call_;
  problem_.inputs = {{Dtype::f32, {3}, {1e6, 2, 3}}};
  Expected<double> expected;
  run_oracle<double>(*find_oracle("reduce_sum"), problem_, expected);
  const Bound &bound = *find_bound("reduce_sum");
  const double near = 1000005 + 0.0625;
  problem_.integers = false;
  EXPECT_EQ(judge_against_oracle(problem_, expected, bound, {}, {near}).state, State::passed);
  EXPECT_EQ(judge_against_oracle(problem_, expected, bound, {}, {1000006}).state, State::failed);
  problem_.integers = true;
  EXPECT_EQ(judge_against_oracle(problem_, expected, bound, {}, {near}).state, State::failed);
  EXPECT_EQ(judge_against_oracle(problem_, expected, bound, {}, {1000005}).state, State::passed);
}

TEST_F(JudgeTest, ACaseOfZerosIsDistrusted) {
  call_.op = "mul";
  problem_.op = find_op("mul");
  problem_.call = &call_;
  const std::vector<double> zeros(100, 0.0);
  problem_.inputs = {{Dtype::f32, {100}, zeros}, {Dtype::f32, {100}, zeros}};
  Expected<double> expected;
  run_oracle<double>(*find_oracle("mul"), problem_, expected);
  EXPECT_EQ(judge_against_oracle(problem_, expected, *find_bound("mul"), {}, zeros).state, State::distrusted);
}

TEST(BitDifference, ComparesNanByClassAndZerosBySign) {
  EXPECT_EQ(bit_difference({kNan, 1}, {-kNan, 1}, "a", "b"), "");
  EXPECT_NE(bit_difference({0.0}, {-0.0}, "a", "b"), "");
  EXPECT_NE(bit_difference({1}, {kNan}, "a", "b"), "");
  EXPECT_NE(bit_difference({1}, {1, 2}, "a", "b"), "");
}

TEST(Operand, HoldsValuesUnderAnyStrides) {
  const std::vector<double> v = {1, 2, 3, 4, 5, 6};
  for (const Shape &strides : {Shape{3, 1}, Shape{1, 2}, Shape{-3, -1}, Shape{10, 2}}) {
    Operand x(Dtype::f32, {2, 3}, strides, 5, Guard::back);
    x.write(v);
    EXPECT_EQ(x.read(), v);
  }
  Operand repeated(Dtype::f64, {2, 3}, Shape{0, 1}, 0, Guard::front);
  repeated.write(v);
  EXPECT_EQ(repeated.read(), (std::vector<double>{4, 5, 6, 4, 5, 6}));
}

TEST(Operand, TellsWritesOutsideItsElements) {
  Operand y(Dtype::f32, {4}, Shape{2}, 0, Guard::front);
  const auto before = y.snapshot();
  y.write({1, 2, 3, 4});
  EXPECT_EQ(y.difference(before, false), "");
  EXPECT_NE(y.difference(before, true), "");
  y.origin()[4] = std::byte{0};  // between elements 0 and 1
  EXPECT_NE(y.difference(before, false), "");
}

TEST(OperandDeathTest, GuardPagesAreOnBothSides) {
  EXPECT_DEATH(
      {
        Operand back(Dtype::f32, {7}, std::nullopt, 0, Guard::back);
        const volatile std::byte *past = back.origin() + 28;
        (void)*past;
      },
      "");
  EXPECT_DEATH(
      {
        Operand front(Dtype::f32, {7}, std::nullopt, 0, Guard::front);
        const volatile std::byte *before = front.origin() - 1;
        (void)*before;
      },
      "");
}

}  // namespace
}  // namespace rayo::conform
