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

/// The lane order over a sequence; `step(lane, i)` accumulates element i.
template <class T, class Step>
T lane_order(Fold f, std::size_t n, Step step) {
  const std::size_t lanes = 256 / sizeof(T);
  const std::size_t block = 256 * lanes;
  std::vector<T> results;
  for (std::size_t first = 0; first == 0 || first < n; first += block) {
    std::vector<T> lane(lanes, fold_identity<T>(f));
    for (std::size_t i = first; i < n && i < first + block; ++i)
      lane[(i - first) % lanes] = step(lane[(i - first) % lanes], i);
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
template <class T>
T chain_order(Fold f, const std::vector<T> &x) {
  std::vector<T> results;
  for (std::size_t first = 0; first == 0 || first < x.size(); first += 256) {
    T acc = fold_identity<T>(f);
    for (std::size_t i = first; i < x.size() && i < first + 256; ++i) acc = fold(f, acc, x[i]);
    results.push_back(acc);
  }
  return pairwise(f, results);
}

}  // namespace rayo_test

#endif  // RAYO_PLUGINS_TESTS_REFERENCE_H
