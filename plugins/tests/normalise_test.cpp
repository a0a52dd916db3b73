// SPDX-License-Identifier: Apache-2.0
//
// softmax, log_softmax, layer_norm and rms_norm of every plugin against the plainly written contract, bit by bit; that
// a row alone has the bits it has in a batch. exp and log come from the
// plugin's own elementwise kernels, which other tests judge.
#include <algorithm>

#include "cases.h"
#include "reference.h"

namespace rayo_test {
namespace {

template <class T>
std::vector<T> mapped(const std::string &op, std::vector<T> x) {
  const View v = compact({static_cast<int64_t>(x.size())}, dtype_of<T>());
  EXPECT_EQ(plugins()[0]->run(op, {v}, {x.data()}, v, x.data()), RAYO_OK);
  return x;
}

/// softmax or log_softmax of one sequence.
template <class T>
std::vector<T> ref_softmax(bool log, const std::vector<T> &x, bool last_axis) {
  T m = -std::numeric_limits<T>::infinity();
  for (T v : x) m = ref_max(m, v);
  std::vector<T> d(x.size());
  for (size_t i = 0; i < x.size(); ++i) d[i] = x[i] - m;
  const std::vector<T> e = mapped("exp", d);
  const T s = last_axis ? lane_order(Fold::sum, e) : chain_order(Fold::sum, e);
  std::vector<T> y(x.size());
  const T l = mapped("log", std::vector<T>{s})[0];
  for (size_t i = 0; i < x.size(); ++i) y[i] = log ? d[i] - l : e[i] * (T(1) / s);
  return y;
}

std::vector<int> axes_forward(size_t n) {
  std::vector<int> order(n);
  for (size_t i = 0; i < n; ++i) order[i] = static_cast<int>(i);
  return order;
}
std::vector<int> axes_backward(size_t n) {
  std::vector<int> order = axes_forward(n);
  std::reverse(order.begin(), order.end());
  return order;
}
size_t product(const std::vector<int64_t> &shape, size_t from = 0) {
  size_t n = 1;
  for (size_t i = from; i < shape.size(); ++i) n *= static_cast<size_t>(shape[i]);
  return n;
}

struct SoftmaxCase {
  std::vector<int64_t> shape;
  size_t axis;
};
const std::vector<SoftmaxCase> kSoftmaxCases = {
    {{1}, 0},        {{9}, 0},         {{40000}, 0}, {{70, 33}, 1}, {{70, 33}, 0},      {{3, 5, 7}, 1},
    {{300, 700}, 0}, {{300, 700}, 1},  {{4, 0}, 1},  {{0, 4}, 1},   {{600, 2}, 0},      {{600, 1}, 0},
    {{2, 17000}, 1}, {{200, 1, 5}, 1}, {{511}, 0},   {{512}, 0},    {{3, 2, 100001}, 2}};

template <class T>
std::vector<T> softmax_of(bool log, const SoftmaxCase &c, const std::vector<T> &x) {
  const size_t n = x.size(), inner = product(c.shape, c.axis + 1);
  const auto length = static_cast<size_t>(c.shape[c.axis]);
  std::vector<T> want(n);
  for (size_t s = 0; length != 0 && s < n / length; ++s) {
    const size_t base = s / inner * inner * length + s % inner;
    std::vector<T> sequence(length);
    for (size_t i = 0; i < length; ++i) sequence[i] = x[base + i * inner];
    const auto y = ref_softmax(log, sequence, c.axis + 1 == c.shape.size());
    for (size_t i = 0; i < length; ++i) want[base + i * inner] = y[i];
  }
  return want;
}

template <class T>
void check_softmax(const std::string &op) {
  for (size_t k = 0; k < kSoftmaxCases.size(); ++k) {
    SCOPED_TRACE(op + " case " + std::to_string(k));
    const SoftmaxCase &c = kSoftmaxCases[k];
    const auto forward = axes_forward(c.shape.size());
    auto x = make_data<T>(product(c.shape), k);
    for (T &v : x) v *= 20;
    const std::vector<T> want = softmax_of(op == "log_softmax", c, x);
    const std::vector<Attr> attrs = {int_attr("axis", {static_cast<int64_t>(c.axis)})};
    for (const auto &p : plugins()) {
      for (int64_t gap : {1, 2}) {
        for (uint32_t threads : {1u, 2u, 7u}) {
          Strided<T> in(c.shape, gap == 1 ? forward : axes_backward(c.shape.size()), gap, gap == 2);
          Strided<T> out(c.shape, forward, gap, false);
          in.fill(x);
          ASSERT_EQ(p->run(op, {in.view}, {in.data()}, out.view, out.data(), attrs, threads), RAYO_OK);
          ASSERT_TRUE(same_bits(out.values(), want)) << p->name() << " gap " << gap << " threads " << threads;
          ASSERT_TRUE(out.canaries_alive());
        }
      }
      Strided<T> in(c.shape, forward, 1, false);
      in.fill(x);
      ASSERT_EQ(p->run(op, {in.view}, {in.data()}, in.view, in.data(), attrs), RAYO_OK);
      ASSERT_TRUE(same_bits(in.values(), want)) << p->name() << " in place";
    }
  }
}
TEST(Softmax, HasTheContractsBitsF32) { check_softmax<float>("softmax"); }
TEST(Softmax, HasTheContractsBitsF64) { check_softmax<double>("softmax"); }
TEST(LogSoftmax, HasTheContractsBitsF32) { check_softmax<float>("log_softmax"); }
TEST(LogSoftmax, HasTheContractsBitsF64) { check_softmax<double>("log_softmax"); }

// ---- layer_norm and rms_norm ----

struct NormCase {
  std::vector<int64_t> shape;
  size_t axis;
  std::vector<int64_t> scale, bias;  // shapes
};
const std::vector<NormCase> kNormCases = {{{1}, 0, {1}, {1}},           {{7}, 0, {7}, {7}},
                                          {{5, 65}, 1, {65}, {65}},     {{5, 65}, 0, {5, 65}, {65}},
                                          {{300, 513}, 1, {1}, {}},     {{4, 3, 70, 5}, 2, {70, 1}, {5}},
                                          {{4, 3, 70, 5}, 3, {5}, {1}}, {{2, 20000}, 1, {20000}, {20000}},
                                          {{0, 4}, 1, {4}, {4}},        {{4, 0}, 1, {0}, {0}},
                                          {{6, 1}, 1, {1}, {1}},        {{3, 511}, 1, {511}, {511}},
                                          {{3, 512}, 1, {512}, {512}}};

/// Element i of the normalised axes in a parameter broadcast to them.
template <class T>
T parameter_at(const NormCase &c, const std::vector<int64_t> &shape, const std::vector<T> &values, size_t i) {
  size_t index = 0, step = 1;
  for (size_t a = 0; a < c.shape.size() - c.axis; ++a) {
    const auto extent = static_cast<size_t>(c.shape[c.shape.size() - 1 - a]);
    if (a < shape.size()) {
      const auto own = static_cast<size_t>(shape[shape.size() - 1 - a]);
      if (own != 1) index += (i % extent) * step;
      step *= own;
    }
    i /= extent;
  }
  return values[index];
}

enum class Kind { layer, layer_without_bias, rms };

template <class T>
std::vector<T> norm_of(Kind kind, const NormCase &c, const std::vector<T> &x, const std::vector<T> &scale,
                       const std::vector<T> &bias, double epsilon) {
  const size_t length = product(c.shape, c.axis);
  std::vector<T> want(x.size());
  for (size_t base = 0; length != 0 && base < x.size(); base += length) {
    const std::vector<T> row(x.begin() + static_cast<long>(base), x.begin() + static_cast<long>(base + length));
    const T mean = ref_mean(true, row);
    const T v = kind == Kind::rms ? ref_sum_squares(true, row) / static_cast<T>(length) : ref_variance(true, row, 0);
    const T r = T(1) / std::sqrt(v + static_cast<T>(epsilon));
    for (size_t i = 0; i < length; ++i) {
      const T h = (kind == Kind::rms ? row[i] : row[i] - mean) * r, g = parameter_at(c, c.scale, scale, i);
      want[base + i] = kind == Kind::layer ? std::fma(h, g, parameter_at(c, c.bias, bias, i)) : h * g;
    }
  }
  return want;
}

template <class T>
void check_norm(Kind kind) {
  const std::string op = kind == Kind::rms ? "rms_norm" : "layer_norm";
  for (size_t k = 0; k < kNormCases.size(); ++k) {
    SCOPED_TRACE(op + " case " + std::to_string(k));
    const NormCase &c = kNormCases[k];
    const double epsilon = k % 2 == 0 ? 1e-5 : 1e-3;
    const auto x = make_data<T>(product(c.shape), k + 1);
    const auto scale = make_data<T>(product(c.scale), k + 50), bias = make_data<T>(product(c.bias), k + 90);
    const std::vector<T> want = norm_of(kind, c, x, scale, bias, epsilon);
    const auto forward = axes_forward(c.shape.size());
    const std::vector<Attr> attrs = {int_attr("axis", {static_cast<int64_t>(c.axis)}), float_attr("epsilon", epsilon)};
    for (int64_t gap : {1, 3}) {
      Strided<T> in(c.shape, gap == 1 ? forward : axes_backward(c.shape.size()), gap, gap != 1);
      Strided<T> g(c.scale, axes_forward(c.scale.size()), gap, gap != 1);
      Strided<T> b(c.bias, axes_forward(c.bias.size()), gap, gap != 1);
      in.fill(x);
      g.fill(scale);
      b.fill(bias);
      std::vector<View> views = {in.view, g.view};
      std::vector<const void *> data = {in.data(), g.data()};
      if (kind == Kind::layer) {
        views.push_back(b.view);
        data.push_back(b.data());
      }
      for (const auto &p : plugins()) {
        for (uint32_t threads : {1u, 2u, 7u}) {
          Strided<T> out(c.shape, forward, gap, false);
          ASSERT_EQ(p->run(op, views, data, out.view, out.data(), attrs, threads), RAYO_OK);
          ASSERT_TRUE(same_bits(out.values(), want)) << p->name() << " gap " << gap << " threads " << threads;
          ASSERT_TRUE(out.canaries_alive());
        }
        Strided<T> same = in;
        data[0] = same.data();
        ASSERT_EQ(p->run(op, views, data, same.view, same.data(), attrs), RAYO_OK);
        ASSERT_TRUE(same_bits(same.values(), want)) << p->name() << " in place";
        data[0] = in.data();
      }
    }
  }
}
TEST(LayerNorm, HasTheContractsBits) {
  check_norm<float>(Kind::layer);
  check_norm<double>(Kind::layer);
}
TEST(LayerNorm, WithoutBiasHasTheContractsBits) {
  check_norm<float>(Kind::layer_without_bias);
  check_norm<double>(Kind::layer_without_bias);
}
TEST(RmsNorm, HasTheContractsBits) {
  check_norm<float>(Kind::rms);
  check_norm<double>(Kind::rms);
}

// ---- Batch invariance ----

/// Every row of a batch computed alone, with the batch's strides and without.
template <class T>
void check_rows_alone(const std::string &op, int64_t rows, int64_t length) {
  const auto x = make_data<T>(static_cast<size_t>(rows * length), 3), g = make_data<T>(static_cast<size_t>(length), 4);
  const View batch = compact({rows, length}, dtype_of<T>()), one = compact({1, length}, dtype_of<T>());
  const View row = compact({length}, dtype_of<T>());
  const bool norm = op == "layer_norm" || op == "rms_norm";
  const auto run = [&](const Plugin &p, const View &v, const T *in, T *out, int64_t axis, uint32_t threads) {
    const std::vector<Attr> attrs = {int_attr("axis", {axis}), float_attr("epsilon", 1e-5)};
    return norm ? p.run(op, {v, row}, {in, g.data()}, v, out, attrs, threads)
                : p.run(op, {v}, {in}, v, out, attrs, threads);
  };
  for (const auto &p : plugins()) {
    std::vector<T> all(x.size());
    ASSERT_EQ(run(*p, batch, x.data(), all.data(), 1, 7), RAYO_OK);
    for (int64_t r = 0; r < rows; ++r) {
      std::vector<T> alone(static_cast<size_t>(length)), want(all.begin() + r * length, all.begin() + (r + 1) * length);
      ASSERT_EQ(run(*p, row, x.data() + r * length, alone.data(), 0, 2), RAYO_OK);
      ASSERT_TRUE(same_bits(alone, want)) << op << " row " << r << " of " << rows << ", " << p->name();
      ASSERT_EQ(run(*p, one, x.data() + r * length, alone.data(), 1, 1), RAYO_OK);
      ASSERT_TRUE(same_bits(alone, want)) << op << " row " << r << " of " << rows << " as 1 x n, " << p->name();
    }
  }
}
void check_batches(const std::string &op) {
  for (auto [rows, length] : {std::pair<int64_t, int64_t>{37, 65}, {5, 511}, {20, 20000}, {3, 40000}}) {
    check_rows_alone<float>(op, rows, length);
    check_rows_alone<double>(op, rows, length);
  }
}
TEST(BatchInvariance, SoftmaxRowAloneHasTheBatchsBits) { check_batches("softmax"); }
TEST(BatchInvariance, LogSoftmaxRowAloneHasTheBatchsBits) { check_batches("log_softmax"); }
TEST(BatchInvariance, LayerNormRowAloneHasTheBatchsBits) { check_batches("layer_norm"); }
TEST(BatchInvariance, RmsNormRowAloneHasTheBatchsBits) { check_batches("rms_norm"); }

}  // namespace
}  // namespace rayo_test
