// SPDX-License-Identifier: Apache-2.0
//
// Elementwise ops, softmax and transpose of every plugin: exact ops against IEEE arithmetic in plain C++, all of them
// equal in bits between plugins, layouts, tail lengths and numbers of threads.
#include <algorithm>
#include <cstring>
#include <functional>
#include <map>

#include "cases.h"
#include "reference.h"

namespace rayo_test {
namespace {

TEST(Plugins, AtLeastTheScalarOneIsUnderTest) {
  ASSERT_FALSE(plugins().empty());
  EXPECT_EQ(plugins()[0]->name(), "scalar");
}

template <class T>
const std::map<std::string, std::function<T(T, T)>> kBinary = {{"add", [](T a, T b) { return a + b; }},
                                                               {"sub", [](T a, T b) { return a - b; }},
                                                               {"mul", [](T a, T b) { return a * b; }},
                                                               {"div", [](T a, T b) { return a / b; }},
                                                               {"max", ref_max<T>},
                                                               {"min", ref_min<T>}};

/// Every size from 0 to 70 and some around the loop's and the task's boundaries.
std::vector<int64_t> sizes() {
  std::vector<int64_t> s;
  for (int64_t n = 0; n <= 70; ++n) s.push_back(n);
  for (int64_t n : {127, 128, 255, 511, 512, 513, 4097, 131072, 131073}) s.push_back(n);
  return s;
}

template <class T>
void binary_at_every_size() {
  for (const auto &[op, f] : kBinary<T>) {
    for (int64_t n : sizes()) {
      SCOPED_TRACE(op + " " + std::to_string(n));
      const auto a = make_data<T>(static_cast<size_t>(n), 1, true), b = make_data<T>(static_cast<size_t>(n), 2, true);
      std::vector<T> want(a.size());
      for (size_t i = 0; i < a.size(); ++i) want[i] = f(a[i], b[i]);
      const View v = compact({n}, dtype_of<T>());
      for (const auto &p : plugins()) {
        std::vector<T> y(a.size() + 1, T(-77));
        ASSERT_EQ(p->run(op, {v, v}, {a.data(), b.data()}, v, y.data()), RAYO_OK);
        ASSERT_EQ(y.back(), T(-77)) << p->name() << " wrote past the end";
        y.pop_back();
        ASSERT_TRUE(same_bits(y, want)) << p->name();
      }
    }
  }
}
TEST(Binary, IsIeeeAtEverySizeF32) { binary_at_every_size<float>(); }
TEST(Binary, IsIeeeAtEverySizeF64) { binary_at_every_size<double>(); }

// Beyond some size outputs are written past the caches, in whole vectors: their ends must be right wherever the output
// begins, and a call in place must not be written so before it is read.
TEST(Binary, OutputsBeyondTheCachesAtAnyOffset) {
  const int64_t n = (25 << 20) / 4 + 13;
  const auto count = static_cast<size_t>(n);
  const auto a = make_data<float>(count, 1, false), b = make_data<float>(count, 2, false);
  const View v = compact({n}, RAYO_F32);
  std::vector<float> memory(count + 64);
  for (const auto &p : plugins()) {
    for (const size_t offset : {size_t{0}, size_t{1}, size_t{15}}) {
      for (const uint32_t threads : {1u, 3u}) {
        SCOPED_TRACE(p->name() + " " + std::to_string(offset));
        std::fill(memory.begin(), memory.end(), -77.0f);
        float *y = memory.data() + 16 + offset;
        ASSERT_EQ(p->run("add", {v, v}, {a.data(), b.data()}, v, y, {}, threads), RAYO_OK);
        for (size_t i = 0; i < count; ++i) ASSERT_EQ(y[i], a[i] + b[i]) << i;
        ASSERT_EQ(y[-1], -77.0f);
        ASSERT_EQ(y[count], -77.0f);
        std::copy(a.begin(), a.end(), y);
        ASSERT_EQ(p->run("add", {v, v}, {y, b.data()}, v, y, {}, threads), RAYO_OK);
        for (size_t i = 0; i < count; ++i) ASSERT_EQ(y[i], a[i] + b[i]) << i;
      }
    }
    // From an address that is no multiple of the element's size.
    char *odd = reinterpret_cast<char *>(memory.data()) + 2;
    ASSERT_EQ(p->run("add", {v, v}, {a.data(), b.data()}, v, odd), RAYO_OK);
    for (size_t i = 0; i < count; i += 97) {
      float value;
      std::memcpy(&value, odd + 4 * i, 4);
      ASSERT_EQ(value, a[i] + b[i]) << i;
    }
  }
}

TEST(Binary, MaxAndMinOfAllPairsOfSpecialValues) {
  const float inf = INFINITY;
  const std::vector<float> special = {0.0f, -0.0f, 1.0f, -1.0f, inf, -inf, NAN, -NAN, 1e-45f, -1e-45f, 3e38f};
  std::vector<float> a, b;
  for (float x : special) {
    for (float y : special) {
      a.push_back(x);
      b.push_back(y);
    }
  }
  const View v = compact({static_cast<int64_t>(a.size())}, RAYO_F32);
  for (const auto &[op, f] : kBinary<float>) {
    for (const auto &p : plugins()) {
      std::vector<float> y(a.size()), want(a.size());
      for (size_t i = 0; i < a.size(); ++i) want[i] = f(a[i], b[i]);
      ASSERT_EQ(p->run(op, {v, v}, {a.data(), b.data()}, v, y.data()), RAYO_OK);
      ASSERT_TRUE(same_bits(y, want)) << op << " " << p->name();
    }
  }
}

struct Broadcast {
  std::vector<int64_t> shape, a, b;  // strides of the operands
};

TEST(Binary, BroadcastAndStridedOperands) {
  const std::vector<Broadcast> cases = {
      {{37, 65}, {65, 1}, {0, 1}},          {{37, 65}, {65, 1}, {1, 0}},         {{37, 65}, {65, 1}, {0, 0}},
      {{37, 65}, {0, 0}, {65, 1}},          {{37, 65}, {1, 37}, {65, 1}},        {{37, 65}, {2, 74}, {130, 2}},
      {{5, 6, 7}, {42, 7, 1}, {0, 7, 1}},   {{5, 6, 7}, {1, 5, 30}, {42, 1, 6}}, {{1200, 1100}, {1100, 1}, {0, 1}},
      {{1200, 1100}, {1, 1200}, {1100, 1}}, {{2, 1, 3}, {3, 3, 1}, {0, 0, 1}},   {{3000000}, {1}, {0}}};
  for (size_t k = 0; k < cases.size(); ++k) {
    const Broadcast &c = cases[k];
    SCOPED_TRACE(k);
    size_t n = 1, extent_a = 1, extent_b = 1;
    for (size_t i = 0; i < c.shape.size(); ++i) {
      n *= static_cast<size_t>(c.shape[i]);
      extent_a += static_cast<size_t>((c.shape[i] - 1) * c.a[i]);
      extent_b += static_cast<size_t>((c.shape[i] - 1) * c.b[i]);
    }
    const auto a = make_data<float>(extent_a, k), b = make_data<float>(extent_b, k + 50);
    std::vector<float> want(n);
    for (size_t i = 0; i < n; ++i) {
      size_t rest = i, ia = 0, ib = 0;
      for (size_t x = c.shape.size(); x-- > 0;) {
        const size_t at = rest % static_cast<size_t>(c.shape[x]);
        rest /= static_cast<size_t>(c.shape[x]);
        ia += at * static_cast<size_t>(c.a[x]);
        ib += at * static_cast<size_t>(c.b[x]);
      }
      want[i] = a[ia] - b[ib];
    }
    for (const auto &p : plugins()) {
      for (uint32_t threads : {1u, 2u, 7u}) {
        std::vector<float> y(n);
        ASSERT_EQ(p->run("sub", {{c.shape, c.a, RAYO_F32}, {c.shape, c.b, RAYO_F32}}, {a.data(), b.data()},
                         compact(c.shape, RAYO_F32), y.data(), {}, threads),
                  RAYO_OK);
        ASSERT_TRUE(same_bits(y, want)) << p->name();
      }
    }
  }
}

const std::vector<std::string> kUnary = {"neg", "abs",  "sqrt",    "relu",  "exp",
                                         "log", "tanh", "sigmoid", "swish", "gelu"};

/// An element's bits must not depend on where it stands: one at a time, shifted by an odd byte, in place, strided,
/// threads.
TEST(Unary, BitsDependOnTheElementOnly) {
  const size_t n = 70001;
  auto x = make_data<float>(n, 5, true);
  for (size_t i = 0; i < n; ++i) x[i] *= static_cast<float>(1 + i % 50);
  for (const std::string &op : kUnary) {
    const std::vector<Attr> attrs =
        op == "gelu" ? std::vector<Attr>{string_attr("approximate", "tanh")} : std::vector<Attr>{};
    const View one = compact({1}, RAYO_F32), all = compact({static_cast<int64_t>(n)}, RAYO_F32);
    std::vector<float> want(n);
    ASSERT_EQ(plugins()[0]->run(op, {all}, {x.data()}, all, want.data(), attrs), RAYO_OK);
    for (size_t i = 0; i < 50; ++i) {
      float y = 0;
      ASSERT_EQ(plugins()[0]->run(op, {one}, {&x[i]}, one, &y, attrs), RAYO_OK);
      ASSERT_TRUE(same_bits(y, want[i])) << op;
    }
    for (const auto &p : plugins()) {
      SCOPED_TRACE(op + " " + p->name());
      for (uint32_t threads : {1u, 2u, 7u}) {
        std::vector<float> y(n);
        ASSERT_EQ(p->run(op, {all}, {x.data()}, all, y.data(), attrs, threads), RAYO_OK);
        ASSERT_TRUE(same_bits(y, want)) << threads << " threads";
      }
      std::vector<char> bytes(n * 4 + 8);
      std::memcpy(bytes.data() + 1, x.data(), n * 4);
      ASSERT_EQ(p->run(op, {all}, {bytes.data() + 1}, all, bytes.data() + 1, attrs), RAYO_OK);
      std::vector<float> y(n);
      std::memcpy(y.data(), bytes.data() + 1, n * 4);
      ASSERT_TRUE(same_bits(y, want)) << "in place at an odd address";
      Strided<float> in({static_cast<int64_t>(n)}, {0}, 3, true), out({static_cast<int64_t>(n)}, {0}, 2, false);
      in.fill(x);
      ASSERT_EQ(p->run(op, {in.view}, {in.data()}, out.view, out.data(), attrs), RAYO_OK);
      ASSERT_TRUE(same_bits(out.values(), want)) << "strided";
      ASSERT_TRUE(out.canaries_alive());
    }
  }
}

float value(const std::string &op, float x, const Plugin &p, const std::string &approximate = "none") {
  float y = 0;
  const View v = compact({1}, RAYO_F32);
  EXPECT_EQ(p.run(op, {v}, {&x}, v, &y, {string_attr("approximate", approximate)}), RAYO_OK);
  return y;
}
TEST(Unary, TrapsMetInOtherLibraries) {
  for (const auto &p : plugins()) {
    SCOPED_TRACE(p->name());
    EXPECT_TRUE(std::isnan(value("exp", NAN, *p)));
    EXPECT_EQ(value("exp", INFINITY, *p), INFINITY);
    EXPECT_EQ(value("exp", -INFINITY, *p), 0.0f);
    EXPECT_EQ(value("exp", -103.0f, *p), 0x1p-149f);
    EXPECT_EQ(value("tanh", 1e-40f, *p), 1e-40f);
    EXPECT_TRUE(std::signbit(value("tanh", -0.0f, *p)));
    EXPECT_LE(value("sigmoid", -104.0f, *p), 0x1p-126f);
    EXPECT_GE(value("sigmoid", -104.0f, *p), 0.0f);
    EXPECT_EQ(value("gelu", -INFINITY, *p), 0.0f);
    EXPECT_EQ(value("gelu", -INFINITY, *p, "tanh"), 0.0f);
    EXPECT_EQ(value("swish", -INFINITY, *p), 0.0f);
    EXPECT_EQ(value("log", 0.0f, *p), -INFINITY);
    EXPECT_TRUE(std::isnan(value("log", -1.0f, *p)));
    EXPECT_FALSE(std::signbit(value("relu", -0.0f, *p)));
  }
}

/// The contract's softmax of one sequence, with exp taken from the scalar plugin.
std::vector<float> ref_softmax(const std::vector<float> &x, bool last_axis) {
  float m = -INFINITY;
  for (float v : x) m = ref_max(m, v);
  std::vector<float> e(x.size());
  for (size_t i = 0; i < x.size(); ++i) e[i] = x[i] - m;
  const View v = compact({static_cast<int64_t>(x.size())}, RAYO_F32);
  EXPECT_EQ(plugins()[0]->run("exp", {v}, {e.data()}, v, e.data()), RAYO_OK);
  const float r = 1.0f / (last_axis ? lane_order(Fold::sum, e) : chain_order(Fold::sum, e));
  for (float &y : e) y *= r;
  return e;
}

TEST(Softmax, HasTheContractsBitsOnAnyAxis) {
  struct SoftmaxCase {
    std::vector<int64_t> shape;
    size_t axis;
  };
  const std::vector<SoftmaxCase> cases = {
      {{1}, 0},        {{9}, 0},    {{40000}, 0}, {{70, 33}, 1}, {{70, 33}, 0}, {{3, 5, 7}, 1},  {{300, 700}, 0},
      {{300, 700}, 1}, {{4, 0}, 1}, {{0, 4}, 1},  {{600, 2}, 0}, {{600, 1}, 0}, {{2, 17000}, 1}, {{200, 1, 5}, 1}};
  for (size_t k = 0; k < cases.size(); ++k) {
    SCOPED_TRACE(k);
    const auto &shape = cases[k].shape;
    const size_t axis = cases[k].axis;
    std::vector<int> forward, backward;
    size_t n = 1, inner = 1;
    for (size_t i = 0; i < shape.size(); ++i) {
      forward.push_back(static_cast<int>(i));
      backward.insert(backward.begin(), static_cast<int>(i));
      n *= static_cast<size_t>(shape[i]);
      if (i > axis) inner *= static_cast<size_t>(shape[i]);
    }
    auto x = make_data<float>(n, k);
    for (float &v : x) v *= 20;
    const auto length = static_cast<size_t>(shape[axis]);
    std::vector<float> want(n);
    for (size_t s = 0; length != 0 && s < n / length; ++s) {
      const size_t base = s / inner * inner * length + s % inner;
      std::vector<float> sequence(length);
      for (size_t i = 0; i < length; ++i) sequence[i] = x[base + i * inner];
      const auto y = ref_softmax(sequence, axis + 1 == shape.size());
      for (size_t i = 0; i < length; ++i) want[base + i * inner] = y[i];
    }
    for (const auto &p : plugins()) {
      for (int64_t gap : {1, 2}) {
        for (uint32_t threads : {1u, 2u, 7u}) {
          Strided<float> in(shape, gap == 1 ? forward : backward, gap, gap == 2), out(shape, forward, gap, false);
          in.fill(x);
          ASSERT_EQ(p->run("softmax", {in.view}, {in.data()}, out.view, out.data(),
                           {int_attr("axis", {static_cast<int64_t>(axis)})}, threads),
                    RAYO_OK);
          ASSERT_TRUE(same_bits(out.values(), want)) << p->name() << " gap " << gap;
          ASSERT_TRUE(out.canaries_alive());
        }
      }
      Strided<float> in(shape, forward, 1, false);
      in.fill(x);
      ASSERT_EQ(p->run("softmax", {in.view}, {in.data()}, in.view, in.data(),
                       {int_attr("axis", {static_cast<int64_t>(axis)})}),
                RAYO_OK);
      ASSERT_TRUE(same_bits(in.values(), want)) << p->name() << " in place";
    }
  }
}

template <class T>
void check_transpose(const std::vector<int64_t> &shape, const std::vector<int64_t> &perm, int64_t gap) {
  std::vector<int> forward;
  std::vector<int64_t> to;
  for (size_t i = 0; i < shape.size(); ++i) forward.push_back(static_cast<int>(i));
  for (size_t i = 0; i < shape.size(); ++i) {
    to.push_back(shape[perm.empty() ? shape.size() - 1 - i : static_cast<size_t>(perm[i])]);
  }
  Strided<T> in(shape, forward, gap, gap != 1);
  const auto x = make_data<T>(in.count(), 3);
  in.fill(x);
  for (const auto &p : plugins()) {
    Strided<T> out(to, forward, gap, false);
    ASSERT_EQ(p->run("transpose", {in.view}, {in.data()}, out.view, out.data(), {int_attr("perm", perm)}, 2), RAYO_OK);
    for (size_t i = 0; i < x.size(); ++i) {
      std::vector<size_t> index(shape.size());
      size_t rest = i;
      for (size_t a = shape.size(); a-- > 0;) {
        index[a] = rest % static_cast<size_t>(shape[a]);
        rest /= static_cast<size_t>(shape[a]);
      }
      size_t o = 0;
      for (size_t a = 0; a < shape.size(); ++a) {
        o = o * static_cast<size_t>(to[a]) + index[perm.empty() ? shape.size() - 1 - a : static_cast<size_t>(perm[a])];
      }
      ASSERT_TRUE(same_bits(out.at(o), x[i])) << p->name();
    }
    ASSERT_TRUE(out.canaries_alive());
  }
}
TEST(Transpose, MovesEveryElementForAnyPermutation) {
  for (int64_t gap : {1, 2}) {
    check_transpose<float>({}, {}, 1);
    check_transpose<float>({9}, {}, gap);
    check_transpose<float>({37, 65}, {}, gap);
    check_transpose<double>({37, 65}, {1, 0}, gap);
    check_transpose<float>({1030, 1025}, {}, gap);
    check_transpose<float>({4, 0}, {}, gap);
    for (const std::vector<int64_t> &perm :
         {std::vector<int64_t>{0, 2, 1}, {1, 0, 2}, {2, 0, 1}, {2, 1, 0}, {1, 2, 0}}) {
      check_transpose<float>({9, 33, 18}, perm, gap);
      check_transpose<double>({9, 33, 18}, perm, gap);
    }
    check_transpose<float>({3, 4, 1, 5, 8}, {4, 0, 3, 2, 1}, gap);
  }
}

}  // namespace
}  // namespace rayo_test
