// SPDX-License-Identifier: Apache-2.0
//
// Traps that existing libraries fell into, one named test each, on every CPU plugin that runs here: values at the
// limits of the transcendental functions, cancellation, rounding, NaN by position, vector bodies against tails, empty
// and thin shapes.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <filesystem>
#include <limits>
#include <map>
#include <memory>

#include "runner/subject.hpp"
#include "suites/case.hpp"

namespace rayo::conform {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

template <class T>
struct Tensor {
  Shape shape;
  std::vector<T> data;
};

template <class T>
constexpr Dtype dtype_of() {
  return std::is_same_v<T, float>          ? Dtype::f32
         : std::is_same_v<T, double>       ? Dtype::f64
         : std::is_same_v<T, std::int64_t> ? Dtype::i64
                                           : Dtype::i32;
}

template <class T>
rayo_tensor tensor_of(const Tensor<T> &t) {
  // The C API takes inputs through the same type as outputs.
  return rayo_tensor_make(const_cast<T *>(t.data.data()), dtype_dl(dtype_of<T>()),
                          static_cast<std::int32_t>(t.shape.size()), t.shape.data(), nullptr);
}

Tensor<float> line(std::vector<float> data) {
  const auto n = static_cast<std::int64_t>(data.size());
  return {{n}, std::move(data)};
}

// A plugin stays loaded for all tests; NULL where it is not built or this machine cannot run it.
const Subject *subject_of(const std::string &name) {
  static std::map<std::string, std::unique_ptr<Subject>> loaded;
  const auto found = loaded.find(name);
  if (found != loaded.end()) return found->second.get();
  const std::string file = std::string(RAYO_PLUGIN_DIR) + "/" + name + ".so";
  std::unique_ptr<Subject> subject;
  if (std::filesystem::exists(file)) {
    try {
      subject = std::make_unique<Subject>(file);
    } catch (const LoadError &error) {
      if (error.status != RAYO_UNSUPPORTED && error.status != RAYO_REFUSED) throw std::runtime_error(error.text);
    }
  }
  return (loaded[name] = std::move(subject)).get();
}

class Traps : public ::testing::TestWithParam<const char *> {
 protected:
  void SetUp() override {
    subject_ = subject_of(GetParam());
    if (subject_ == nullptr) GTEST_SKIP() << GetParam() << " is not ready on this machine";
  }

  template <class Out = float, class In = float>
  std::vector<Out> run(const char *op, const std::vector<Tensor<In>> &inputs, std::vector<rayo_attr> attrs = {}) {
    std::vector<rayo_tensor> tensors;
    std::vector<const rayo_tensor *> pointers;
    for (const auto &input : inputs) tensors.push_back(tensor_of(input));
    for (const rayo_tensor &t : tensors) pointers.push_back(&t);
    attrs.push_back(RAYO_ATTR_END);
    rayo_shape shape{};
    std::uint32_t count = 0;
    const auto n = static_cast<std::uint32_t>(pointers.size());
    const rayo_op id = rayo_op_find(op);
    EXPECT_EQ(rayo_infer_shapes(subject_->runtime(), id, pointers.data(), n, attrs.data(), &shape, 1, &count), RAYO_OK)
        << op << ": " << last_error();
    Tensor<Out> out{Shape(shape.extents, shape.extents + shape.ndim), {}};
    out.data.resize(static_cast<std::size_t>(element_count(out.shape)));
    const rayo_tensor result = tensor_of(out);
    const rayo_tensor *results = &result;
    EXPECT_EQ(rayo_run(subject_->runtime(), id, pointers.data(), n, &results, 1, attrs.data()), RAYO_OK)
        << op << ": " << last_error();
    return out.data;
  }

  // f32 and f64; the f64 result narrowed is good enough for what these tests ask.
  std::vector<double> unary(const char *op, double x) {
    const std::vector<float> narrow = run<float>(op, {line({static_cast<float>(x)})});
    const std::vector<double> wide = run<double, double>(op, {Tensor<double>{{1}, {x}}});
    return {static_cast<double>(narrow[0]), wide[0]};
  }

  const Subject *subject_ = nullptr;
};

TEST_P(Traps, ExpOfNanIsNan) {
  for (const double y : unary("exp", kNan)) EXPECT_TRUE(std::isnan(y)) << y;
}

TEST_P(Traps, ExpOfInfinitiesIsInfinityAndZero) {
  for (const double y : unary("exp", kInf)) EXPECT_EQ(y, kInf);
  for (const double y : unary("exp", -kInf)) {
    EXPECT_EQ(y, 0);
    EXPECT_FALSE(std::signbit(y));
  }
}

TEST_P(Traps, TanhOfASubnormalIsTheSubnormal) {
  EXPECT_EQ(run("tanh", {line({1e-40f, -1e-40f})}), (std::vector<float>{1e-40f, -1e-40f}));
  EXPECT_EQ((run<double, double>("tanh", {Tensor<double>{{1}, {1e-310}}})[0]), 1e-310);
}

TEST_P(Traps, SigmoidFarBelowZeroIsNoNanAndNotNegative) {
  // e^-104 is below half the smallest subnormal of f32, within the bound's 2^-126 of 6.81e-46.
  const std::vector<double> y = unary("sigmoid", -104);
  EXPECT_GE(y[0], 0);
  EXPECT_LE(y[0], 0x1p-126);
  EXPECT_NEAR(y[1] / 6.813556822e-46, 1, 1e-9);
}

TEST_P(Traps, GeluOfMinusInfinityIsZero) {
  for (const char *approximate : {"none", "tanh"}) {
    const rayo_attr attr = {"approximate", RAYO_ATTR_STRING, 4, approximate};
    EXPECT_EQ(run("gelu", {line({-kInf, -1e30f, kInf})}, {attr}), (std::vector<float>{0, 0, kInf})) << approximate;
    EXPECT_EQ((run<double, double>("gelu", {Tensor<double>{{1}, {-kInf}}}, {attr})[0]), 0) << approximate;
  }
}

TEST_P(Traps, SoftmaxOfOnlyMinusInfinityIsNan) {
  // -inf - -inf is NaN: no number is a distribution over nothing. Neighbouring rows are not touched by it.
  for (const std::size_t n : {1, 5, 64, 100}) {
    Tensor<float> x{{2, static_cast<std::int64_t>(n)}, std::vector<float>(2 * n, -kInf)};
    std::fill(x.data.begin() + static_cast<std::ptrdiff_t>(n), x.data.end(), 3.0f);
    const std::vector<float> y = run("softmax", {x});
    for (std::size_t i = 0; i < n; ++i) {
      EXPECT_TRUE(std::isnan(y[i])) << n;
      EXPECT_NEAR(y[n + i], 1.0 / static_cast<double>(n), 1e-7) << n;
    }
  }
}

TEST_P(Traps, VarianceOfSevenNumbersNear10000IsFour) {
  std::vector<float> x;
  for (int i = 0; i < 7; ++i) x.push_back(1e4f + static_cast<float>(i));
  EXPECT_EQ(run("variance", {line(x)}), std::vector<float>{4});
  EXPECT_EQ((run<double, double>("variance", {Tensor<double>{{7}, {x.begin(), x.end()}}})[0]), 4);
  // Down the leading axis too.
  EXPECT_EQ(
      run("variance", {Tensor<float>{{7, 1}, x}}, {rayo_attr_ints("axes", std::vector<std::int64_t>{0}.data(), 1)}),
      std::vector<float>{4});
}

TEST_P(Traps, RoundKeepsWholeNumbersAbove2To23) {
  const std::vector<float> whole = {8388609.0f, -8388609.0f, 16777216.0f, 8388607.0f, 4194304.5f,
                                    4194305.5f, 0.5f,        1.5f,        2.5f,       -0.5f};
  const std::vector<float> right = {8388609.0f, -8388609.0f, 16777216.0f, 8388607.0f, 4194304.0f,
                                    4194306.0f, 0,           2,           2,          -0.0f};
  EXPECT_EQ(run("round", {line(whole)}), right);
  EXPECT_EQ((run<double, double>("round", {Tensor<double>{{3}, {4503599627370497.0, 2251799813685248.5, 0.5}}})),
            (std::vector<double>{4503599627370497.0, 2251799813685248.0, 0}));
}

TEST_P(Traps, MaxAndMinKeepNanAtEveryPosition) {
  for (const char *op : {"max", "min"}) {
    for (std::size_t n : {1, 7, 16, 33, 67}) {
      for (std::size_t at = 0; at < n; ++at) {
        std::vector<float> a(n, 1.0f);
        a[at] = kNan;
        const std::vector<float> b(n, 2.0f);
        for (const auto &y : {run(op, {line(a), line(b)}), run(op, {line(b), line(a)})}) {
          for (std::size_t i = 0; i < n; ++i) ASSERT_EQ(std::isnan(y[i]), i == at) << op << n << " " << at << " " << i;
        }
      }
    }
  }
}

TEST_P(Traps, ReductionsKeepNanAtEveryPosition) {
  for (const char *op : {"reduce_max", "reduce_min", "reduce_sum", "variance", "reduce_l1", "reduce_l2"}) {
    for (std::size_t at = 0; at < 131; ++at) {
      std::vector<float> x(131, 1.0f);
      x[at] = kNan;
      ASSERT_TRUE(std::isnan(run(op, {line(x)})[0])) << op << " " << at;
    }
  }
}

// One value at every place of arrays of every length up to several vectors: always the same bits.
TEST_P(Traps, BodyAndTailAreOneFunction) {
  for (const char *op : {"exp", "log", "tanh", "sigmoid", "gelu", "erf", "sin", "cos", "rsqrt", "elu", "swish"}) {
    for (const float v : {0.7f, -3.3f, 88.0f, 1e-41f}) {
      const float alone = run(op, {line({v})})[0];
      for (std::size_t n = 2; n < 70; ++n) {
        for (const float y : run(op, {line(std::vector<float>(n, v))})) {
          const bool same = (std::isnan(y) && std::isnan(alone)) ||
                            std::bit_cast<std::uint32_t>(y) == std::bit_cast<std::uint32_t>(alone);
          ASSERT_TRUE(same) << op << "(" << v << ") at length " << n << ": " << y << ", alone " << alone;
        }
      }
    }
  }
}

TEST_P(Traps, EmptyInputsGiveIdentities) {
  const Tensor<float> none{{0}, {}};
  EXPECT_EQ(run("reduce_sum", {none}), std::vector<float>{0});
  EXPECT_EQ(run("reduce_l2", {none}), std::vector<float>{0});
  EXPECT_EQ(run("reduce_max", {none}), std::vector<float>{-kInf});
  EXPECT_EQ(run("reduce_min", {none}), std::vector<float>{kInf});
  EXPECT_TRUE(std::isnan(run("reduce_mean", {none})[0]));
  EXPECT_TRUE(std::isnan(run("variance", {none})[0]));
  EXPECT_EQ(run("dot", {none, none}), std::vector<float>{0});
  EXPECT_TRUE(run("exp", {none}).empty());
  EXPECT_TRUE(run("add", {none, none}).empty());
  EXPECT_TRUE(run("softmax", {Tensor<float>{{3, 0}, {}}}).empty());
  EXPECT_EQ(run("matmul", {Tensor<float>{{2, 0}, {}}, Tensor<float>{{0, 3}, {}}}), std::vector<float>(6, 0));
}

TEST_P(Traps, OneElement) {
  EXPECT_EQ(run("reduce_sum", {line({3})}), std::vector<float>{3});
  EXPECT_EQ(run("softmax", {line({-1e30f})}), std::vector<float>{1});
  EXPECT_EQ(run("variance", {line({3})}), std::vector<float>{0});
  EXPECT_EQ(run("log_softmax", {line({7})}), std::vector<float>{0});
  EXPECT_EQ(run("matmul", {Tensor<float>{{1, 1}, {3}}, Tensor<float>{{1, 1}, {-2}}}), std::vector<float>{-6});
  EXPECT_EQ(run<std::int64_t>("argmax", {line({-5})}), std::vector<std::int64_t>{0});
}

TEST_P(Traps, ThinProducts) {
  for (const std::int64_t n : {1, 2, 15, 64, 129, 1000}) {
    const auto count = static_cast<std::size_t>(n);
    Tensor<float> row{{1, n}, std::vector<float>(count)};
    for (std::size_t i = 0; i < count; ++i) row.data[i] = static_cast<float>(i % 7) - 3;
    const Tensor<float> column{{n, 1}, row.data};
    float square = 0;
    for (const float v : row.data) square += v * v;
    EXPECT_EQ(run("matmul", {row, column}), std::vector<float>{square}) << n;
    const std::vector<float> outer = run("matmul", {column, row});
    ASSERT_EQ(outer.size(), count * count);
    for (std::size_t i = 0; i < count * count; ++i) {
      ASSERT_EQ(outer[i], row.data[i / count] * row.data[i % count]) << n << " element " << i;
    }
  }
}

// Powers of two take other paths than their neighbours: the top left corner of a 512 product must be that of the 511
// product plus the one term more.
TEST_P(Traps, Products511And512Agree) {
  const auto matrix = [](std::size_t n, std::uint32_t seed) {
    Tensor<float> x{{static_cast<std::int64_t>(n), static_cast<std::int64_t>(n)}, std::vector<float>(n * n)};
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) {
        x.data[i * n + j] =
            static_cast<float>((i * 31 + j * 17 + seed) % 11) / 8 - 0.625f + static_cast<float>(j) * 0x1p-20f;
      }
    }
    return x;
  };
  const Tensor<float> a = matrix(512, 1);
  const Tensor<float> b = matrix(512, 5);
  const std::vector<float> large = run("matmul", {a, b});
  const std::vector<float> small = run("matmul", {matrix(511, 1), matrix(511, 5)});
  for (std::size_t i = 0; i < 511; ++i) {
    for (std::size_t j = 0; j < 511; ++j) {
      const float last = std::fma(a.data[i * 512 + 511], b.data[511 * 512 + j], small[i * 511 + j]);
      ASSERT_EQ(large[i * 512 + j], last) << i << "," << j;
    }
  }
}

TEST_P(Traps, CastsRoundOnceAndSaturate) {
  const auto to = [](const char *name) { return rayo_attr{"to", RAYO_ATTR_STRING, 3, name}; };
  // 2^53 + 1 and 2^24 + 1 lie between two floats; ties go to even.
  EXPECT_EQ((run<double, std::int64_t>("cast", {Tensor<std::int64_t>{{2}, {9007199254740993, 9007199254740995}}},
                                       {to("f64")})),
            (std::vector<double>{9007199254740992.0, 9007199254740996.0}));
  // By way of f64 this would be a tie and round down.
  EXPECT_EQ((run<float, std::int64_t>(
                "cast", {Tensor<std::int64_t>{{1}, {(INT64_C(1) << 60) + (INT64_C(1) << 36) + 1}}}, {to("f32")})),
            std::vector<float>{0x1p60f + 0x1p37f});
  EXPECT_EQ(
      (run<std::int64_t, double>("cast", {Tensor<double>{{5}, {1e300, -1e300, kNan, -1.9, 0x1p63}}}, {to("i64")})),
      (std::vector<std::int64_t>{INT64_MAX, INT64_MIN, 0, -1, INT64_MAX}));
  EXPECT_EQ((run<std::int32_t, float>("cast", {line({3e9f, -3e9f, kNan, kInf, 2.9f})}, {to("i32")})),
            (std::vector<std::int32_t>{INT32_MAX, INT32_MIN, 0, INT32_MAX, 2}));
}

INSTANTIATE_TEST_SUITE_P(Plugins, Traps, ::testing::Values("scalar", "avx2", "avx512", "neon"),
                         [](const auto &plugin) { return std::string(plugin.param); });

}  // namespace
}  // namespace rayo::conform
