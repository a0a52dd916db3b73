// SPDX-License-Identifier: Apache-2.0
//
// quantize_linear and dequantize_linear of every plugin against the definition in exact arithmetic: every type, layout,
// axis and number of threads, halves, infinities and NaN.
#include <algorithm>

#include "cases.h"

namespace rayo_test {

template <>
inline DLDataType dtype_of<uint8_t>() {
  return RAYO_U8;
}
template <>
inline DLDataType dtype_of<int8_t>() {
  return RAYO_I8;
}

namespace {

/// The nearest integer, halves to even, by comparing distances; |x| < 2^31.
double nearest_even(double x) {
  const double below = std::floor(x);
  const double up = x - below;  // exact: x is an f32 here
  if (up < 0.5) return below;
  if (up > 0.5) return below + 1;
  return std::fmod(below, 2.0) == 0 ? below : below + 1;
}

template <class Q>
Q ref_quantize(float x, float scale, Q zero) {
  const double low = std::numeric_limits<Q>::min(), high = std::numeric_limits<Q>::max();
  const float q = x / scale;
  if (std::isnan(q)) return zero;
  if (std::fabs(q) > 1e6f) return static_cast<Q>(q > 0 ? high : low);
  return static_cast<Q>(std::min(high, std::max(low, nearest_even(static_cast<double>(q)) + zero)));
}
template <class Q>
float ref_dequantize(Q x, float scale, Q zero) {
  return static_cast<float>(static_cast<int>(x) - static_cast<int>(zero)) * scale;
}

/// axis < 0: one scale for the tensor.
struct Case {
  std::vector<int64_t> shape;
  int64_t axis;
};
const std::vector<Case> kCases = {{{}, -1},        {{0}, -1},      {{1}, 0},       {{511}, -1},    {{512}, -1},
                                  {{700, 3}, 1},   {{700, 3}, 0},  {{5, 1025}, 1}, {{5, 1025}, 0}, {{3, 40, 7}, 1},
                                  {{3, 40, 7}, 2}, {{4, 0, 3}, 0}, {{800, 700}, 1}};

std::vector<int> order_of(size_t n, bool backwards) {
  std::vector<int> order(n);
  for (size_t i = 0; i < n; ++i) order[i] = static_cast<int>(backwards ? n - 1 - i : i);
  return order;
}

/// Index along the axis of the row-major element i.
size_t along(const Case &c, size_t i) {
  if (c.axis < 0) return 0;
  for (size_t a = c.shape.size(); a-- > static_cast<size_t>(c.axis) + 1;) i /= static_cast<size_t>(c.shape[a]);
  return i % static_cast<size_t>(c.shape[static_cast<size_t>(c.axis)]);
}

template <class T>
std::vector<T> make_bytes(size_t n, uint64_t seed) {
  std::vector<T> x;
  for (float v : make_data<float>(n, seed))
    x.push_back(static_cast<T>(static_cast<int>(v * 128) + (T(-1) > T(0) ? 128 : 0)));
  return x;
}

/// in -> out along both directions; Want(i) computes element i.
template <class In, class Out, class Q, class Ref>
void check_case(const std::string &op, const Case &c, const std::vector<In> &x, bool with_zero, Ref ref) {
  const size_t params = c.axis < 0 ? 1 : static_cast<size_t>(c.shape[static_cast<size_t>(c.axis)]);
  std::vector<float> scale = make_data<float>(params, 9);
  for (float &s : scale) s = std::fabs(s) * 0.05f + 0.01f;
  const std::vector<Q> zero = with_zero ? make_bytes<Q>(params, 11) : std::vector<Q>(params, Q(0));
  std::vector<Out> want(x.size());
  for (size_t i = 0; i < x.size(); ++i) want[i] = ref(x[i], scale[along(c, i)], zero[along(c, i)]);
  const std::vector<int64_t> parameter =
      c.axis < 0 ? std::vector<int64_t>{} : std::vector<int64_t>{c.shape[static_cast<size_t>(c.axis)]};
  for (int64_t gap : {1, 3}) {
    Strided<In> in(c.shape, order_of(c.shape.size(), gap != 1), gap, gap != 1);
    Strided<float> s(parameter, order_of(parameter.size(), false), gap, gap != 1);
    Strided<Q> z(parameter, order_of(parameter.size(), false), gap, false);
    in.fill(x);
    s.fill(scale);
    z.fill(zero);
    std::vector<View> views = {in.view, s.view};
    std::vector<const void *> data = {in.data(), s.data()};
    if (with_zero) {
      views.push_back(z.view);
      data.push_back(z.data());
    }
    for (const auto &p : plugins()) {
      for (uint32_t threads : {1u, 2u, 7u}) {
        Strided<Out> out(c.shape, order_of(c.shape.size(), false), gap, false);
        ASSERT_EQ(
            p->run(op, views, data, out.view, out.data(), {int_attr("axis", {std::max<int64_t>(c.axis, 0)})}, threads),
            RAYO_OK);
        ASSERT_TRUE(out.values() == want) << p->name() << " gap " << gap << " threads " << threads;
        ASSERT_TRUE(out.canaries_alive());
      }
    }
  }
}

template <class Q>
void check_quantize() {
  for (size_t k = 0; k < kCases.size(); ++k) {
    SCOPED_TRACE(k);
    size_t n = 1;
    for (int64_t e : kCases[k].shape) n *= static_cast<size_t>(e);
    auto x = make_data<float>(n, k + 1, k % 2 == 0);
    for (float &v : x) v *= 7;
    check_case<float, Q, Q>("quantize_linear", kCases[k], x, k % 3 != 0, ref_quantize<Q>);
  }
}
template <class Q>
void check_dequantize() {
  for (size_t k = 0; k < kCases.size(); ++k) {
    SCOPED_TRACE(k);
    size_t n = 1;
    for (int64_t e : kCases[k].shape) n *= static_cast<size_t>(e);
    check_case<Q, float, Q>("dequantize_linear", kCases[k], make_bytes<Q>(n, k), k % 3 != 0, ref_dequantize<Q>);
  }
}
TEST(Quantize, ToU8IsExactOnEveryAxisAndLayout) { check_quantize<uint8_t>(); }
TEST(Quantize, ToI8IsExactOnEveryAxisAndLayout) { check_quantize<int8_t>(); }
TEST(Dequantize, FromU8IsExactOnEveryAxisAndLayout) { check_dequantize<uint8_t>(); }
TEST(Dequantize, FromI8IsExactOnEveryAxisAndLayout) { check_dequantize<int8_t>(); }

template <class Q>
std::vector<int> quantize(const Plugin &p, const std::vector<float> &x, float scale, Q zero) {
  const View v = compact({static_cast<int64_t>(x.size())}, RAYO_F32), one = compact({}, RAYO_F32);
  std::vector<Q> y(x.size());
  EXPECT_EQ(p.run("quantize_linear", {v, one, compact({}, dtype_of<Q>())}, {x.data(), &scale, &zero},
                  compact(v.shape, dtype_of<Q>()), y.data(), {int_attr("axis", {0})}),
            RAYO_OK);
  return {y.begin(), y.end()};
}

TEST(Trap, QuantizeRoundsHalvesToEven) {
  const std::vector<float> x = {0.5f, 1.5f, 2.5f, 3.5f, -0.5f, -1.5f, -2.5f, 0.49999997f, 126.5f, -126.5f};
  const std::vector<int> want = {0, 2, 2, 4, 0, -2, -2, 0, 126, -126};
  for (const auto &p : plugins()) {
    EXPECT_EQ(quantize<int8_t>(*p, x, 1.0f, 0), want) << p->name();
    // The zero point is added to the rounded value: it must not move the halves.
    std::vector<int> moved;
    for (int v : want) moved.push_back(std::min(127, v + 1));
    EXPECT_EQ(quantize<int8_t>(*p, x, 1.0f, 1), moved) << p->name();
  }
}
TEST(Trap, QuantizeSaturatesAndSendsNanToTheZeroPoint) {
  const float inf = std::numeric_limits<float>::infinity();
  const std::vector<float> x = {inf, -inf, NAN, 3e38f, -3e38f, 1e-45f, 254.4f, 255.5f, -0.0f};
  for (const auto &p : plugins()) {
    EXPECT_EQ(quantize<uint8_t>(*p, x, 1.0f, 7), (std::vector<int>{255, 0, 7, 255, 0, 7, 255, 255, 7})) << p->name();
    EXPECT_EQ(quantize<int8_t>(*p, x, 1.0f, -3), (std::vector<int>{127, -128, -3, 127, -128, -3, 127, 127, -3}))
        << p->name();
    EXPECT_EQ(quantize<uint8_t>(*p, {0.0f, 1.0f, -1.0f}, 0.0f, 9), (std::vector<int>{9, 255, 0})) << p->name();
  }
}

}  // namespace
}  // namespace rayo_test
