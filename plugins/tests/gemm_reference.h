// SPDX-License-Identifier: Apache-2.0
//
// The contract's arithmetic for matmul and gemm, one element at a time with std::fma, and matrices with awkward strides
// to try it on. Written from doc/numerics_gemm.md, not from the kernels.
#ifndef RAYO_PLUGINS_TESTS_GEMM_REFERENCE_H
#define RAYO_PLUGINS_TESTS_GEMM_REFERENCE_H

#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <random>
#include <vector>

namespace rayo::test {

template <class T>
bool same_bits(T a, T b) {
  return (std::isnan(a) && std::isnan(b)) || std::memcmp(&a, &b, sizeof(T)) == 0;
}

/// acc = fma(x_p, y_p, acc) for p ascending, from +0. x and y give an element by its index.
template <class T, class X, class Y>
T chain(int64_t k, const X &x, const Y &y) {
  T acc = 0;
  for (int64_t p = 0; p < k; ++p) acc = std::fma(x(p), y(p), acc);
  return acc;
}

/// The dot order: W lanes per block of B elements, zeros to a whole number of groups, halving, blocks pairwise.
template <class T, class X, class Y>
T dot_order(int64_t k, const X &x, const Y &y) {
  const int64_t lanes = sizeof(T) == 4 ? 64 : 32;
  const int64_t block = sizeof(T) == 4 ? 16384 : 8192;
  std::vector<T> results;
  for (int64_t start = 0; start < k; start += block) {
    const int64_t n = std::min(block, k - start);
    std::vector<T> lane(static_cast<size_t>(lanes), T(0));
    for (int64_t i = 0; i < (n + lanes - 1) / lanes * lanes; ++i) {
      T &acc = lane[static_cast<size_t>(i % lanes)];
      acc = i < n ? std::fma(x(start + i), y(start + i), acc) : std::fma(T(0), T(0), acc);
    }
    for (int64_t h = lanes / 2; h > 0; h /= 2) {
      for (int64_t l = 0; l < h; ++l) lane[static_cast<size_t>(l)] += lane[static_cast<size_t>(l + h)];
    }
    results.push_back(lane[0]);
  }
  if (results.empty()) return T(0);
  while (results.size() > 1) {
    std::vector<T> next;
    for (size_t i = 0; i + 1 < results.size(); i += 2) next.push_back(results[i] + results[i + 1]);
    if (results.size() % 2 == 1) next.push_back(results.back());
    results = next;
  }
  return results[0];
}

/// A matrix in memory of its own, larger than needed: everything around its elements holds a sentinel.
template <class T>
struct Matrix {
  enum class Form { kCompact, kPadded, kColumns, kReversed, kSparse, kRowRepeat, kColumnRepeat };
  static constexpr int kInputForms = 7;
  static constexpr int kOutputForms = 5;  // the forms without stride 0

  int64_t rows, cols, rs = 0, cs = 0;
  std::vector<T> storage;
  int64_t origin = 0;

  Matrix(int64_t rows_, int64_t cols_, Form form) : rows(rows_), cols(cols_) {
    const int64_t r = std::max<int64_t>(rows, 1), c = std::max<int64_t>(cols, 1);
    switch (form) {
      case Form::kCompact:
        rs = c, cs = 1;
        break;
      case Form::kPadded:
        rs = c + 5, cs = 1;
        break;
      case Form::kColumns:
        rs = 1, cs = r + 3;
        break;
      case Form::kReversed:
        rs = -(2 * c + 3), cs = -2;
        break;
      case Form::kSparse:
        rs = 3 * c + 1, cs = 3;
        break;
      case Form::kRowRepeat:
        rs = 0, cs = 1;
        break;
      case Form::kColumnRepeat:
        rs = 1, cs = 0;
        break;
    }
    const int64_t low = std::min<int64_t>(0, (r - 1) * rs) + std::min<int64_t>(0, (c - 1) * cs);
    const int64_t high = std::max<int64_t>(0, (r - 1) * rs) + std::max<int64_t>(0, (c - 1) * cs);
    storage.assign(static_cast<size_t>(high - low + 1), sentinel());
    origin = -low;
  }

  static T sentinel() { return T(-12345.0); }
  T &at(int64_t i, int64_t j) { return storage[static_cast<size_t>(origin + i * rs + j * cs)]; }
  T at(int64_t i, int64_t j) const { return storage[static_cast<size_t>(origin + i * rs + j * cs)]; }
  T *data() { return storage.data() + origin; }
  const T *data() const { return storage.data() + origin; }

  void fill_random(std::mt19937 &random) {
    std::uniform_real_distribution<T> uniform(-1, 1);
    fill([&] { return uniform(random); });
  }
  void fill(const std::function<T()> &next) {
    for (int64_t i = 0; i < rows; ++i) {
      for (int64_t j = 0; j < cols; ++j) at(i, j) = next();
    }
  }
  /// Elements of storage that hold something other than the sentinel, less those of the matrix.
  int64_t stray_writes() const {
    int64_t written = 0;
    for (const T &x : storage) written += same_bits(x, sentinel()) ? 0 : 1;
    int64_t own = 0;
    for (int64_t i = 0; i < rows; ++i) {
      for (int64_t j = 0; j < cols; ++j) own += same_bits(at(i, j), sentinel()) ? 0 : 1;
    }
    return written - own;
  }
};

}  // namespace rayo::test

#endif  // RAYO_PLUGINS_TESTS_GEMM_REFERENCE_H
