// SPDX-License-Identifier: Apache-2.0
//
// The arithmetic contract's orders of combination, written plainly from plugin-api/doc/numerics.md: what the plugins'
// reductions must equal bit by bit. Shares no code with plugins/kernels.
#ifndef RAYO_PLUGINS_TESTS_REFERENCE_H
#define RAYO_PLUGINS_TESTS_REFERENCE_H

#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

namespace rayo_test {

template <class T>
T ref_max(T a, T b) {
  if (std::isnan(a) || std::isnan(b)) return std::numeric_limits<T>::quiet_NaN();
  if (a == 0 && b == 0) return std::signbit(a) && std::signbit(b) ? T(-0.0) : T(0.0);
  return a < b ? b : a;
}
template <class T>
T ref_min(T a, T b) {
  return -ref_max(-a, -b);
}

enum class Fold { sum, max, min };

template <class T>
T fold_identity(Fold f) {
  const T inf = std::numeric_limits<T>::infinity();
  return f == Fold::sum ? T(0) : (f == Fold::max ? -inf : inf);
}
template <class T>
T fold(Fold f, T a, T b) {
  return f == Fold::sum ? a + b : (f == Fold::max ? ref_max(a, b) : ref_min(a, b));
}

/// r'_i = r_2i + r_2i+1 level by level; an odd last one is carried.
template <class T>
T pairwise(Fold f, std::vector<T> r) {
  while (r.size() > 1) {
    std::vector<T> next;
    for (std::size_t i = 0; i + 1 < r.size(); i += 2) next.push_back(fold(f, r[i], r[i + 1]));
    if (r.size() % 2 != 0) next.push_back(r.back());
    r = next;
  }
  return r[0];
}

/// The lane order over a sequence; `step(lane, i)` accumulates element i. A short block is filled to a multiple of the
/// lanes with elements that add the identity: this turns a -0 into +0 where the fold is a sum.
template <class T, class Step>
T lane_order(Fold f, std::size_t n, Step step) {
  const std::size_t lanes = 256 / sizeof(T);
  const std::size_t block = 256 * lanes;
  std::vector<T> results;
  for (std::size_t first = 0; first == 0 || first < n; first += block) {
    std::vector<T> lane(lanes, fold_identity<T>(f));
    for (std::size_t i = first; i < n && i < first + block; ++i)
      lane[(i - first) % lanes] = step(lane[(i - first) % lanes], i);
    for (std::size_t i = (n < first + block ? n - first : block); i % lanes != 0; ++i)
      lane[i % lanes] = fold(f, lane[i % lanes], fold_identity<T>(f));
    for (std::size_t h = lanes / 2; h >= 1; h /= 2) {
      for (std::size_t l = 0; l < h; ++l) lane[l] = fold(f, lane[l], lane[l + h]);
    }
    results.push_back(lane[0]);
  }
  return pairwise(f, results);
}
template <class T>
T lane_order(Fold f, const std::vector<T> &x) {
  return lane_order<T>(f, x.size(), [&](T lane, std::size_t i) { return fold(f, lane, x[i]); });
}

/// The chain order over a sequence.
template <class T, class Step>
T chain_order(Fold f, std::size_t n, Step step) {
  std::vector<T> results;
  for (std::size_t first = 0; first == 0 || first < n; first += 256) {
    T acc = fold_identity<T>(f);
    for (std::size_t i = first; i < n && i < first + 256; ++i) acc = step(acc, i);
    results.push_back(acc);
  }
  return pairwise(f, results);
}
template <class T>
T chain_order(Fold f, const std::vector<T> &x) {
  return chain_order<T>(f, x.size(), [&](T acc, std::size_t i) { return fold(f, acc, x[i]); });
}

/// The order that the axes ask for.
template <class T, class Step>
T ordered(bool lanes, Fold f, std::size_t n, Step step) {
  return lanes ? lane_order<T>(f, n, step) : chain_order<T>(f, n, step);
}

/// reduce_l1, reduce_l2 and variance of a sequence.
template <class T>
T ref_l1(bool lanes, const std::vector<T> &x) {
  return ordered<T>(lanes, Fold::sum, x.size(), [&](T acc, std::size_t i) { return acc + std::fabs(x[i]); });
}
template <class T>
T ref_sum_squares(bool lanes, const std::vector<T> &x) {
  return ordered<T>(lanes, Fold::sum, x.size(), [&](T acc, std::size_t i) { return std::fma(x[i], x[i], acc); });
}
template <class T>
T ref_mean(bool lanes, const std::vector<T> &x) {
  return (lanes ? lane_order(Fold::sum, x) : chain_order(Fold::sum, x)) / static_cast<T>(x.size());
}
template <class T>
T ref_variance(bool lanes, const std::vector<T> &x, long correction) {
  const long divisor = static_cast<long>(x.size()) - correction;
  if (divisor <= 0) return std::numeric_limits<T>::quiet_NaN();
  std::vector<T> d(x.size());
  const T mean = ref_mean(lanes, x);
  for (std::size_t i = 0; i < x.size(); ++i) d[i] = x[i] - mean;
  return ref_sum_squares(lanes, d) / static_cast<T>(divisor);
}

}  // namespace rayo_test

#endif  // RAYO_PLUGINS_TESTS_REFERENCE_H
