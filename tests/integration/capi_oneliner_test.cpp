// SPDX-License-Identifier: Apache-2.0
//
// Every one-line function against the same formula in double precision.
#include <algorithm>
#include <cmath>
#include <functional>

#include "fixture.hpp"

namespace rayo_test {
namespace {

constexpr int64_t kCount = 67;

class OneLiner : public ScalarRuntime {
 protected:
  OneLiner() {
    for (int64_t i = 0; i < kCount; ++i) {
      a_.push_back(static_cast<float>(i % 13) * 0.37F + 0.25F);
      b_.push_back(static_cast<float>(i % 7) * 0.5F - 1.75F);
    }
  }
  // Within 4 units in the last place: the loosest bound of these ops.
  static void expect_close(double expected, float actual) {
    EXPECT_LE(std::abs(expected - static_cast<double>(actual)), 4 * 0x1p-23 * std::max(std::abs(expected), 1e-30));
  }

  std::vector<float> a_;
  std::vector<float> b_;
};

TEST_F(OneLiner, Unary) {
  using Fn = rayo_status (*)(rayo_runtime *, int64_t, const float *, float *);
  struct Row {
    Fn fn;
    double (*oracle)(double);
    bool positive;
  };
  const Row rows[] = {
      {rayo_neg_f32, [](double x) { return -x; }, false},
      {rayo_abs_f32, [](double x) { return std::abs(x); }, false},
      {rayo_sqrt_f32, [](double x) { return std::sqrt(x); }, true},
      {rayo_exp_f32, [](double x) { return std::exp(x); }, false},
      {rayo_log_f32, [](double x) { return std::log(x); }, true},
      {rayo_tanh_f32, [](double x) { return std::tanh(x); }, false},
      {rayo_sigmoid_f32, [](double x) { return 1 / (1 + std::exp(-x)); }, false},
      {rayo_relu_f32, [](double x) { return std::max(x, 0.0); }, false},
      {rayo_gelu_f32, [](double x) { return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0))); }, false},
      {rayo_swish_f32, [](double x) { return x / (1 + std::exp(-x)); }, false},
  };
  for (const Row &row : rows) {
    const std::vector<float> &x = row.positive ? a_ : b_;
    std::vector<float> y(x.size());
    ASSERT_EQ(row.fn(runtime_, kCount, x.data(), y.data()), RAYO_OK) << last_error();
    for (size_t i = 0; i < x.size(); ++i) expect_close(row.oracle(static_cast<double>(x[i])), y[i]);
  }
}

TEST_F(OneLiner, Binary) {
  using Fn = rayo_status (*)(rayo_runtime *, int64_t, const float *, const float *, float *);
  struct Row {
    Fn fn;
    double (*oracle)(double, double);
  };
  const Row rows[] = {
      {rayo_add_f32, [](double x, double y) { return x + y; }},
      {rayo_sub_f32, [](double x, double y) { return x - y; }},
      {rayo_mul_f32, [](double x, double y) { return x * y; }},
      {rayo_div_f32, [](double x, double y) { return x / y; }},
      {rayo_max_f32, [](double x, double y) { return std::max(x, y); }},
      {rayo_min_f32, [](double x, double y) { return std::min(x, y); }},
  };
  for (const Row &row : rows) {
    std::vector<float> y(a_.size());
    ASSERT_EQ(row.fn(runtime_, kCount, b_.data(), a_.data(), y.data()), RAYO_OK) << last_error();
    for (size_t i = 0; i < y.size(); ++i) {
      expect_close(row.oracle(static_cast<double>(b_[i]), static_cast<double>(a_[i])), y[i]);
    }
  }
}

TEST_F(OneLiner, Reductions) {
  float out = 0;
  ASSERT_EQ(rayo_reduce_sum_f32(runtime_, kCount, a_.data(), &out), RAYO_OK) << last_error();
  double sum = 0;
  for (const float x : a_) sum += static_cast<double>(x);
  EXPECT_NEAR(static_cast<double>(out), sum, sum * 0x1p-20);
  ASSERT_EQ(rayo_reduce_mean_f32(runtime_, kCount, a_.data(), &out), RAYO_OK) << last_error();
  EXPECT_NEAR(static_cast<double>(out), sum / kCount, sum * 0x1p-20);
  ASSERT_EQ(rayo_reduce_max_f32(runtime_, kCount, a_.data(), &out), RAYO_OK) << last_error();
  EXPECT_EQ(out, *std::max_element(a_.begin(), a_.end()));
  ASSERT_EQ(rayo_reduce_min_f32(runtime_, kCount, a_.data(), &out), RAYO_OK) << last_error();
  EXPECT_EQ(out, *std::min_element(a_.begin(), a_.end()));
  int64_t index = -1;
  ASSERT_EQ(rayo_argmax_f32(runtime_, kCount, a_.data(), &index), RAYO_OK) << last_error();
  EXPECT_EQ(index, 12);
  const float integers[3] = {1, 2, 3};
  ASSERT_EQ(rayo_dot_f32(runtime_, 3, integers, integers, &out), RAYO_OK) << last_error();
  EXPECT_EQ(out, 14.0F);
}

TEST_F(OneLiner, MatricesOnIntegersAreExact) {
  const float a[6] = {1, 2, 3, 4, 5, 6};
  const float b[6] = {7, 8, 9, 10, 11, 12};
  float c[4] = {};
  ASSERT_EQ(rayo_matmul_f32(runtime_, 2, 2, 3, a, b, c), RAYO_OK) << last_error();
  const float product[4] = {58, 64, 139, 154};
  for (int i = 0; i < 4; ++i) EXPECT_EQ(c[i], product[i]);
  ASSERT_EQ(rayo_gemm_f32(runtime_, 0, 0, 2, 2, 3, 2.0F, a, b, -1.0F, c), RAYO_OK) << last_error();
  for (int i = 0; i < 4; ++i) EXPECT_EQ(c[i], product[i]);
  float turned[6] = {};
  ASSERT_EQ(rayo_transpose_f32(runtime_, 2, 3, a, turned), RAYO_OK) << last_error();
  const float expected[6] = {1, 4, 2, 5, 3, 6};
  for (int i = 0; i < 6; ++i) EXPECT_EQ(turned[i], expected[i]);
  ASSERT_EQ(rayo_gemm_f32(runtime_, 1, 0, 2, 2, 3, 1.0F, turned, b, 0.0F, c), RAYO_OK) << last_error();
  for (int i = 0; i < 4; ++i) EXPECT_EQ(c[i], product[i]);
  const float x[4] = {0, 0, 1000, 1000};
  float y[4] = {};
  ASSERT_EQ(rayo_softmax_f32(runtime_, 2, 2, x, y), RAYO_OK) << last_error();
  for (const float value : y) EXPECT_EQ(value, 0.5F);
}

}  // namespace
}  // namespace rayo_test
