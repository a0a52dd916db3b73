// SPDX-License-Identifier: Apache-2.0
//
// matmul on every CPU plugin against the contract: batches as numpy.matmul, rank 1, the dot order, batch invariance,
// exact integers, threads.
#include <gtest/gtest.h>

#include "gemm_plugins.h"
#include "gemm_reference.h"

namespace rayo::test {
namespace {

template <class T>
constexpr DLDataType kType = RAYO_F32;
template <>
constexpr DLDataType kType<double> = RAYO_F64;

/// A tensor whose strides may be anything; `storage` is large enough for them, offset included.
template <class T>
struct Tensor {
  Layout layout;
  std::vector<T> storage;
  int64_t origin = 0;

  explicit Tensor(Layout l) : layout(std::move(l)) {
    int64_t low = 0, high = 0;
    for (size_t i = 0; i < layout.shape.size(); ++i) {
      const int64_t reach = (std::max<int64_t>(layout.shape[i], 1) - 1) * layout.strides[i];
      (reach < 0 ? low : high) += reach;
    }
    storage.assign(static_cast<size_t>(high - low + 1), T(-999));
    origin = -low;
  }
  T *data() { return storage.data() + origin; }
  void fill_random(std::mt19937 &random) {
    std::uniform_real_distribution<T> uniform(-1, 1);
    for (T &x : storage) x = uniform(random);
  }
  /// Offset of the matrix that batch index `at` (aligned at the right) selects among the leading `nd` axes.
  int64_t batch_offset(const std::vector<int64_t> &at, size_t nd) const {
    int64_t offset = origin;
    for (size_t i = 0; i < nd; ++i) {
      if (layout.shape[i] != 1) offset += at[at.size() - nd + i] * layout.strides[i];
    }
    return offset;
  }
};

struct Product {
  Layout a, b, y;
  int64_t batch_invariant = 0;
  uint32_t threads = 1;
};

template <class T>
void check(const Plugin &plugin, const Product &what, const std::string &name) {
  std::mt19937 random(17);
  Tensor<T> a(what.a), b(what.b), y(what.y);
  a.fill_random(random);
  b.fill_random(random);
  Attributes attributes;
  attributes.batch_invariant = what.batch_invariant;
  const Bound op(plugin, "matmul", kType<T>, {what.a, what.b}, what.y, attributes, what.threads);
  ASSERT_EQ(op.run(ThreadExecutor(what.threads), {a.data(), b.data()}, y.data()), RAYO_OK);
  EXPECT_TRUE(op.guard_intact());

  const size_t na = what.a.shape.size(), nb = what.b.shape.size(), ny = what.y.shape.size();
  const int64_t k = what.a.shape[na - 1];
  const int64_t m = na == 1 ? 1 : what.a.shape[na - 2], n = nb == 1 ? 1 : what.b.shape[nb - 1];
  const size_t batch_axes = ny - (na == 1 ? 0 : 1) - (nb == 1 ? 0 : 1);
  const int64_t a_row = na == 1 ? 0 : what.a.strides[na - 2], a_step = what.a.strides[na - 1];
  const int64_t b_col = nb == 1 ? 0 : what.b.strides[nb - 1];
  const int64_t b_step = nb == 1 ? what.b.strides[0] : what.b.strides[nb - 2];
  const int64_t y_col = nb == 1 ? 0 : what.y.strides[ny - 1];
  const int64_t y_row = na == 1 ? 0 : what.y.strides[ny - (nb == 1 ? 1 : 2)];
  int64_t count = 1;
  for (size_t i = 0; i < batch_axes; ++i) count *= what.y.shape[i];
  for (int64_t index = 0; index < count; ++index) {
    std::vector<int64_t> at(batch_axes);
    int64_t rest = index;
    for (size_t i = batch_axes; i-- > 0; rest /= what.y.shape[i]) at[i] = rest % what.y.shape[i];
    const T *pa = a.storage.data() + a.batch_offset(at, na > 2 ? na - 2 : 0);
    const T *pb = b.storage.data() + b.batch_offset(at, nb > 2 ? nb - 2 : 0);
    const T *py = y.storage.data() + y.batch_offset(at, batch_axes);
    for (int64_t i = 0; i < m; ++i) {
      for (int64_t j = 0; j < n; ++j) {
        const auto row = [&](int64_t p) { return pa[i * a_row + p * a_step]; };
        const auto column = [&](int64_t p) { return pb[j * b_col + p * b_step]; };
        const bool dot = n == 1 && what.batch_invariant == 0;
        const T want = dot ? dot_order<T>(k, row, column) : chain<T>(k, row, column);
        const T got = py[i * y_row + j * y_col];
        ASSERT_TRUE(same_bits(got, want)) << plugin.name() << " " << name << " matrix " << index << " at " << i << ","
                                          << j << ": " << got << " not " << want;
      }
    }
  }
}

template <class T>
class MatmulTest : public testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(MatmulTest, Types);

TYPED_TEST(MatmulTest, BroadcastsBatchesAsNumpyDoes) {
  const std::vector<std::pair<std::string, Product>> cases = {
      {"two batch axes", {{{2, 3, 5, 7}}, {{2, 3, 7, 9}}, {{2, 3, 5, 9}}}},
      {"shared B", {{{4, 5, 7}}, {{7, 19}}, {{4, 5, 19}}}},
      {"shared A", {{{5, 7}}, {{4, 7, 19}}, {{4, 5, 19}}}},
      {"crossed", {{{2, 1, 5, 7}}, {{3, 7, 9}}, {{2, 3, 5, 9}}}},
      {"one row each", {{{40, 1, 7}}, {{7, 19}}, {{40, 1, 19}}}},
      {"stride 0 batch", {{{4, 5, 7}, {0, 7, 1}}, {{4, 7, 19}}, {{4, 5, 19}}}},
      {"reversed batch", {{{4, 5, 7}, {-35, 7, 1}}, {{4, 7, 19}, {133, 1, 7}}, {{4, 5, 19}, {95, 1, 5}}}},
      {"spread output", {{{3, 20, 30}}, {{3, 30, 33}}, {{3, 20, 33}, {3000, 100, 2}}}},
      {"rows apart", {{{3, 20, 30}, {700, 35, 1}}, {{30, 33}}, {{3, 20, 33}, {800, 40, 1}}}},
      {"large and many", {{{3, 70, 300}}, {{3, 300, 140}}, {{3, 70, 140}}, 0, 2}},
      {"no matrices", {{{0, 5, 7}}, {{7, 3}}, {{0, 5, 3}}}},
      {"nothing to add", {{{2, 5, 0}}, {{0, 3}}, {{2, 5, 3}}}},
  };
  for (const auto &plugin : plugins()) {
    for (const auto &[name, what] : cases) check<TypeParam>(*plugin, what, name);
  }
}

TYPED_TEST(MatmulTest, PromotesRankOne) {
  for (const auto &plugin : plugins()) {
    check<TypeParam>(*plugin, {{{7}}, {{7}}, {{}}}, "vector vector");
    check<TypeParam>(*plugin, {{{7}}, {{7, 33}}, {{33}}}, "vector matrix");
    check<TypeParam>(*plugin, {{{33, 7}}, {{7}}, {{33}}}, "matrix vector");
    check<TypeParam>(*plugin, {{{4, 33, 7}}, {{7}}, {{4, 33}}}, "matrices vector");
    check<TypeParam>(*plugin, {{{7}}, {{4, 7, 33}}, {{4, 33}}}, "vector matrices");
    check<TypeParam>(*plugin, {{{33, 7}}, {{7}, {-3}}, {{33}, {5}}}, "strided vectors");
    check<TypeParam>(*plugin, {{{0}}, {{0}}, {{}}}, "empty vectors");
  }
}

TYPED_TEST(MatmulTest, TakesTheDotOrderForMatrixTimesVector) {
  for (const auto &plugin : plugins()) {
    for (int64_t k : {1, 31, 32, 33, 63, 64, 65, 100, 8191, 8192, 8193, 16383, 16385, 24600, 41000, 57500}) {
      check<TypeParam>(*plugin, {{{6, k}}, {{k, 1}}, {{6, 1}}}, "k " + std::to_string(k));
      check<TypeParam>(*plugin, {{{3, k}, {1, 3}}, {{k, 1}, {2, 7}}, {{3, 1}}}, "strided k " + std::to_string(k));
    }
  }
}

TYPED_TEST(MatmulTest, FillsTheLastGroupOfLanesWithPlusZero) {
  // Each product underflows to -0. A lane that holds -0 becomes +0 by the filling's fma(+0, +0, -0), on every ISA
  // alike.
  const TypeParam tiny = std::numeric_limits<TypeParam>::min();
  for (int64_t k = 1; k <= 200; ++k) {
    std::vector<TypeParam> a(static_cast<size_t>(k), tiny), b(static_cast<size_t>(k), -tiny);
    const TypeParam want = dot_order<TypeParam>(
        k, [&](int64_t p) { return a[static_cast<size_t>(p)]; }, [&](int64_t p) { return b[static_cast<size_t>(p)]; });
    EXPECT_EQ(std::signbit(want), k % (sizeof(TypeParam) == 4 ? 64 : 32) == 0) << k;
    for (const auto &plugin : plugins()) {
      TypeParam y = 1;
      const Bound op(*plugin, "matmul", kType<TypeParam>, {{{1, k}}, {{k, 1}}}, {{1, 1}}, {}, 1);
      ASSERT_EQ(op.run(ThreadExecutor(1), {a.data(), b.data()}, &y), RAYO_OK);
      EXPECT_TRUE(same_bits(y, want)) << plugin->name() << " k " << k;
    }
  }
}

TYPED_TEST(MatmulTest, KeepsTheChainWhenBatchInvariant) {
  for (const auto &plugin : plugins()) {
    for (int64_t k : {1, 100, 1100}) {
      check<TypeParam>(*plugin, {{{37, k}}, {{k, 1}}, {{37, 1}}, 1}, "column");
      check<TypeParam>(*plugin, {{{37, k}}, {{k}}, {{37}}, 1}, "vector");
      check<TypeParam>(*plugin, {{{1, k}}, {{k, 1}}, {{1, 1}}, 1}, "one element");
    }
  }
}

TYPED_TEST(MatmulTest, ARowAloneHasTheBitsItHasInABatch) {
  const int64_t m = 50, k = 333;
  for (int64_t n : {1, 2, 40, 100}) {
    std::mt19937 random(23);
    Tensor<TypeParam> a({{m, k}}), b({{k, n}}), all({{m, n}}), one({{1, n}});
    a.fill_random(random);
    b.fill_random(random);
    Attributes attributes;
    attributes.batch_invariant = 1;
    for (const auto &plugin : plugins()) {
      const Bound whole(*plugin, "matmul", kType<TypeParam>, {a.layout, b.layout}, all.layout, attributes, 1);
      ASSERT_EQ(whole.run(ThreadExecutor(1), {a.data(), b.data()}, all.data()), RAYO_OK);
      const Bound row(*plugin, "matmul", kType<TypeParam>, {{{1, k}}, b.layout}, one.layout, attributes, 1);
      for (int64_t i = 0; i < m; ++i) {
        ASSERT_EQ(row.run(ThreadExecutor(1), {a.data() + i * k, b.data()}, one.data()), RAYO_OK);
        for (int64_t j = 0; j < n; ++j) {
          ASSERT_TRUE(same_bits(one.data()[j], all.data()[i * n + j])) << plugin->name() << " row " << i << " of " << n;
        }
      }
    }
  }
}

TYPED_TEST(MatmulTest, IsExactOnSmallIntegers) {
  const int64_t m = 61, n = 47, k = 531;
  std::mt19937 random(29);
  Tensor<TypeParam> a({{m, k}}), b({{k, n}}), y({{m, n}});
  for (TypeParam &x : a.storage) x = static_cast<TypeParam>(static_cast<int>(random() % 17) - 8);
  for (TypeParam &x : b.storage) x = static_cast<TypeParam>(static_cast<int>(random() % 17) - 8);
  for (const auto &plugin : plugins()) {
    const Bound op(*plugin, "matmul", kType<TypeParam>, {a.layout, b.layout}, y.layout, {}, 1);
    ASSERT_EQ(op.run(ThreadExecutor(1), {a.data(), b.data()}, y.data()), RAYO_OK);
    for (int64_t i = 0; i < m; ++i) {
      for (int64_t j = 0; j < n; ++j) {
        int64_t want = 0;
        for (int64_t p = 0; p < k; ++p) {
          want += static_cast<int64_t>(a.storage[static_cast<size_t>(i * k + p)]) *
                  static_cast<int64_t>(b.storage[static_cast<size_t>(p * n + j)]);
        }
        ASSERT_EQ(static_cast<int64_t>(y.storage[static_cast<size_t>(i * n + j)]), want) << plugin->name();
      }
    }
  }
}

TYPED_TEST(MatmulTest, UsesThreadsForLargeProductsOnly) {
  const std::vector<Layout> large = {{{300, 300}}, {{300, 300}}}, small = {{{40, 40}}, {{40, 40}}};
  for (const auto &plugin : plugins()) {
    const Bound many(*plugin, "matmul", kType<TypeParam>, large, {{300, 300}}, {}, 7);
    EXPECT_GT(many.threads(), 1U) << plugin->name();
    Tensor<TypeParam> a({{300, 300}}), b({{300, 300}}), y({{300, 300}});
    const ThreadExecutor executor(7);
    ASSERT_EQ(many.run(executor, {a.data(), b.data()}, y.data()), RAYO_OK);
    EXPECT_GT(executor.regions(), 0U) << plugin->name();
    EXPECT_EQ(Bound(*plugin, "matmul", kType<TypeParam>, small, {{40, 40}}, {}, 7).threads(), 1U) << plugin->name();
  }
}

TYPED_TEST(MatmulTest, GivesTheSameBitsForAnyNumberOfThreads) {
  for (const auto &plugin : plugins()) {
    for (uint32_t threads : {1U, 2U, 7U}) {
      check<TypeParam>(*plugin, {{{30, 40, 50}}, {{30, 50, 60}}, {{30, 40, 60}}, 0, threads}, "many small");
      check<TypeParam>(*plugin, {{{8, 600}}, {{600, 700}}, {{8, 700}}, 0, threads}, "few rows");
      check<TypeParam>(*plugin, {{{700, 600}}, {{600, 8}}, {{700, 8}}, 0, threads}, "few columns");
      check<TypeParam>(*plugin, {{{2, 500, 900}}, {{900, 1}}, {{2, 500, 1}}, 0, threads}, "vector");
    }
  }
}

}  // namespace
}  // namespace rayo::test
