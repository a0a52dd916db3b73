// SPDX-License-Identifier: Apache-2.0
//
// eigh as its users see it: residual and orthogonality in the terms of LAPACK's own test suite, the order of the
// eigenvalues, layouts, triangles, and the inputs that break naive wrappers. Vectors are never compared: their sign,
// and their basis where eigenvalues meet, are free.
#include <gtest/gtest.h>
#include <rayo/rayo.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <string>
#include <thread>
#include <vector>

namespace rayo_test {
namespace {

using rayo::Attributes;
using rayo::Runtime;
using rayo::view;

constexpr double kMaxResidual = 60;
constexpr double kMaxOrthogonality = 50;

Runtime make_runtime() {
  static const char *const files[] = {RAYO_LAPACK_PLUGIN};
  rayo_runtime_options options = RAYO_RUNTIME_OPTIONS_INIT;
  options.flags = RAYO_RUNTIME_NO_ENVIRONMENT | RAYO_RUNTIME_ONLY_FILES;
  options.plugin_files = files;
  options.plugin_file_count = 1;
  return Runtime(options);
}

// A full row-major symmetric matrix with entries in [-1, 1), different for every seed.
template <class T>
std::vector<T> symmetric(int64_t n, uint32_t seed, T scale = 1) {
  std::vector<T> a(static_cast<size_t>(n * n));
  uint64_t state = seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j <= i; ++j) {
      state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
      const T value = static_cast<T>(static_cast<double>(state >> 40) * 0x1p-23 - 1) * scale;
      a[static_cast<size_t>(i * n + j)] = a[static_cast<size_t>(j * n + i)] = value;
    }
  }
  return a;
}

// ||M||_1: the largest column sum of absolute values.
double one_norm(const std::vector<long double> &m, size_t n) {
  long double worst = 0;
  for (size_t j = 0; j < n; ++j) {
    long double sum = 0;
    for (size_t i = 0; i < n; ++i) sum += std::abs(m[i * n + j]);
    worst = std::max(worst, sum);
  }
  return static_cast<double>(worst);
}

// Row-major a, w, v. Ratios as in LAPACK's dsyt21: ||AV - VW|| / (||A|| n ulp) and ||V'V - I|| / (n ulp), 1-norms.
template <class T>
void expect_decomposition(const std::vector<T> &a, const std::vector<T> &w, const std::vector<T> &v, int64_t order) {
  const auto n = static_cast<size_t>(order);
  const double ulp = std::numeric_limits<T>::epsilon();
  EXPECT_TRUE(std::is_sorted(w.begin(), w.end(), std::greater<>())) << "eigenvalues must descend";
  std::vector<long double> residual(n * n), orthogonality(n * n), full(n * n);
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = 0; j < n; ++j) {
      long double av = 0, vv = 0;
      for (size_t k = 0; k < n; ++k) {
        av += static_cast<long double>(a[i * n + k]) * v[k * n + j];
        vv += static_cast<long double>(v[k * n + i]) * v[k * n + j];
      }
      residual[i * n + j] = av - static_cast<long double>(v[i * n + j]) * w[j];
      orthogonality[i * n + j] = vv - (i == j ? 1 : 0);
      full[i * n + j] = a[i * n + j];
    }
  }
  const double norm = one_norm(full, n), count = static_cast<double>(n);
  const double residual_ratio = norm == 0 ? one_norm(residual, n) / ulp : one_norm(residual, n) / (norm * count * ulp);
  EXPECT_LT(residual_ratio, kMaxResidual);
  EXPECT_LT(one_norm(orthogonality, n) / (count * ulp), kMaxOrthogonality);
}

template <class T>
class Eigh : public testing::Test {
 protected:
  // Row-major results for a compact matrix.
  void run(std::vector<T> &a, int64_t n, const char *uplo = "L") {
    w_.assign(static_cast<size_t>(n), -7);
    v_.assign(static_cast<size_t>(n * n), -7);
    runtime_.run("eigh", {view(a, {n, n})}, {view(w_, {n}), view(v_, {n, n})}, Attributes().set("UPLO", uplo));
  }

  Runtime runtime_ = make_runtime();
  std::vector<T> w_, v_;
};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(Eigh, Types);

TYPED_TEST(Eigh, ResidualAndOrthogonalityAreSmall) {
  for (const int64_t n : {1, 2, 3, 4, 7, 16, 31, 64, 101}) {
    for (const double scale : {1.0, 1e-30, 1e30}) {
      SCOPED_TRACE("n = " + std::to_string(n) + ", scale " + std::to_string(scale));
      std::vector<TypeParam> a = symmetric<TypeParam>(n, static_cast<uint32_t>(n), static_cast<TypeParam>(scale));
      this->run(a, n);
      expect_decomposition(a, this->w_, this->v_, n);
    }
  }
}

TYPED_TEST(Eigh, KnownEigenvaluesDescend) {
  // The second difference matrix: 2 - 2 cos(pi k / (n + 1)).
  constexpr int64_t n = 20;
  std::vector<TypeParam> a(n * n, 0);
  for (size_t i = 0; i < n; ++i) {
    a[i * n + i] = 2;
    if (i > 0) a[i * n + i - 1] = a[(i - 1) * n + i] = -1;
  }
  this->run(a, n);
  for (int64_t j = 0; j < n; ++j) {
    const double expected = 2 - 2 * std::cos(std::numbers::pi * static_cast<double>(n - j) / (n + 1));
    // Weyl: an eigenvalue moves by no more than the residual, bounded as above; ||A||_1 = 4.
    EXPECT_NEAR(this->w_[static_cast<size_t>(j)], expected,
                kMaxResidual * 4 * n * std::numeric_limits<TypeParam>::epsilon());
  }
  expect_decomposition(a, this->w_, this->v_, n);
}

TYPED_TEST(Eigh, RepeatedAndZeroEigenvalues) {
  std::vector<TypeParam> zero(25, 0), ones(25, 1), unit(25, 0);
  for (size_t i = 0; i < 5; ++i) unit[i * 6] = 1;
  for (std::vector<TypeParam> *a : {&zero, &ones, &unit}) {
    this->run(*a, 5);
    expect_decomposition(*a, this->w_, this->v_, 5);
  }
}

TYPED_TEST(Eigh, OnlyTheNamedTriangleIsRead) {
  constexpr int64_t n = 9;
  constexpr TypeParam kNaN = std::numeric_limits<TypeParam>::quiet_NaN();
  const std::vector<TypeParam> full = symmetric<TypeParam>(n, 3);
  for (const std::string uplo : {"L", "U"}) {
    std::vector<TypeParam> half = full;
    for (size_t i = 0; i < n; ++i)
      for (size_t j = 0; j < n; ++j)
        if (uplo == "L" ? j > i : j < i) half[i * n + j] = kNaN;
    this->run(half, n, uplo.c_str());
    expect_decomposition(full, this->w_, this->v_, n);
  }
}

TYPED_TEST(Eigh, AnyStridesGiveTheBitsOfCompactOnes) {
  constexpr int64_t n = 13;
  std::vector<TypeParam> a = symmetric<TypeParam>(n, 5);
  // The upper triangle differs, so that a transposed reading shows.
  for (size_t i = 0; i < n; ++i)
    for (size_t j = i + 1; j < n; ++j) a[i * n + j] = 99;
  this->run(a, n);
  constexpr TypeParam kPoison = -31;
  // A: rows 2 and columns 40 apart, mirrored; W backwards; V column-major with gaps.
  std::vector<TypeParam> a2(2 * n + 40 * n, kPoison), w2(3 * n, kPoison), v2(2 * n * 40, kPoison);
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j < n; ++j) a2[(n - 1 - i) * 2 + (n - 1 - j) * 40] = a[i * n + j];
  const std::vector<TypeParam> before = a2;
  this->runtime_.run("eigh", {view(a2.data() + (n - 1) * 42, {n, n}, {-2, -40})},
                     {view(w2.data() + 3 * (n - 1), {n}, {-3}), view(v2.data(), {n, n}, {2, 40})});
  for (size_t j = 0; j < n; ++j) {
    ASSERT_EQ(w2[3 * (n - 1 - j)], this->w_[j]);
    for (size_t i = 0; i < n; ++i) ASSERT_EQ(v2[2 * i + 40 * j], this->v_[i * n + j]);
  }
  EXPECT_EQ(a2, before);
  EXPECT_EQ(std::count(w2.begin(), w2.end(), kPoison), 2 * n);
  EXPECT_EQ(std::count(v2.begin(), v2.end(), kPoison), 2 * n * 40 - n * n);
}

TYPED_TEST(Eigh, ABatchIsItsMatrices) {
  constexpr int64_t n = 6;
  constexpr size_t kSize = n * n;
  std::vector<TypeParam> batch, w(6 * n), v(6 * kSize);
  for (uint32_t m = 0; m < 6; ++m) {
    const std::vector<TypeParam> a = symmetric<TypeParam>(n, 10 + m);
    batch.insert(batch.end(), a.begin(), a.end());
  }
  this->runtime_.run("eigh", {view(batch, {2, 3, n, n})}, {view(w, {2, 3, n}), view(v, {2, 3, n, n})});
  for (size_t m = 0; m < 6; ++m) {
    std::vector<TypeParam> a(batch.begin() + static_cast<ptrdiff_t>(m * kSize),
                             batch.begin() + static_cast<ptrdiff_t>((m + 1) * kSize));
    this->run(a, n);
    for (size_t j = 0; j < n; ++j) EXPECT_EQ(w[m * n + j], this->w_[j]);
    for (size_t i = 0; i < kSize; ++i) EXPECT_EQ(v[m * kSize + i], this->v_[i]);
  }
}

TYPED_TEST(Eigh, NoMatrixAndNoRows) {
  std::vector<TypeParam> none;
  EXPECT_NO_THROW(this->runtime_.run("eigh", {view(none, {0, 0})}, {view(none, {0}), view(none, {0, 0})}));
  EXPECT_NO_THROW(this->runtime_.run("eigh", {view(none, {3, 0, 0})}, {view(none, {3, 0}), view(none, {3, 0, 0})}));
  EXPECT_NO_THROW(this->runtime_.run("eigh", {view(none, {0, 4, 4})}, {view(none, {0, 4}), view(none, {0, 4, 4})}));
}

TYPED_TEST(Eigh, OneByOneIsItsElement) {
  std::vector<TypeParam> a = {TypeParam(-2.5)};
  this->run(a, 1);
  EXPECT_EQ(this->w_[0], TypeParam(-2.5));
  EXPECT_EQ(std::abs(this->v_[0]), TypeParam(1));
}

TYPED_TEST(Eigh, NotFiniteGivesNaNForThatMatrixAlone) {
  constexpr int64_t n = 4;
  for (const TypeParam bad :
       {std::numeric_limits<TypeParam>::quiet_NaN(), std::numeric_limits<TypeParam>::infinity()}) {
    std::vector<TypeParam> batch = symmetric<TypeParam>(n, 1);
    const std::vector<TypeParam> good = symmetric<TypeParam>(n, 2);
    batch[n + 1] = bad;
    batch.insert(batch.end(), good.begin(), good.end());
    std::vector<TypeParam> w(2 * n), v(2 * n * n);
    this->runtime_.run("eigh", {view(batch, {2, n, n})}, {view(w, {2, n}), view(v, {2, n, n})});
    for (size_t j = 0; j < n; ++j) EXPECT_TRUE(std::isnan(w[j]));
    for (size_t i = 0; i < n * n; ++i) EXPECT_TRUE(std::isnan(v[i]));
    expect_decomposition(good, std::vector<TypeParam>(w.begin() + n, w.end()),
                         std::vector<TypeParam>(v.begin() + n * n, v.end()), n);
  }
}

TYPED_TEST(Eigh, CallsFromManyThreadsDoNotDisturbEachOther) {
  constexpr int64_t n = 40;
  std::vector<TypeParam> a = symmetric<TypeParam>(n, 8);
  this->run(a, n);
  std::vector<std::vector<TypeParam>> w(4, std::vector<TypeParam>(n)), v(4, std::vector<TypeParam>(n * n));
  std::vector<std::thread> threads;
  for (size_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int round = 0; round < 10; ++round) {
        this->runtime_.run("eigh", {view(a, {n, n})}, {view(w[t], {n}), view(v[t], {n, n})});
      }
    });
  }
  for (std::thread &thread : threads) thread.join();
  for (size_t t = 0; t < 4; ++t) expect_decomposition(a, w[t], v[t], n);
}

TEST(EighPlugin, SaysWhatItIs) {
  const Runtime runtime = make_runtime();
  const std::vector<rayo_kernel_info> kernels = runtime.kernels();
  ASSERT_EQ(kernels.size(), 1u);
  EXPECT_STREQ(kernels[0].plugin, "lapack");
  EXPECT_EQ(kernels[0].op, rayo_op_find("eigh"));
  EXPECT_EQ(kernels[0].numerics, RAYO_NUMERICS_STRICT);
}

TEST(EighPlugin, IsMaskedWhereBitsMustReproduce) {
  Runtime runtime = make_runtime();
  std::vector<float> a = {1}, w(1), v(1);
  rayo_run_options options = RAYO_RUN_OPTIONS_INIT;
  options.numerics = RAYO_POLICY_REPRODUCIBLE;
  EXPECT_THROW(
      runtime.run("eigh", std::vector{view(a, {1, 1})}, std::vector{view(w, {1}), view(v, {1, 1})}, {}, &options),
      rayo::Exception);
}

TEST(EighPlugin, RefusesWhatIsNotSquareAndTrianglesThatAreNone) {
  Runtime runtime = make_runtime();
  std::vector<float> a(6), w(2), v(6);
  EXPECT_THROW(runtime.run("eigh", {view(a, {2, 3})}, {view(w, {2}), view(v, {2, 3})}), rayo::Exception);
  EXPECT_THROW(runtime.run("eigh", {view(a.data(), {2, 2})}, {view(w, {2}), view(v.data(), {2, 2})},
                           Attributes().set("UPLO", "X")),
               rayo::Exception);
}

}  // namespace
}  // namespace rayo_test
