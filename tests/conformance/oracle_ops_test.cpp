// SPDX-License-Identifier: Apache-2.0
//
// Oracles of the norms, integer ops, casts and eigh against values calculated by hand or published, and bounds that
// refuse a wrong answer.
#include "oracle/oracle.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "oracle/bounds.hpp"
#include "oracle/contract.hpp"
#include "runner/judge.hpp"
#include "suites/generator.hpp"

namespace rayo::conform {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

using Attrs = std::vector<std::pair<std::string, std::string>>;

class OracleOps : public ::testing::Test {
 protected:
  const Expected<double> &run(std::string_view op, std::vector<Values> inputs, Attrs attrs = {}) {
    call_ = Case{};
    call_.op = std::string(op);
    call_.dtype = inputs[0].dtype;
    call_.attrs = std::move(attrs);
    problem_ = Problem{find_op(op), &call_, std::move(inputs), false, false};
    expected_ = {};
    run_oracle<double>(*find_oracle(op), problem_, expected_);
    return expected_;
  }
  std::vector<double> values() const {
    std::vector<double> out;
    for (const auto &e : expected_.elements) out.push_back(e.value);
    return out;
  }
  State judge(const std::vector<double> &actual) {
    return judge_against_oracle(problem_, expected_, *find_bound(call_.op), {}, actual).state;
  }
  Case call_;
  Problem problem_;
  Expected<double> expected_;
};

Values line(std::vector<double> data, Dtype dtype = Dtype::f32) {
  const auto n = static_cast<std::int64_t>(data.size());
  return {dtype, {n}, std::move(data)};
}

TEST_F(OracleOps, ElementwiseFunctionsMatchPublishedConstants) {
  const auto at = [this](std::string_view op, double x, Attrs attrs = {}) {
    return run(op, {line({x})}, std::move(attrs)).elements[0].value;
  };
  EXPECT_DOUBLE_EQ(at("sin", 1), 0.841470984807896506652502);
  EXPECT_DOUBLE_EQ(at("cos", 1), 0.540302305868139717400936);
  EXPECT_DOUBLE_EQ(at("erf", 1), 0.842700792949714869341220);
  EXPECT_DOUBLE_EQ(at("rsqrt", 2), 0.707106781186547524400844);
  EXPECT_DOUBLE_EQ(at("elu", -1), -0.632120558828557678404476);
  EXPECT_DOUBLE_EQ(at("elu", -1e-10), -9.9999999995e-11);
  EXPECT_EQ(at("leaky_relu", -2, {{"alpha", "0.25"}}), -0.5);
  EXPECT_EQ(at("round", 2.5), 2);
  EXPECT_TRUE(std::signbit(at("round", -0.25)));
  EXPECT_EQ(at("floor", -0.5), -1);
  EXPECT_EQ(at("ceil", 0.5), 1);
  EXPECT_EQ(run("pow", {line({2, kNan, -2, 0}), line({10, 0, 3, -1})}).elements[0].value, 1024);
  EXPECT_EQ(values(), (std::vector<double>{1024, 1, -8, kInf}));
}

TEST_F(OracleOps, FmaRoundsOnce) {
  // 1 + 2^-24 + 2^-60: in double the small term is lost and 1 + 2^-24 ties down to 1.
  run("fma", {line({0x1p-30}), line({0x1p-30}), line({1 + 0x1p-24})});
  EXPECT_EQ(static_cast<float>(expected_.elements[0].value), 1 + 0x1p-23f);
  run("fma", {line({-0x1p-30}), line({0x1p-30}), line({1 + 0x3p-24})});
  EXPECT_EQ(static_cast<float>(expected_.elements[0].value), 1 + 0x1p-23f);
  run("fma", {line({3}), line({4}), line({5})});
  EXPECT_EQ(expected_.elements[0].value, 17);
}

TEST_F(OracleOps, WhereAndClip) {
  run("where", {line({0, 1, 200}, Dtype::u8), line({1, 2, 3}), line({-1, -2, -3})});
  EXPECT_EQ(values(), (std::vector<double>{-1, 2, 3}));
  run("clip", {line({-5, 0, 5, kNan}), {Dtype::f32, kNoOperand, {}}, {Dtype::f32, {}, {2}}});
  EXPECT_EQ(expected_.elements[0].value, -5);
  EXPECT_EQ(expected_.elements[2].value, 2);
  EXPECT_TRUE(std::isnan(expected_.elements[3].value));
  run("clip", {line({0}), {Dtype::f32, {}, {3}}, {Dtype::f32, {}, {2}}});
  EXPECT_EQ(values(), std::vector<double>{2});  // the upper bound wins
}

TEST_F(OracleOps, NormsOfAPythagoreanTriple) {
  EXPECT_EQ(run("reduce_l1", {line({3, -4})}).elements[0].value, 7);
  EXPECT_EQ(run("reduce_l2", {line({3, -4})}).elements[0].value, 5);
  EXPECT_EQ(run("variance", {line({10000, 10001, 10002, 10003, 10004, 10005, 10006})}).elements[0].value, 4);
  EXPECT_EQ(judge({4}), State::passed);
  EXPECT_EQ(judge({11384}), State::failed);  // by one pass
  EXPECT_EQ(run("variance", {line({1, 3})}, {{"correction", "1"}}).elements[0].value, 2);
  EXPECT_TRUE(std::isnan(run("variance", {line({1})}, {{"correction", "1"}}).elements[0].value));
}

TEST_F(OracleOps, LayerNormAndRmsNorm) {
  const Values x{Dtype::f64, {2, 2}, {1, 3, 5, 9}};
  run("layer_norm", {x, {Dtype::f64, {2}, {1, 10}}, {Dtype::f64, {}, {100}}}, {{"epsilon", "0"}});
  EXPECT_EQ(values(), (std::vector<double>{99, 110, 99, 110}));
  run("rms_norm", {{Dtype::f64, {1, 2}, {1, 7}}, {Dtype::f64, {1}, {5}}}, {{"epsilon", "0"}});
  EXPECT_EQ(values(), (std::vector<double>{1, 7}));
  run("log_softmax", {line({0, 0, 0, 0})});
  EXPECT_DOUBLE_EQ(values()[2], -1.386294361119890618834464);
  EXPECT_EQ(judge(std::vector<double>(4, -1.38629436f)), State::passed);
  EXPECT_EQ(judge(std::vector<double>(4, -1.38630f)), State::failed);
}

TEST_F(OracleOps, CastsSaturateTruncateAndRoundOnce) {
  run("cast", {line({-1.9, 300, -300, kNan, kInf})}, {{"to", "u8"}});
  EXPECT_EQ(values(), (std::vector<double>{0, 255, 0, 0, 255}));
  run("cast", {line({-1.9, 1e10, -kInf})}, {{"to", "i32"}});
  EXPECT_EQ(values(), (std::vector<double>{-1, 2147483647, -2147483648.0}));
  // Above the tie of f16 by 2^-30; by way of f32 it would be the tie and go to even.
  run("cast", {line({1 + 0x1p-11 + 0x1p-30}, Dtype::f64)}, {{"to", "f16"}});
  EXPECT_EQ(judge({1 + 0x1p-10}), State::passed);
  EXPECT_EQ(judge({1}), State::failed);
  run("cast", {line({65520})}, {{"to", "f16"}});
  EXPECT_EQ(judge({kInf}), State::passed);
  EXPECT_EQ(judge({65504}), State::failed);
}

TEST_F(OracleOps, QuantisationRoundsHalvesToEvenAndSaturates) {
  run("quantize_linear", {line({0.5, 1.5, -0.5, 1000, kNan}), {Dtype::f32, {}, {1}}, {Dtype::u8, {}, {10}}});
  call_.dtype = Dtype::u8;
  expected_ = {};
  run_oracle<double>(*find_oracle("quantize_linear"), problem_, expected_);
  EXPECT_EQ(expected_.dtype, Dtype::u8);
  EXPECT_EQ(values(), (std::vector<double>{10, 12, 10, 255, 10}));
  run("dequantize_linear", {{Dtype::u8, {2, 2}, {0, 255, 10, 20}}, line({0.5, 2}), line({0, 10}, Dtype::u8)});
  EXPECT_EQ(values(), (std::vector<double>{0, 490, 5, 20}));
}

TEST_F(OracleOps, IntegerProductsTakeZeroPoints) {
  const Values a{Dtype::u8, {2, 2}, {1, 2, 3, 4}};
  const Values b{Dtype::i8, {2, 2}, {-1, 2, 3, -4}};
  run("matmul_integer", {a, b});
  EXPECT_EQ(values(), (std::vector<double>{5, -6, 9, -10}));
  run("matmul_integer", {a, b, line({1, 3}, Dtype::u8), line({0, 2}, Dtype::i8)});
  EXPECT_EQ(values(), (std::vector<double>{3, -6, 3, -6}));
  EXPECT_EQ(judge({3, -6, 3, -5}), State::failed);
}

TEST_F(OracleOps, EighIsJudgedByItsRatios) {
  run("eigh", {{Dtype::f32, {2, 2}, {2, 99, 1, 2}}});  // the lower triangle is read
  EXPECT_EQ(expected_.shape, Shape{2});
  EXPECT_EQ(expected_.more[0].shape, (Shape{2, 2}));
  const auto verdict = [this](std::vector<double> w, std::vector<double> v) {
    const std::vector<Values> out = {{Dtype::f32, {2}, std::move(w)}, {Dtype::f32, {2, 2}, std::move(v)}};
    return judge_relation(find_oracle("eigh")->relation(problem_, out)).state;
  };
  const double r = static_cast<float>(std::sqrt(0.5));
  EXPECT_EQ(verdict({3, 1}, {r, r, r, -r}), State::passed);
  EXPECT_EQ(verdict({3, 1}, {-r, r, -r, -r}), State::passed);  // signs are free
  EXPECT_EQ(verdict({1, 3}, {r, r, -r, r}), State::failed);    // ascending
  EXPECT_EQ(verdict({3, 1.001}, {r, r, r, -r}), State::failed);
  EXPECT_EQ(verdict({3, 1}, {r, 2 * r, r, -r}), State::failed);
  EXPECT_EQ(verdict({kNan, 1}, {r, r, r, -r}), State::failed);
}

TEST(ContractFunctions, ExpAndLogOfTheTextAreRight) {
  for (const float x : {-104.0f, -90.0f, -1.5f, -1e-7f, 0.0f, 0.3f, 1.0f, 10.0f, 88.7f}) {
    const double right = std::exp(static_cast<double>(x));
    EXPECT_LE(std::fabs(contract::exp(x) - right), ulp_at(format_of(Dtype::f32), right)) << x;
  }
  for (const float x : {1e-45f, 1e-38f, 0.1f, 0.99f, 1.01f, 2.0f, 1e30f}) {
    const double right = std::log(static_cast<double>(x));
    EXPECT_LE(std::fabs(contract::log(x) - right), ulp_at(format_of(Dtype::f32), right)) << x;
  }
  EXPECT_EQ(contract::exp(-static_cast<float>(kInf)), 0);
  EXPECT_EQ(contract::log(0.0F), -kInf);
}

TEST(ContractFunctions, DecideTheBitsOfEverySumAndNorm) {
  for (const char *op : {"reduce_sum", "reduce_mean", "reduce_l1", "reduce_l2", "variance", "softmax", "log_softmax",
                         "layer_norm", "rms_norm", "dot", "matmul", "gemm"}) {
    const std::vector<std::string> ops = {op};
    std::size_t tried = 0;
    for (const Case &c : generate(ops, true, 1)) {
      if (c.dtype != Dtype::f32 || ++tried > 20) break;
      Problem p{find_op(op), &c, {}, false, false};
      for (const Shape &shape : c.shapes) {
        p.inputs.push_back(
            {Dtype::f32, shape, std::vector<double>(static_cast<std::size_t>(element_count(shape)), 0.5)});
      }
      EXPECT_TRUE(contract::evaluate(p).has_value()) << format_case(c);
    }
    EXPECT_GT(tried, 20u) << op;
  }
}

TEST(Slice, PartsAreDisjointAndMakeTheWhole) {
  const std::vector<Case> all = generate({}, true, 1);
  std::size_t total = 0;
  for (std::uint64_t part = 0; part < 16; ++part) {
    const std::vector<Case> cases = slice(all, 16, part);
    EXPECT_NEAR(static_cast<double>(cases.size()), static_cast<double>(all.size()) / 16, 80);
    std::size_t front = 0;
    for (const Case &c : cases) front += c.guard == Guard::front ? 1 : 0;
    EXPECT_GT(front, cases.size() / 10) << "all guard pages on one side";
    total += cases.size();
  }
  EXPECT_EQ(total, all.size());
}

}  // namespace
}  // namespace rayo::conform
