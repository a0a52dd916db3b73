// SPDX-License-Identifier: Apache-2.0
//
// Every elementwise op in both types: bits equal between plugins, layouts, tail lengths and threads; exact ops against
// plain C++; operands of another size, absent operands, attributes; values that other libraries get wrong.
#include <functional>

#include "cases.h"
#include "reference.h"

namespace rayo_test {
namespace {

struct Op {
  std::string name;
  int arity;
  std::vector<Attr> attrs;
};
const std::vector<Op> kOps = {{"add", 2, {}},
                              {"pow", 2, {}},
                              {"fma", 3, {}},
                              {"clip", 3, {}},
                              {"rsqrt", 1, {}},
                              {"sin", 1, {}},
                              {"cos", 1, {}},
                              {"erf", 1, {}},
                              {"exp", 1, {}},
                              {"log", 1, {}},
                              {"tanh", 1, {}},
                              {"sigmoid", 1, {}},
                              {"swish", 1, {}},
                              {"round", 1, {}},
                              {"floor", 1, {}},
                              {"ceil", 1, {}},
                              {"elu", 1, {float_attr("alpha", 0.7)}},
                              {"leaky_relu", 1, {float_attr("alpha", 0.01)}},
                              {"gelu", 1, {string_attr("approximate", "none")}},
                              {"gelu", 1, {string_attr("approximate", "tanh")}}};

template <class T>
void bits_depend_on_elements_only() {
  const size_t n = 66001;
  std::vector<T> x[3];
  for (size_t k = 0; k < 3; ++k) {
    x[k] = make_data<T>(n, k + 1, true);
    for (size_t i = 0; i < n; ++i) x[k][i] *= static_cast<T>(k == 0 ? 1 + i % 50 : (i % 97 == 0 ? 1e6 : 3));
  }
  const View all = compact({static_cast<int64_t>(n)}, dtype_of<T>()), few = compact({13}, dtype_of<T>());
  for (const Op &op : kOps) {
    const auto arity = static_cast<size_t>(op.arity);
    std::vector<const void *> in;
    for (size_t k = 0; k < arity; ++k) in.push_back(x[k].data());
    std::vector<T> want(n);
    ASSERT_EQ(plugins()[0]->run(op.name, std::vector<View>(arity, all), in, all, want.data(), op.attrs), RAYO_OK);
    for (const auto &p : plugins()) {
      SCOPED_TRACE(op.name + " " + p->name());
      for (uint32_t threads : {1u, 7u}) {
        std::vector<T> y(n);
        ASSERT_EQ(p->run(op.name, std::vector<View>(arity, all), in, all, y.data(), op.attrs, threads), RAYO_OK);
        ASSERT_TRUE(same_bits(y, want)) << threads << " threads";
      }
      std::vector<T> y(14, T(-77));
      ASSERT_EQ(p->run(op.name, std::vector<View>(arity, few), in, few, y.data(), op.attrs), RAYO_OK);
      ASSERT_EQ(y[13], T(-77)) << "wrote past the end";
      y.pop_back();
      ASSERT_TRUE(same_bits(y, std::vector<T>(want.begin(), want.begin() + 13))) << "in the tail";
      std::vector<Strided<T>> operands;
      std::vector<View> views;
      std::vector<const void *> data;
      for (size_t k = 0; k < arity; ++k) {
        operands.emplace_back(all.shape, std::vector<int>{0}, static_cast<int64_t>(k) + 2, k == 1);
        operands.back().fill(x[k]);
      }
      for (Strided<T> &s : operands) {
        views.push_back(s.view);
        data.push_back(s.data());
      }
      Strided<T> out(all.shape, {0}, 2, true);
      ASSERT_EQ(p->run(op.name, views, data, out.view, out.data(), op.attrs), RAYO_OK);
      ASSERT_TRUE(same_bits(out.values(), want)) << "strided";
      ASSERT_TRUE(out.canaries_alive());
    }
  }
}
TEST(Elementwise, BitsDependOnTheElementsOnlyF32) { bits_depend_on_elements_only<float>(); }
TEST(Elementwise, BitsDependOnTheElementsOnlyF64) { bits_depend_on_elements_only<double>(); }

template <class T>
void exact_ops() {
  using F = std::function<T(T, T, T)>;
  const std::vector<std::pair<std::string, F>> ops = {
      {"fma", [](T a, T b, T c) { return std::fma(a, b, c); }},
      {"clip", [](T x, T lo, T hi) { return ref_min(ref_max(x, lo), hi); }},
      {"round", [](T x, T, T) { return std::nearbyint(x); }},
      {"floor", [](T x, T, T) { return std::floor(x); }},
      {"ceil", [](T x, T, T) { return std::ceil(x); }},
      {"leaky_relu", [](T x, T, T) { return x >= 0 ? x : T(0.25) * x; }}};
  for (const auto &[op, f] : ops) {
    const size_t arity = op == "fma" || op == "clip" ? 3 : 1;
    for (int64_t n = 0; n <= 70; ++n) {
      const auto count = static_cast<size_t>(n);
      std::vector<T> x[3];
      std::vector<const void *> in;
      for (size_t k = 0; k < arity; ++k) {
        x[k] = make_data<T>(count, count * 3 + k, true);
        for (T &v : x[k]) v *= T(9);
        in.push_back(x[k].data());
      }
      std::vector<T> want(count);
      for (size_t i = 0; i < count; ++i) want[i] = arity == 3 ? f(x[0][i], x[1][i], x[2][i]) : f(x[0][i], 0, 0);
      const View v = compact({n}, dtype_of<T>());
      for (const auto &p : plugins()) {
        std::vector<T> y(count);
        ASSERT_EQ(p->run(op, std::vector<View>(arity, v), in, v, y.data(), {float_attr("alpha", 0.25)}), RAYO_OK);
        ASSERT_TRUE(same_bits(y, want)) << op << " " << n << " " << p->name();
      }
    }
  }
}
TEST(Elementwise, ExactOpsAreIeeeF32) { exact_ops<float>(); }
TEST(Elementwise, ExactOpsAreIeeeF64) { exact_ops<double>(); }

template <class T>
void where_takes_bytes() {
  for (int64_t n : {0, 1, 2, 3, 5, 8, 15, 16, 17, 31, 33, 64, 65, 1000, 140000}) {
    for (int64_t step : {1, 3, 0}) {
      const auto count = static_cast<size_t>(n);
      std::vector<uint8_t> condition(count * 3 + 1);
      for (size_t i = 0; i < condition.size(); ++i)
        condition[i] = static_cast<uint8_t>(i % 5 < 2 ? 0 : 1 + i * 37 % 255);
      const auto a = make_data<T>(count, 1, true), b = make_data<T>(count, 2, true);
      std::vector<T> want(count);
      for (size_t i = 0; i < count; ++i) want[i] = condition[i * static_cast<size_t>(step)] != 0 ? a[i] : b[i];
      const View v = compact({n}, dtype_of<T>()), c = {{n}, {step}, RAYO_U8};
      for (const auto &p : plugins()) {
        std::vector<T> y(count);
        ASSERT_EQ(p->run("where", {c, v, v}, {condition.data(), a.data(), b.data()}, v, y.data(), {}, 2), RAYO_OK);
        ASSERT_TRUE(same_bits(y, want)) << n << " step " << step << " " << p->name();
      }
    }
  }
}
TEST(Elementwise, WhereTakesAConditionOfBytes) {
  where_takes_bytes<float>();
  where_takes_bytes<double>();
}

template <class T>
void roots_are_rounded(const std::vector<T> &x) {
  const View v = compact({static_cast<int64_t>(x.size())}, dtype_of<T>());
  for (const auto &p : plugins()) {
    std::vector<T> root(x.size()), inverse(x.size());
    ASSERT_EQ(p->run("sqrt", {v}, {x.data()}, v, root.data()), RAYO_OK);
    ASSERT_EQ(p->run("rsqrt", {v}, {x.data()}, v, inverse.data()), RAYO_OK);
    for (size_t i = 0; i < x.size(); ++i) {
      ASSERT_EQ(root[i], std::sqrt(x[i])) << p->name() << " sqrt of " << std::hexfloat << x[i];
      ASSERT_EQ(inverse[i], T(1) / std::sqrt(x[i])) << p->name() << " rsqrt of " << std::hexfloat << x[i];
    }
  }
}
// Every mantissa, for either parity of the exponent.
TEST(Elementwise, RootsAreRoundedF32) {
  for (const float from : {1.0f, 2.0f, 0x1p-100f, 0x1p126f}) {
    std::vector<float> x(1 << 23);
    for (size_t i = 0; i < x.size(); ++i)
      x[i] = std::ldexp(1.0f + std::ldexp(static_cast<float>(i), -23), std::ilogb(from));
    roots_are_rounded(x);
  }
}
// The numbers of two binades whose roots are nearest to the middle of two numbers: 2^106 x - m^2, m odd, is below 64 in
// size. Their neighbours, and others.
TEST(Elementwise, RootsAreRoundedF64) {
  const double hard[] = {0x1.0000000000001p0, 0x1.0000000000003p0, 0x1.0000000000005p0, 0x1.0000000000007p0,
                         0x1.1ac9955fd90d2p1, 0x1.1dad9cfe3d12ap0, 0x1.256565cadcbf4p0, 0x1.270ac7cec9d2ap0,
                         0x1.283741a1bef08p0, 0x1.2b035c1197f48p0, 0x1.4eb5f85e783a9p1, 0x1.5b95344972fe2p1,
                         0x1.732b9a374ddcep0, 0x1.77483d37ce205p1, 0x1.8444088dbdcb5p1, 0x1.955d8279a3c0fp0,
                         0x1.a881d1831fabdp0, 0x1.ba44c2a0737a2p0, 0x1.d407bb3641da5p0, 0x1.e99893042c2cbp0,
                         0x1.ffffffffffff9p1, 0x1.ffffffffffffbp1, 0x1.ffffffffffffdp1, 0x1.fffffffffffffp1};
  std::vector<double> x;
  for (const double h : hard) {
    for (const int scale : {0, 2, -400, 600}) {
      double y = std::ldexp(h, scale);
      for (int i = 0; i < 5; ++i) y = std::nextafter(y, 0.0);
      for (int i = 0; i < 10; ++i) x.push_back(y = std::nextafter(y, HUGE_VAL));
    }
  }
  for (const double e : make_data<double>(1 << 20, 5))
    x.push_back(std::ldexp(1.0 + std::fabs(e), static_cast<int>(x.size() % 41) - 20));
  for (const double e : {0.0, 0x1p-1074, 0x1p-1022, 0x1p-511, HUGE_VAL, 0x1.fffffffffffffp1023}) x.push_back(e);
  roots_are_rounded(x);
}

// Bounds that are one number for all take ways of their own; every one must give what the formula does.
template <class T>
void clip_by_numbers() {
  constexpr T kInf = std::numeric_limits<T>::infinity(), kNan = std::numeric_limits<T>::quiet_NaN();
  constexpr T kTiny = std::numeric_limits<T>::denorm_min();
  const std::vector<T> special = {T(0), T(-0.0), T(1), T(-1), T(6), kTiny, -kTiny, kInf, -kInf, kNan};
  std::vector<T> x;
  for (int i = 0; i < 5; ++i) x.insert(x.end(), special.begin(), special.end());
  const auto n = static_cast<int64_t>(x.size());
  const View v = compact({n}, dtype_of<T>()), bound = {{n}, {0}, dtype_of<T>()};
  for (const T low : special) {
    for (const T high : special) {
      std::vector<T> want;
      for (const T e : x) want.push_back(ref_min(ref_max(e, low), high));
      for (const auto &p : plugins()) {
        std::vector<T> y(x.size());
        ASSERT_EQ(p->run("clip", {v, bound, bound}, {x.data(), &low, &high}, v, y.data()), RAYO_OK);
        ASSERT_TRUE(same_bits(y, want)) << p->name() << " between " << low << " and " << high;
      }
    }
  }
}
TEST(Elementwise, ClipByNumbersIsTheFormulaF32) { clip_by_numbers<float>(); }
TEST(Elementwise, ClipByNumbersIsTheFormulaF64) { clip_by_numbers<double>(); }

TEST(Elementwise, ClipWithoutABoundDoesNotBindThere) {
  const std::vector<float> x = {-3, -1, 0, 2, NAN, INFINITY, -0.0f};
  const float low = -1, high = 1;
  const View v = compact({7}, RAYO_F32), bound = {{7}, {0}, RAYO_F32}, none = {{}, {}, {RAYO_F32.code, 0, 1}};
  for (const auto &p : plugins()) {
    SCOPED_TRACE(p->name());
    std::vector<float> y(7);
    ASSERT_EQ(p->run("clip", {v, bound}, {x.data(), &low}, v, y.data()), RAYO_OK);
    EXPECT_TRUE(same_bits(y, {-1, -1, 0, 2, NAN, INFINITY, -0.0f}));
    ASSERT_EQ(p->run("clip", {v, none, bound}, {x.data(), nullptr, &high}, v, y.data()), RAYO_OK);
    EXPECT_TRUE(same_bits(y, {-3, -1, 0, 1, NAN, 1, -0.0f}));
    ASSERT_EQ(p->run("clip", {v, bound, bound}, {x.data(), &low, &high}, v, y.data()), RAYO_OK);
    EXPECT_TRUE(same_bits(y, {-1, -1, 0, 1, NAN, 1, -0.0f}));
    ASSERT_EQ(p->run("clip", {v}, {x.data()}, v, y.data()), RAYO_OK);
    EXPECT_TRUE(same_bits(y, x));
    const float nan = NAN;
    ASSERT_EQ(p->run("clip", {v, bound, bound}, {x.data(), &nan, &high}, v, y.data()), RAYO_OK);
    for (float f : y) EXPECT_TRUE(std::isnan(f));
  }
}

template <class T>
T value(const Plugin &p, const std::string &op, std::vector<T> x, const std::vector<Attr> &attrs = {}) {
  T y = 0;
  const View v = compact({1}, dtype_of<T>());
  std::vector<const void *> in;
  for (const T &one : x) in.push_back(&one);
  EXPECT_EQ(p.run(op, std::vector<View>(x.size(), v), in, v, &y, attrs), RAYO_OK);
  return y;
}

TEST(Elementwise, SigmoidNeverFallsBetweenNeighbours) {
  const int64_t n = 1 << 19;
  const View v = compact({n}, RAYO_F32);
  for (const float start : {0.0302f, 0.3f, 0.9f, 1.9f, 5.0f, 17.0f, 80.0f}) {
    for (const float sign : {1.0f, -1.0f}) {
      std::vector<float> x, y(static_cast<size_t>(n));
      for (float f = start; x.size() < y.size(); f = std::nextafter(f, HUGE_VALF)) x.push_back(sign * f);
      for (const auto &p : plugins()) {
        ASSERT_EQ(p->run("sigmoid", {v}, {x.data()}, v, y.data()), RAYO_OK);
        for (size_t i = 1; i < y.size(); ++i) {
          ASSERT_GE(sign * y[i], sign * y[i - 1]) << p->name() << " at " << x[i];
        }
      }
    }
  }
}

/// C's table of special cases.
template <class T>
void pow_of_special_values() {
  const T inf = std::numeric_limits<T>::infinity(), big = T(1) / std::numeric_limits<T>::epsilon();
  const std::vector<T> values = {0,   T(-0.0), 1,      -1,     2,       -2,      3,       -3,      T(0.5), T(-0.5),
                                 inf, -inf,    T(NAN), T(2.5), big - 1, 1 - big, big + 1, 2 * big, -big,   T(1e-30)};
  for (const auto &p : plugins()) {
    for (T x : values) {
      for (T y : values) {
        const T got = value<T>(*p, "pow", {x, y}), want = std::pow(x, y);
        const bool exact = std::isnan(want) || want == 0 || std::isinf(want) || std::fabs(want) == 1;
        if (exact) {
          EXPECT_TRUE(same_bits(got, want)) << x << " ^ " << y << " = " << got << " " << p->name();
        } else {
          EXPECT_LE(std::fabs(got / want - 1), 4 * std::numeric_limits<T>::epsilon()) << x << " ^ " << y;
        }
      }
    }
  }
}
TEST(Elementwise, PowHasCsSpecialCasesF32) { pow_of_special_values<float>(); }
TEST(Elementwise, PowHasCsSpecialCasesF64) { pow_of_special_values<double>(); }

template <class T>
void traps() {
  const T inf = std::numeric_limits<T>::infinity();
  for (const auto &p : plugins()) {
    SCOPED_TRACE(p->name());
    const auto at = [&](const char *op, double x) {
      return value<T>(*p, op, {static_cast<T>(x)}, {float_attr("alpha", 1)});
    };
    EXPECT_EQ(at("round", 8388609), T(8388609));
    EXPECT_EQ(at("round", 2.5), T(2));
    EXPECT_EQ(at("round", -0.5), T(0));
    EXPECT_TRUE(std::signbit(at("round", -0.5)));
    EXPECT_EQ(at("tanh", 1e-40), static_cast<T>(1e-40));
    EXPECT_EQ(at("exp", -1e9), T(0));
    EXPECT_EQ(at("sigmoid", -1e9), T(0));
    EXPECT_EQ(at("sigmoid", 1e9), T(1));
    EXPECT_EQ(at("swish", -inf), T(0));
    EXPECT_EQ(at("gelu", -inf), T(0));
    EXPECT_EQ(at("elu", -inf), T(-1));
    EXPECT_EQ(at("elu", -1e-30), static_cast<T>(-1e-30));
    EXPECT_EQ(at("erf", inf), T(1));
    for (const char *op : {"sin", "cos"}) {
      EXPECT_TRUE(std::isnan(at(op, inf))) << op;
      EXPECT_TRUE(std::isnan(at(op, NAN))) << op;
    }
    EXPECT_TRUE(std::signbit(at("sin", -0.0)));
    EXPECT_FALSE(std::signbit(at("sin", 0.0)));
    // 2^100 is a number like any other: long double's libm reduces it exactly.
    const T want = static_cast<T>(std::sin(0x1p100L));
    EXPECT_NEAR(at("sin", 0x1p100), want, std::fabs(want) * 2 * std::numeric_limits<T>::epsilon());
  }
}
TEST(Elementwise, TrapsMetInOtherLibrariesF32) { traps<float>(); }
TEST(Elementwise, TrapsMetInOtherLibrariesF64) { traps<double>(); }

}  // namespace
}  // namespace rayo_test
