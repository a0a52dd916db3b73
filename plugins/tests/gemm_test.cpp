// SPDX-License-Identifier: Apache-2.0
//
// gemm on every CPU plugin against the contract's chain: equal bits for odd shapes, every layout, transposition, alpha,
// beta, C in all its forms, and any number of threads.
#include <gtest/gtest.h>

#include "gemm_plugins.h"
#include "gemm_reference.h"

namespace rayo::test {
namespace {

template <class T>
constexpr DLDataType kType = RAYO_F32;
template <>
constexpr DLDataType kType<double> = RAYO_F64;

template <class T>
using Form = typename Matrix<T>::Form;

struct Case {
  int64_t m, n, k;
  Attributes attributes;
  int form_a = 0, form_b = 0, form_c = 0, form_y = 0;
  bool has_c = true;
};

std::ostream &operator<<(std::ostream &out, const Case &c) {
  return out << c.m << "x" << c.n << "x" << c.k << " alpha " << c.attributes.alpha << " beta " << c.attributes.beta
             << " trans " << c.attributes.trans_a << c.attributes.trans_b << " chain " << c.attributes.batch_invariant
             << " forms " << c.form_a << c.form_b << c.form_c << c.form_y << " C " << c.has_c;
}

/// What the contract says about an element of y, by its row of A, its column of B and its element of C.
template <class T, class Row, class Column>
T expected(const Case &c, const Row &row, const Column &column, T bias) {
  const bool ta = c.attributes.trans_a != 0, tb = c.attributes.trans_b != 0;
  const bool dot = c.attributes.batch_invariant == 0 && ((c.n == 1 && !ta) || (c.m == 1 && tb));
  const T acc = dot ? dot_order<T>(c.k, row, column) : chain<T>(c.k, row, column);
  const T t = static_cast<T>(c.attributes.alpha) * acc;
  const T beta = static_cast<T>(c.attributes.beta);
  return !c.has_c || beta == T(0) ? t : std::fma(beta, bias, t);
}

/// The operands of a case, and what the contract says about every element of y: made once for all plugins.
template <class T>
struct Problem {
  Case c;
  Matrix<T> a, b, bias;
  std::vector<T> want;

  Problem(const Case &c_, uint32_t seed)
      : c(c_),
        a(ta() ? c.k : c.m, ta() ? c.m : c.k, static_cast<Form<T>>(c.form_a)),
        b(tb() ? c.n : c.k, tb() ? c.k : c.n, static_cast<Form<T>>(c.form_b)),
        bias(c.m, c.n, static_cast<Form<T>>(c.form_c)) {
    std::mt19937 random(seed);
    a.fill_random(random);
    b.fill_random(random);
    bias.fill_random(random);
    if (c.attributes.beta == 0) bias.fill([] { return std::numeric_limits<T>::quiet_NaN(); });
    // One after the other in memory: all of the time goes here.
    std::vector<T> rows, columns;
    for (int64_t i = 0; i < c.m; ++i) {
      for (int64_t p = 0; p < c.k; ++p) rows.push_back(ta() ? a.at(p, i) : a.at(i, p));
    }
    for (int64_t j = 0; j < c.n; ++j) {
      for (int64_t p = 0; p < c.k; ++p) columns.push_back(tb() ? b.at(j, p) : b.at(p, j));
    }
    for (int64_t i = 0; i < c.m; ++i) {
      for (int64_t j = 0; j < c.n; ++j) {
        const T *row = rows.data() + i * c.k, *column = columns.data() + j * c.k;
        want.push_back(expected(
            c, [row](int64_t p) { return row[p]; }, [column](int64_t p) { return column[p]; }, bias.at(i, j)));
      }
    }
  }
  bool ta() const { return c.attributes.trans_a != 0; }
  bool tb() const { return c.attributes.trans_b != 0; }
};

template <class T>
void judge(const Plugin &plugin, const Problem<T> &problem, uint32_t threads) {
  const auto &[c, a, b, bias, want] = problem;
  Matrix<T> y(c.m, c.n, static_cast<Form<T>>(c.form_y));
  std::vector<Layout> inputs = {{{a.rows, a.cols}, {a.rs, a.cs}}, {{b.rows, b.cols}, {b.rs, b.cs}}};
  if (c.has_c) inputs.push_back({{c.m, c.n}, {bias.rs, bias.cs}});
  const Bound op(plugin, "gemm", kType<T>, inputs, {{c.m, c.n}, {y.rs, y.cs}}, c.attributes, threads);
  const ThreadExecutor executor(threads);
  ASSERT_EQ(op.run(executor, {a.data(), b.data(), bias.data()}, y.data()), RAYO_OK);
  int64_t wrong = 0;
  for (int64_t i = 0; i < c.m; ++i) {
    for (int64_t j = 0; j < c.n; ++j) {
      const T wanted = want[static_cast<size_t>(i * c.n + j)];
      if (!same_bits(y.at(i, j), wanted) && wrong++ == 0) {
        ADD_FAILURE() << plugin.name() << " " << c << " threads " << threads << " element " << i << "," << j << ": "
                      << y.at(i, j) << " not " << wanted;
      }
    }
  }
  EXPECT_EQ(wrong, 0) << plugin.name() << " " << c << " threads " << threads;
  EXPECT_EQ(y.stray_writes(), 0) << plugin.name() << " " << c << " threads " << threads;
  EXPECT_TRUE(op.guard_intact()) << plugin.name() << " " << c << " threads " << threads;
}

/// One case on every plugin, with each number of threads.
template <class T>
void check(const Case &c, uint32_t seed, std::initializer_list<uint32_t> threads = {1}) {
  const Problem<T> problem(c, seed);
  for (const uint32_t count : threads) {
    for (const auto &plugin : plugins()) judge(*plugin, problem, count);
  }
}

template <class T>
class GemmTest : public testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(GemmTest, Types);

TYPED_TEST(GemmTest, EqualsTheChainForShapesLayoutsAndFactors) {
  const int64_t extents[] = {1, 2, 3, 4, 5, 7, 8, 12, 13, 16, 17, 25, 31, 33, 49, 65, 100};
  const double factors[] = {0, 1, -1, 0.7};
  std::mt19937 random(7);
  auto pick = [&](auto count) { return static_cast<int64_t>(random() % static_cast<uint32_t>(count)); };
  for (int round = 0; round < 500; ++round) {
    Case c{extents[pick(17)], extents[pick(17)], extents[pick(17)], {}};
    c.attributes = {factors[pick(4)], factors[pick(4)], pick(2), pick(2), pick(4) == 0 ? 1 : 0};
    c.form_a = static_cast<int>(pick(Matrix<TypeParam>::kInputForms));
    c.form_b = static_cast<int>(pick(Matrix<TypeParam>::kInputForms));
    c.form_c = static_cast<int>(pick(Matrix<TypeParam>::kInputForms));
    c.form_y = static_cast<int>(pick(Matrix<TypeParam>::kOutputForms));
    c.has_c = pick(3) != 0;
    check<TypeParam>(c, static_cast<uint32_t>(round));
  }
}

TYPED_TEST(GemmTest, EqualsTheChainForFewColumnsOrRows) {
  const int64_t lengths[] = {8, 16, 17, 33, 64, 150}, steps[] = {16, 31, 40, 67, 300};
  const double factors[] = {0, 1, 0.7};
  std::mt19937 random(23);
  auto pick = [&](auto count) { return static_cast<int64_t>(random() % static_cast<uint32_t>(count)); };
  for (int round = 0; round < 400; ++round) {
    const int64_t few = 1 + pick(20), many = lengths[pick(6)];
    Case c{few, many, steps[pick(5)], {factors[pick(3)], factors[pick(3)], pick(2), pick(2), pick(2)}};
    if (round % 2 == 0) std::swap(c.m, c.n);
    c.form_a = static_cast<int>(pick(Matrix<TypeParam>::kInputForms));
    c.form_b = static_cast<int>(pick(Matrix<TypeParam>::kInputForms));
    c.form_c = static_cast<int>(pick(Matrix<TypeParam>::kInputForms));
    c.form_y = static_cast<int>(pick(Matrix<TypeParam>::kOutputForms));
    c.has_c = pick(2) != 0;
    check<TypeParam>(c, static_cast<uint32_t>(round));
  }
}

TYPED_TEST(GemmTest, EqualsTheChainForOneLongRow) {
  // A row of y longer than the strip that stays in cache, and as a column of y^T.
  const double factors[] = {0, 1, 0.7};
  std::mt19937 random(29);
  auto pick = [&](auto count) { return static_cast<int64_t>(random() % static_cast<uint32_t>(count)); };
  for (const int64_t length : {1037, 2051, 4133}) {
    for (const int64_t steps : {8, 9, 15, 40, 151}) {
      Case c{1, length, steps, {factors[pick(3)], factors[pick(3)], pick(2), 0, pick(2)}};
      if (steps % 2 == 0) {
        std::swap(c.m, c.n);
        c.attributes.trans_a = 1;
      }
      c.form_c = static_cast<int>(pick(Matrix<TypeParam>::kInputForms));
      c.form_y = static_cast<int>(pick(2)) * 2;
      c.has_c = pick(2) != 0;
      check<TypeParam>(c, static_cast<uint32_t>(length + steps), {1, 3});
    }
  }
}

TYPED_TEST(GemmTest, EqualsTheChainForFewRowsOverAWideMatrix) {
  // B's rows far apart, or on few sets of the cache: eight of them at a time, in parts of columns, rows of y in groups.
  constexpr int64_t kShapes[][3] = {{2, 1024, 135}, {3, 5000, 33},   {5, 512, 264},   {7, 1024, 128},
                                    {8, 1024, 129}, {13, 1536, 130}, {16, 1024, 136}, {4, 4100, 513}};
  const double factors[] = {0, 1, 0.7};
  std::mt19937 random(31);
  auto pick = [&](auto count) { return static_cast<int64_t>(random() % static_cast<uint32_t>(count)); };
  for (const auto &[m, n, k] : kShapes) {
    Case c{m, n, k, {factors[pick(3)], factors[pick(3)], pick(2), 0, pick(2)}};
    c.form_c = static_cast<int>(pick(Matrix<TypeParam>::kInputForms));
    c.has_c = pick(2) != 0;
    check<TypeParam>(c, static_cast<uint32_t>(m + n), {1, 3});
  }
}

TYPED_TEST(GemmTest, ContinuesChainsOverBlocksOfK) {
  // Long k, in every orientation: blocks of k, shared and private panels, scratch tiles.
  for (int64_t k : {513, 1025, 2050}) {
    for (int trans = 0; trans < 4; ++trans) {
      for (int form_y : {0, 2, 4}) {
        Case c{60, 37, k, {0.7, -1, trans & 1, trans >> 1, 0}};
        c.form_y = form_y;
        check<TypeParam>(c, 3);
      }
    }
  }
}

TYPED_TEST(GemmTest, ReadsAndWritesOneTensorAsCAndY) {
  for (int64_t k : {5, 300, 1300, 2100}) {
    for (int trans = 0; trans < 4; ++trans) {
      Case c{60, 70, k, {0.7, -1, trans & 1, trans >> 1, 0}};
      c.form_c = static_cast<int>(Form<TypeParam>::kPadded);
      const Problem<TypeParam> problem(c, 11);
      const auto &[same, a, b, bias, want] = problem;
      const Layout y{{c.m, c.n}, {bias.rs, bias.cs}};
      for (const auto &plugin : plugins()) {
        Matrix<TypeParam> both = bias;
        const Bound op(*plugin, "gemm", kType<TypeParam>, {{{a.rows, a.cols}}, {{b.rows, b.cols}}, y}, y, c.attributes,
                       1);
        ASSERT_EQ(op.run(ThreadExecutor(1), {a.data(), b.data(), both.data()}, both.data()), RAYO_OK);
        for (int64_t i = 0; i < c.m; ++i) {
          for (int64_t j = 0; j < c.n; ++j) {
            ASSERT_TRUE(same_bits(both.at(i, j), want[static_cast<size_t>(i * c.n + j)])) << plugin->name() << " " << c;
          }
        }
      }
    }
  }
}

template <class TypeParam>
void broadcasts_c(int64_t m, int64_t n, int64_t k) {
  std::mt19937 random(5);
  Matrix<TypeParam> a(m, k, Form<TypeParam>::kCompact), b(k, n, Form<TypeParam>::kCompact);
  Matrix<TypeParam> store(m, n, Form<TypeParam>::kCompact);
  a.fill_random(random);
  b.fill_random(random);
  store.fill_random(random);
  for (const std::vector<int64_t> &shape :
       std::vector<std::vector<int64_t>>{{}, {1}, {n}, {1, 1}, {1, n}, {m, 1}, {m, n}}) {
    const Layout c(shape);
    // Its broadcast form, for the reference.
    Matrix<TypeParam> bias(m, n, Form<TypeParam>::kCompact);
    for (int64_t i = 0; i < m; ++i) {
      for (int64_t j = 0; j < n; ++j) {
        const size_t r = shape.size();
        const int64_t column = r >= 1 && shape[r - 1] > 1 ? j * c.strides[r - 1] : 0;
        const int64_t row = r >= 2 && shape[r - 2] > 1 ? i * c.strides[r - 2] : 0;
        bias.at(i, j) = store.storage[static_cast<size_t>(row + column)];
      }
    }
    const Case what{m, n, k, {0.7, 0.7, 0, 0, 0}};
    const auto want = [&](int64_t i, int64_t j) {
      return expected(
          what, [&](int64_t p) { return a.at(i, p); }, [&](int64_t p) { return b.at(p, j); }, bias.at(i, j));
    };
    for (const auto &plugin : plugins()) {
      Matrix<TypeParam> y(m, n, Form<TypeParam>::kCompact);
      const Bound op(*plugin, "gemm", kType<TypeParam>, {{{m, k}}, {{k, n}}, c}, {{m, n}}, what.attributes, 1);
      ASSERT_EQ(op.run(ThreadExecutor(1), {a.data(), b.data(), store.data()}, y.data()), RAYO_OK);
      for (int64_t i = 0; i < m; ++i) {
        for (int64_t j = 0; j < n; ++j) {
          ASSERT_TRUE(same_bits(y.at(i, j), want(i, j)))
              << plugin->name() << " C of rank " << shape.size() << " at " << i << "," << j;
        }
      }
    }
  }
}

TYPED_TEST(GemmTest, BroadcastsC) {
  broadcasts_c<TypeParam>(29, 43, 17);
  broadcasts_c<TypeParam>(50, 3, 40);
}

TYPED_TEST(GemmTest, HandlesEmptyExtents) {
  for (int64_t m : {0, 1, 5}) {
    for (int64_t n : {0, 1, 40}) {
      for (double alpha : {1.0, -0.7}) check<TypeParam>({m, n, 0, {alpha, 0.7, 0, 0, 0}}, 1);
      check<TypeParam>({m, n, m == 0 || n == 0 ? 9 : 0, {1, 0, 1, 1, 0}}, 1);
    }
  }
}

TYPED_TEST(GemmTest, GivesTheSameBitsForAnyNumberOfThreads) {
  const Case direct{150, 130, 140, {0.7, 0.7, 0, 0, 0}};
  const Case blocked{130, 140, 600, {1, 1, 1, 1, 0}};
  Case columns = blocked;
  columns.form_y = 2;
  Case scratch = blocked;
  scratch.form_y = 4;
  const Case rows{3000, 1, 700, {1, 0.7, 0, 0, 0}};
  const Case narrow{3001, 4, 700, {1, 0.7, 0, 0, 0}};
  const Case few{4, 3001, 700, {1, 0.7, 0, 1, 0}};
  for (const Case &c : {direct, blocked, columns, scratch, rows, narrow, few}) check<TypeParam>(c, 2, {1, 2, 7});
}

}  // namespace
}  // namespace rayo::test
