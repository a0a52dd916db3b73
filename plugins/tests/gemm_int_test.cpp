// SPDX-License-Identifier: Apache-2.0
//
// matmul_integer of every plugin against the sums in 64-bit integers, reduced modulo 2^32: all four combinations of
// types, zero points of every shape, batches that broadcast, strides, vectors, empty operands, sums that wrap.
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
template <>
inline DLDataType dtype_of<int32_t>() {
  return RAYO_I32;
}

namespace {

enum class Zero { absent, scalar, vector };

struct Case {
  std::vector<int64_t> a, b, y;  // shapes
};
const std::vector<Case> kCases = {{{1, 1}, {1, 1}, {1, 1}},
                                  {{3, 5}, {5, 2}, {3, 2}},
                                  {{8, 64}, {64, 32}, {8, 32}},
                                  {{129, 33}, {33, 257}, {129, 257}},
                                  {{5, 2049}, {2049, 7}, {5, 7}},
                                  {{300, 40}, {40, 3}, {300, 3}},
                                  {{9, 0}, {0, 4}, {9, 4}},
                                  {{0, 4}, {4, 5}, {0, 5}},
                                  {{7}, {7}, {}},
                                  {{7}, {7, 5}, {5}},
                                  {{6, 7}, {7}, {6}},
                                  {{2, 1, 4, 6}, {3, 6, 5}, {2, 3, 4, 5}},
                                  {{200, 300}, {300, 310}, {200, 310}}};

template <class T>
std::vector<T> bytes(size_t n, uint64_t seed, bool extreme) {
  std::vector<T> x(n);
  uint64_t s = seed * 2862933555777941757u + 3037000493u;
  for (T &v : x) {
    s = s * 6364136223846793005u + 1442695040888963407u;
    v = static_cast<T>(s >> 50);
    if (extreme) v = (s >> 40) % 4 != 0 ? std::numeric_limits<T>::max() : std::numeric_limits<T>::min();
  }
  return x;
}

size_t product(const std::vector<int64_t> &shape) {
  size_t n = 1;
  for (int64_t e : shape) n *= static_cast<size_t>(e);
  return n;
}
std::vector<int> order_of(size_t n, bool swap_last) {
  std::vector<int> order(n);
  for (size_t i = 0; i < n; ++i) order[i] = static_cast<int>(i);
  if (swap_last && n > 1) std::swap(order[n - 1], order[n - 2]);
  return order;
}

/// The operands' zero points: one value, or one per row of A and column of B.
template <class T>
struct ZeroPoints {
  std::vector<int64_t> shape;
  std::vector<T> values;
  int64_t at(size_t lane) const { return values.empty() ? 0 : values[values.size() == 1 ? 0 : lane]; }
};
template <class T>
ZeroPoints<T> zero_points(Zero kind, int64_t lanes) {
  if (kind == Zero::absent) return {};
  if (kind == Zero::scalar) return {{}, {static_cast<T>(3)}};
  return {{lanes}, bytes<T>(static_cast<size_t>(lanes), 77, false)};
}

/// Start of matrix `batch` of the result inside an operand whose leading axes broadcast to y's.
size_t matrix_start(const std::vector<int64_t> &shape, const std::vector<int64_t> &batch_shape, size_t batch) {
  if (shape.size() <= 2) return 0;
  size_t step = static_cast<size_t>(shape[shape.size() - 1] * shape[shape.size() - 2]), start = 0;
  for (size_t i = 0; i < batch_shape.size(); ++i) {
    const auto extent = static_cast<size_t>(batch_shape[batch_shape.size() - 1 - i]);
    if (i + 2 < shape.size()) {
      const auto own = static_cast<size_t>(shape[shape.size() - 3 - i]);
      if (own != 1) start += batch % extent * step;
      step *= own;
    }
    batch /= extent;
  }
  return start;
}

template <class P, class Q>
std::vector<int32_t> reference(const Case &c, const std::vector<P> &a, const std::vector<Q> &b, const ZeroPoints<P> &za,
                               const ZeroPoints<Q> &zb) {
  const size_t na = c.a.size(), nb = c.b.size();
  const size_t m = na < 2 ? 1 : static_cast<size_t>(c.a[na - 2]), k = static_cast<size_t>(c.a[na - 1]);
  const size_t n = nb < 2 ? 1 : static_cast<size_t>(c.b[nb - 1]);
  std::vector<int64_t> batch_shape(c.y.begin(), c.y.end() - ((na > 1 ? 1 : 0) + (nb > 1 ? 1 : 0)));
  std::vector<int32_t> y;
  for (size_t s = 0; s < product(batch_shape); ++s) {
    const size_t a0 = matrix_start(c.a, batch_shape, s), b0 = matrix_start(c.b, batch_shape, s);
    for (size_t i = 0; i < m; ++i) {
      for (size_t j = 0; j < n; ++j) {
        int64_t sum = 0;
        for (size_t p = 0; p < k; ++p) sum += (a[a0 + i * k + p] - za.at(i)) * (b[b0 + p * n + j] - zb.at(j));
        y.push_back(static_cast<int32_t>(static_cast<uint32_t>(sum)));
      }
    }
  }
  return y;
}

template <class P, class Q>
void check_layout(const Case &c, const std::vector<P> &a, const std::vector<Q> &b, const ZeroPoints<P> &za,
                  const ZeroPoints<Q> &zb, const std::vector<int32_t> &want, bool plain) {
  const int64_t gap = plain ? 1 : 2;
  Strided<P> x(c.a, order_of(c.a.size(), !plain), gap, !plain);
  Strided<Q> w(c.b, order_of(c.b.size(), !plain), gap, false);
  Strided<P> z0(za.shape, order_of(za.shape.size(), false), gap, false);
  Strided<Q> z1(zb.shape, order_of(zb.shape.size(), false), gap, !plain);
  x.fill(a);
  w.fill(b);
  std::vector<View> views = {x.view, w.view};
  std::vector<const void *> data = {x.data(), w.data()};
  if (!za.values.empty()) {
    z0.fill(za.values);
    z1.fill(zb.values);
    views.insert(views.end(), {z0.view, z1.view});
    data.insert(data.end(), {z0.data(), z1.data()});
  }
  for (const auto &p : plugins()) {
    for (uint32_t threads : {1u, 2u, 7u}) {
      Strided<int32_t> y(c.y, order_of(c.y.size(), !plain), gap, false);
      ASSERT_EQ(p->run("matmul_integer", views, data, y.view, y.data(), {}, threads), RAYO_OK);
      ASSERT_EQ(y.values(), want) << p->name() << ", " << threads << " threads, plain " << plain;
      ASSERT_TRUE(y.canaries_alive()) << p->name();
    }
  }
}

template <class P, class Q>
void check() {
  for (size_t k = 0; k < kCases.size(); ++k) {
    const Case &c = kCases[k];
    const int64_t rows = c.a.size() < 2 ? 1 : c.a[c.a.size() - 2], columns = c.b.size() < 2 ? 1 : c.b.back();
    for (Zero kind : {Zero::absent, Zero::scalar, Zero::vector}) {
      SCOPED_TRACE("case " + std::to_string(k) + " zero " + std::to_string(static_cast<int>(kind)));
      const auto a = bytes<P>(product(c.a), k, k % 3 == 0);
      const auto b = bytes<Q>(product(c.b), k + 40, k % 3 == 0);
      const auto za = zero_points<P>(kind, rows);
      const auto zb = zero_points<Q>(kind, columns);
      const auto want = reference(c, a, b, za, zb);
      check_layout(c, a, b, za, zb, want, true);
      check_layout(c, a, b, za, zb, want, false);
    }
  }
}
TEST(MatmulInteger, U8TimesU8IsExact) { check<uint8_t, uint8_t>(); }
TEST(MatmulInteger, U8TimesI8IsExact) { check<uint8_t, int8_t>(); }
TEST(MatmulInteger, I8TimesU8IsExact) { check<int8_t, uint8_t>(); }
TEST(MatmulInteger, I8TimesI8IsExact) { check<int8_t, int8_t>(); }

TEST(MatmulInteger, SumsWrapModulo2To32) {
  const int64_t k = 70001;  // 70001 * 255^2 is above 2^32
  const std::vector<uint8_t> a(static_cast<size_t>(k), 255), b(static_cast<size_t>(k), 255);
  const auto want = static_cast<int32_t>(static_cast<uint32_t>(uint64_t{255} * 255 * static_cast<uint64_t>(k)));
  for (const auto &p : plugins()) {
    int32_t y = 0;
    ASSERT_EQ(p->run("matmul_integer", {compact({1, k}, RAYO_U8), compact({k, 1}, RAYO_U8)}, {a.data(), b.data()},
                     compact({1, 1}, RAYO_I32), &y),
              RAYO_OK);
    EXPECT_EQ(y, want) << p->name();
  }
}

}  // namespace
}  // namespace rayo_test
