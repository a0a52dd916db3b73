// SPDX-License-Identifier: Apache-2.0
//
// The guards' parts: what RAYO_VERIFY may say, which calls are sampled, elements behind strides.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "base/error.hpp"
#include "guard/check_budget.hpp"
#include "guard/elements.hpp"
#include "guard/sampler.hpp"
#include "guard/verify_rules.hpp"

namespace rayo {
namespace {

TEST(VerifyRules, EveryItemIsRead) {
  const VerifyRules rules = parse_verify(
      "RAYO_VERIFY", "divergence:1/16,nan,inf:1/2,nondeterminism:1/100,slowdown:2.5,action=report,report=/a/b");
  EXPECT_EQ(rules.of(GuardKind::divergence), 16u);
  EXPECT_EQ(rules.of(GuardKind::nan), 1u);
  EXPECT_EQ(rules.of(GuardKind::inf), 2u);
  EXPECT_EQ(rules.of(GuardKind::nondeterminism), 100u);
  EXPECT_EQ(rules.slowdown, 2.5);
  EXPECT_EQ(rules.action, GuardAction::report);
  EXPECT_EQ(rules.folder, "/a/b");
  EXPECT_EQ(parse_verify("", "nan").action, GuardAction::stop) << "by default";
  EXPECT_EQ(parse_verify("", "slowdown").slowdown, 2);
  EXPECT_FALSE(parse_verify("", "off").any());
}

TEST(VerifyRules, TheBudgetIsAsAskedForOrByTheRate) {
  EXPECT_EQ(parse_verify("", "divergence").share(), 0);
  EXPECT_EQ(parse_verify("", "divergence:1/100").share(), 0) << "whole calls are judged";
  EXPECT_EQ(parse_verify("", "divergence:1/101").share(), 0.005);
  EXPECT_EQ(parse_verify("", "divergence:1/1000,budget=off").share(), 0);
  EXPECT_EQ(parse_verify("", "budget=2.5%,divergence:1/4").share(), 0.025);
  EXPECT_EQ(parse_verify("", "nan:1/1000").share(), 0);
}

TEST(VerifyRules, WrongItemsAreNamed) {
  for (const char *wrong : {"NaN",        "nan:",       "nan:16",       "nan:1/0",   "nan:1/x",     "nan:1/99999999999",
                            "slowdown:1", "slowdown:x", "slowdown:inf", "action=",   "action=kill", "report=relative",
                            "report=",    "budget=1",   "budget=%",     "budget=0%", "budget=101%", "budget=x%",
                            "budget=",    "nan,",       ",nan",         "",          "off,nan",     "action=log",
                            "nan;inf"}) {
    try {
      parse_verify("RAYO_VERIFY", wrong);
      ADD_FAILURE() << wrong;
    } catch (const Error &error) {
      EXPECT_EQ(error.status(), RAYO_INVALID_ARGUMENT);
      EXPECT_NE(std::string(error.what()).find("RAYO_VERIFY holds '"), std::string::npos) << error.what();
    }
  }
}

TEST(Sampler, TakesOneCallOfEveryWindowAtAPlaceThatVaries) {
  Sampler never(0, 1);
  Sampler always(1, 1);
  for (int i = 0; i < 10; ++i) {
    EXPECT_FALSE(never.take());
    EXPECT_TRUE(always.take());
  }
  constexpr uint32_t kEvery = 16;
  Sampler sampler(kEvery, 7);
  std::vector<int> places(kEvery);
  for (int window = 0; window < 1600; ++window) {
    int taken = 0;
    for (uint32_t i = 0; i < kEvery; ++i) {
      if (!sampler.take()) continue;
      ++taken;
      ++places[i];
    }
    ASSERT_EQ(taken, 1) << window;
  }
  for (const int count : places) EXPECT_GT(count, 50) << "each place is taken about 100 times";
}

TEST(Sampler, AShortPlanIsLookedAtAsOftenAsALongOne) {
  int taken = 0;
  for (uint64_t seed = 0; seed < 4000; ++seed) taken += Sampler(16, seed).take() ? 1 : 0;
  EXPECT_NEAR(taken, 250, 60);
}

TEST(Sampler, PassesOverCallsAtOnceAsOneByOne) {
  EXPECT_EQ(Sampler(0, 1).waiting(), UINT32_MAX);
  EXPECT_EQ(Sampler(1, 1).waiting(), 0u);
  Sampler one_by_one(16, 3);
  Sampler at_once(16, 3);
  for (int finding = 0; finding < 100; ++finding) {
    uint32_t waited = 0;
    while (!one_by_one.take()) ++waited;
    ASSERT_EQ(at_once.waiting(), waited) << finding;
    at_once.pass(waited);
    ASSERT_TRUE(at_once.take()) << finding;
  }
  at_once.pass(UINT32_MAX);  // more than there are
  EXPECT_TRUE(at_once.take());
}

TEST(CheckBudget, GivesAShareOfWhatTheCallsTakeAndIsPaidBack) {
  EXPECT_FALSE(CheckBudget(0, 1000).limited());
  CheckBudget budget(0.01, 1000);  // ten times a call for each check
  ASSERT_TRUE(budget.limited());
  EXPECT_TRUE(budget.earn()) << "nothing is known yet";
  EXPECT_EQ(budget.learn(100), 1000);
  budget.spend(2500);
  EXPECT_FALSE(budget.earn());  // -1500
  EXPECT_FALSE(budget.earn());  // -500
  EXPECT_TRUE(budget.earn());   // 500
  EXPECT_EQ(budget.learn(100), 500);
  budget.spend(100);
  EXPECT_TRUE(budget.earn());
  EXPECT_EQ(budget.learn(100), 1000) << "never more than one check's";
  budget.spend(1000);
  budget.learn(1'000'000);  // a call that was interrupted: counts as 126
  EXPECT_TRUE(budget.earn());
  EXPECT_EQ(budget.learn(126), 1260);
}

OperandDesc strided(DLDataType dtype) {  // 2 x 3, columns first, rows backwards
  OperandDesc operand;
  operand.dtype = dtype;
  operand.ndim = 2;
  operand.shape[0] = 2;
  operand.shape[1] = 3;
  operand.strides[0] = -1;
  operand.strides[1] = 4;
  return operand;
}

TEST(Elements, AreCopiedByLogicalOrderAndNothingElseIsTouched) {
  float memory[12];
  for (int i = 0; i < 12; ++i) memory[i] = static_cast<float>(i);
  const OperandDesc operand = strided(RAYO_F32);
  const std::vector<char> dense = dense_copy(operand, memory + 1);
  float values[6];
  ASSERT_EQ(dense.size(), sizeof values);
  std::memcpy(values, dense.data(), sizeof values);
  const float expected[] = {1, 5, 9, 0, 4, 8};
  EXPECT_EQ(std::memcmp(values, expected, sizeof values), 0);
  const Shadow shadow(operand, memory + 1);
  EXPECT_EQ((reinterpret_cast<uintptr_t>(shadow.data()) - reinterpret_cast<uintptr_t>(memory + 1)) % 64, 0u);
  copy_elements(operand, memory + 1, operand, shadow.data());
  poison(operand, memory + 1);
  for (int i = 0; i < 12; ++i) EXPECT_EQ(std::isnan(memory[i]), i % 4 < 2) << i;
  EXPECT_TRUE(find_specials(operand, memory + 1).nan);
  copy_elements(operand, shadow.data(), operand, memory + 1);
  for (int i = 0; i < 12; ++i) EXPECT_EQ(memory[i], static_cast<float>(i));
  EXPECT_FALSE(find_specials(operand, memory + 1).nan);
}

TEST(Elements, SpecialsAreFoundInEveryFloatingType) {
  const auto find = [](DLDataType dtype, uint64_t bits) {
    OperandDesc one;
    one.dtype = dtype;
    return find_specials(one, &bits);
  };
  const struct {
    DLDataType dtype;
    uint64_t nan, inf, largest;
  } types[] = {{RAYO_F32, 0xffc00000u, 0xff800000u, 0x7f7fffffu},
               {RAYO_F64, 0x7ff0000000000001u, 0x7ff0000000000000u, 0x7fefffffffffffffu},
               {RAYO_F16, 0xfc01u, 0x7c00u, 0x7bffu},
               {RAYO_BF16, 0x7f81u, 0xff80u, 0x7f7fu}};
  for (const auto &type : types) {
    EXPECT_TRUE(find(type.dtype, type.nan).nan && !find(type.dtype, type.nan).inf);
    EXPECT_TRUE(find(type.dtype, type.inf).inf && !find(type.dtype, type.inf).nan);
    EXPECT_FALSE(find(type.dtype, type.largest).nan || find(type.dtype, type.largest).inf);
  }
  EXPECT_FALSE(find(RAYO_I32, 0xffffffffu).nan);
}

TEST(Elements, ValuesOfEveryTypeAreRead) {
  const auto value = [](DLDataType dtype, uint64_t bits) {
    return element_value(dtype, reinterpret_cast<const char *>(&bits));
  };
  EXPECT_EQ(value(RAYO_F16, 0x3c00), 1);
  EXPECT_EQ(value(RAYO_F16, 0x8001), -std::ldexp(1.0, -24));
  EXPECT_EQ(value(RAYO_F16, 0x7bff), 65504);
  EXPECT_TRUE(std::isinf(value(RAYO_F16, 0xfc00)));
  EXPECT_EQ(value(RAYO_BF16, 0x4049), 3.140625);
  EXPECT_EQ(value(RAYO_I8, 0xff), -1);
  EXPECT_EQ(value(RAYO_U8, 0xff), 255);
  EXPECT_EQ(value(RAYO_I32, 0x80000000u), -2147483648.0);
  EXPECT_EQ(value(RAYO_I64, ~uint64_t{0}), -1);
  int8_t signed_one = 5;
  uint8_t unsigned_one = 5;
  OperandDesc one;
  one.dtype = RAYO_I8;
  poison(one, &signed_one);
  one.dtype = RAYO_U8;
  poison(one, &unsigned_one);
  EXPECT_EQ(signed_one, -128);
  EXPECT_EQ(unsigned_one, 255);
}

}  // namespace
}  // namespace rayo
