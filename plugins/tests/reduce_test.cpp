// SPDX-License-Identifier: Apache-2.0
//
// Reductions, argmax and dot of every plugin against the plainly written contract, bit by bit, over axes, layouts and
// numbers of threads.
#include "cases.h"
#include "reference.h"

namespace rayo_test {
namespace {

struct Case {
  std::vector<int64_t> shape;
  std::vector<int64_t> axes;
};
const std::vector<Case> kCases = {{{0}, {0}},
                                  {{1}, {0}},
                                  {{7}, {0}},
                                  {{63}, {0}},
                                  {{65}, {0}},
                                  {{1000}, {0}},
                                  {{16384}, {0}},
                                  {{16385}, {0}},
                                  {{3000001}, {0}},
                                  {{5, 3}, {1}},
                                  {{5, 3}, {0}},
                                  {{5, 3}, {0, 1}},
                                  {{300, 513}, {0}},
                                  {{300, 513}, {1}},
                                  {{3, 70, 5}, {1}},
                                  {{3, 70, 5}, {0, 2}},
                                  {{3, 70, 5}, {0, 1}},
                                  {{2000, 700}, {0}},
                                  {{2000, 700}, {1}},
                                  {{40000, 3}, {0}},
                                  {{70000, 1}, {0}},
                                  {{1, 70000}, {1}},
                                  {{4, 0, 3}, {1}},
                                  {{4, 0, 3}, {0}},
                                  {{0, 4}, {1}},
                                  {{17, 1, 9}, {1}},
                                  {{6, 5, 4, 3}, {1, 3}},
                                  {{6, 5, 4, 3}, {0, 2}}};

/// Calls visit(output index, row-major sequence of the elements reduced into it).
template <class T, class Visit>
void for_outputs(const Case &c, const std::vector<T> &x, Visit visit) {
  const size_t nd = c.shape.size();
  std::vector<char> reduced(nd, 0);
  for (int64_t a : c.axes) reduced[static_cast<size_t>(a)] = 1;
  size_t outputs = 1;
  for (size_t i = 0; i < nd; ++i) outputs *= reduced[i] != 0 ? 1 : static_cast<size_t>(c.shape[i]);
  std::vector<std::vector<T>> sequences(outputs);
  for (size_t i = 0; i < x.size(); ++i) {
    size_t rest = i, out = 0, step = 1;
    for (size_t a = nd; a-- > 0;) {
      const auto extent = static_cast<size_t>(c.shape[a]);
      if (reduced[a] == 0) {
        out += (rest % extent) * step;
        step *= extent;
      }
      rest /= extent;
    }
    sequences[out].push_back(x[i]);
  }
  for (size_t o = 0; o < outputs; ++o) visit(o, sequences[o]);
}

std::vector<int64_t> output_shape(const Case &c, bool keepdims) {
  std::vector<int64_t> shape;
  for (size_t i = 0; i < c.shape.size(); ++i) {
    const bool reduced = std::find(c.axes.begin(), c.axes.end(), static_cast<int64_t>(i)) != c.axes.end();
    if (!reduced) shape.push_back(c.shape[i]);
    if (reduced && keepdims) shape.push_back(1);
  }
  return shape;
}

std::vector<int> forward(size_t n) {
  std::vector<int> order(n);
  for (size_t i = 0; i < n; ++i) order[i] = static_cast<int>(i);
  return order;
}
std::vector<int> backward(size_t n) {
  std::vector<int> order = forward(n);
  std::reverse(order.begin(), order.end());
  return order;
}

/// Of every variance here: the sample's.
constexpr int64_t kCorrection = 1;

template <class T>
T expected_of(const std::string &op, bool lanes, const std::vector<T> &x) {
  if (op == "reduce_mean") return ref_mean(lanes, x);
  if (op == "reduce_l1") return ref_l1(lanes, x);
  if (op == "reduce_l2") return std::sqrt(ref_sum_squares(lanes, x));
  if (op == "variance") return ref_variance(lanes, x, kCorrection);
  const Fold f = op == "reduce_max" ? Fold::max : (op == "reduce_min" ? Fold::min : Fold::sum);
  return lanes ? lane_order(f, x) : chain_order(f, x);
}

template <class T>
std::vector<T> expected(const std::string &op, const Case &c, const std::vector<T> &x) {
  const bool lanes = std::find(c.axes.begin(), c.axes.end(), static_cast<int64_t>(c.shape.size()) - 1) != c.axes.end();
  std::vector<T> y;
  for_outputs(c, x, [&](size_t, const std::vector<T> &sequence) { y.push_back(expected_of(op, lanes, sequence)); });
  return y;
}

template <class T>
void check_layout(const std::string &op, const Case &c, const std::vector<T> &x, const std::vector<T> &want,
                  const std::vector<int> &order, int64_t gap, bool flip) {
  Strided<T> in(c.shape, order, gap, flip);
  in.fill(x);
  const bool keepdims = gap == 1;
  const std::vector<int64_t> shape = output_shape(c, keepdims);
  for (const auto &plugin : plugins()) {
    for (uint32_t threads : {1u, 2u, 7u}) {
      Strided<T> out(shape, forward(shape.size()), gap, flip);
      ASSERT_EQ(plugin->run(op, {in.view}, {in.data()}, out.view, out.data(),
                            {int_attr("axes", c.axes), int_attr("keepdims", {keepdims ? 1 : 0}),
                             int_attr("correction", {kCorrection})},
                            threads),
                RAYO_OK);
      ASSERT_TRUE(same_bits(out.values(), want)) << plugin->name() << ", " << threads << " threads";
      ASSERT_TRUE(out.canaries_alive()) << plugin->name();
    }
  }
}

template <class T>
void check(const std::string &op) {
  for (size_t k = 0; k < kCases.size(); ++k) {
    const Case &c = kCases[k];
    SCOPED_TRACE(op + " case " + std::to_string(k));
    size_t n = 1;
    for (int64_t e : c.shape) n *= static_cast<size_t>(e);
    const bool specials = op == "reduce_max" || op == "reduce_min";
    const std::vector<T> x = make_data<T>(n, k + 1, specials && k % 2 == 0);
    const std::vector<T> want = expected(op, c, x);
    check_layout(op, c, x, want, forward(c.shape.size()), 1, false);
    if (n > 100000) continue;
    check_layout(op, c, x, want, forward(c.shape.size()), 2, true);
    check_layout(op, c, x, want, backward(c.shape.size()), 1, false);
  }
}

TEST(Reduce, SumHasTheContractsBits) {
  check<float>("reduce_sum");
  check<double>("reduce_sum");
}
TEST(Reduce, MeanHasTheContractsBits) {
  check<float>("reduce_mean");
  check<double>("reduce_mean");
}
TEST(Reduce, MaxPropagatesNanAndOrdersZeros) {
  check<float>("reduce_max");
  check<double>("reduce_max");
}
TEST(Reduce, L1HasTheContractsBits) {
  check<float>("reduce_l1");
  check<double>("reduce_l1");
}
TEST(Reduce, L2HasTheContractsBits) {
  check<float>("reduce_l2");
  check<double>("reduce_l2");
}
TEST(Reduce, VarianceHasTheContractsBits) {
  check<float>("variance");
  check<double>("variance");
}
TEST(Reduce, MinPropagatesNanAndOrdersZeros) {
  check<float>("reduce_min");
  check<double>("reduce_min");
}

template <class T>
void check_arg(const std::string &op, bool last) {
  for (size_t k = 0; k < kCases.size(); ++k) {
    const Case &c = kCases[k];
    size_t n = 1;
    for (int64_t e : c.shape) n *= static_cast<size_t>(e);
    if (c.axes.size() != 1 || c.shape[static_cast<size_t>(c.axes[0])] == 0) continue;
    SCOPED_TRACE(op + " case " + std::to_string(k));
    std::vector<T> x = make_data<T>(n, k + 100, k % 2 == 0);
    for (T &v : x) {
      if (!std::isnan(v) && !std::isinf(v)) v = std::round(v * 100);  // ties
    }
    std::vector<int64_t> want;
    for_outputs(c, x, [&](size_t, const std::vector<T> &s) {
      size_t best = 0;
      for (size_t i = 1; i < s.size(); ++i) {
        const bool nan = std::isnan(s[i]), best_nan = std::isnan(s[best]);
        const bool equal = nan ? best_nan : s[i] == s[best];
        const bool beyond = nan ? !best_nan : (op == "argmax" ? s[i] > s[best] : s[i] < s[best]);
        if (beyond || (equal && last)) best = i;
      }
      want.push_back(static_cast<int64_t>(best));
    });
    for (int64_t gap : {1, 3}) {
      Strided<T> in(c.shape, gap == 1 ? forward(c.shape.size()) : backward(c.shape.size()), gap, gap != 1);
      in.fill(x);
      const auto shape = output_shape(c, true);
      for (const auto &plugin : plugins()) {
        Strided<int64_t> out(shape, forward(shape.size()), gap, false);
        ASSERT_EQ(plugin->run(
                      op, {in.view}, {in.data()}, out.view, out.data(),
                      {int_attr("axis", c.axes), int_attr("keepdims", {1}), int_attr("select_last_index", {last})}, 2),
                  RAYO_OK);
        ASSERT_EQ(out.values(), want) << plugin->name();
        ASSERT_TRUE(out.canaries_alive());
      }
    }
  }
}
TEST(Argmax, FirstNanOrFirstMaximumWins) {
  check_arg<float>("argmax", false);
  check_arg<double>("argmax", false);
}
TEST(Argmax, SelectLastIndexTakesTheLastOfEquals) {
  check_arg<float>("argmax", true);
  check_arg<double>("argmax", true);
}
TEST(Argmin, FirstNanOrFirstMinimumWins) {
  check_arg<float>("argmin", false);
  check_arg<double>("argmin", false);
}
TEST(Argmin, SelectLastIndexTakesTheLastOfEquals) {
  check_arg<float>("argmin", true);
  check_arg<double>("argmin", true);
}

template <class T>
void check_dot() {
  for (int64_t n : {0, 1, 5, 31, 33, 64, 257, 8192, 16385, 100003, 3000001}) {
    SCOPED_TRACE(n);
    const auto a = make_data<T>(static_cast<size_t>(n), 7), b = make_data<T>(static_cast<size_t>(n), 8);
    const T want = lane_order<T>(Fold::sum, a.size(), [&](T lane, size_t i) { return std::fma(a[i], b[i], lane); });
    for (int64_t gap : {1, 2}) {
      Strided<T> u({n}, {0}, 1, false), v({n}, {0}, gap, gap != 1);
      u.fill(a);
      v.fill(b);
      for (const auto &plugin : plugins()) {
        for (uint32_t threads : {1u, 2u, 7u}) {
          T got = T(-1);
          ASSERT_EQ(
              plugin->run("dot", {u.view, v.view}, {u.data(), v.data()}, compact({}, dtype_of<T>()), &got, {}, threads),
              RAYO_OK);
          ASSERT_TRUE(same_bits(got, want)) << plugin->name() << " " << got << " " << want;
        }
      }
    }
  }
}
TEST(Dot, HasTheContractsBits) {
  check_dot<float>();
  check_dot<double>();
}

/// Products that underflow leave -0 in a lane. What is filled in beside them decides the sign of the result.
template <class T>
void check_zero_sign() {
  const T tiny = std::numeric_limits<T>::denorm_min();
  const auto block = static_cast<int64_t>(65536 / sizeof(T));
  bool negative = false, positive = false;
  for (int64_t n : {int64_t{1}, int64_t{15}, int64_t{16}, int64_t{31}, int64_t{32}, int64_t{33}, int64_t{63},
                    int64_t{64}, int64_t{65}, int64_t{127}, int64_t{128}, block, block + 1, block + 64}) {
    const std::vector<T> a(static_cast<size_t>(n), tiny), b(static_cast<size_t>(n), -tiny);
    const T want = lane_order<T>(Fold::sum, a.size(), [&](T lane, size_t i) { return std::fma(a[i], b[i], lane); });
    (std::signbit(want) ? negative : positive) = true;
    const View v = compact({n}, dtype_of<T>());
    for (const auto &plugin : plugins()) {
      T got = T(-1);
      ASSERT_EQ(plugin->run("dot", {v, v}, {a.data(), b.data()}, compact({}, dtype_of<T>()), &got), RAYO_OK);
      ASSERT_TRUE(same_bits(got, want)) << plugin->name() << ", " << n << " products: got " << got << ", want " << want;
    }
  }
  EXPECT_TRUE(negative && positive) << "the sizes must show both signs";
}
TEST(Dot, UnderflownProductsGiveTheContractsSignOfZero) {
  check_zero_sign<float>();
  check_zero_sign<double>();
}
TEST(Dot, SixtyFiveUnderflownProductsSumToPlusZero) {
  const std::vector<float> a(65, 1e-30f), b(65, -1e-30f);
  for (const auto &plugin : plugins()) {
    float got = -1;
    ASSERT_EQ(plugin->run("dot", {compact({65}, RAYO_F32), compact({65}, RAYO_F32)}, {a.data(), b.data()},
                          compact({}, RAYO_F32), &got),
              RAYO_OK);
    EXPECT_TRUE(got == 0 && !std::signbit(got)) << plugin->name();
  }
}

}  // namespace
}  // namespace rayo_test
