// SPDX-License-Identifier: Apache-2.0
//
// What the plugin tests share: the plugins under test (with the scalar one twice, with and without hardware FMA),
// seeded data, strided tensors, comparison by bits with any NaN equal to any NaN.
#ifndef RAYO_PLUGINS_TESTS_CASES_H
#define RAYO_PLUGINS_TESTS_CASES_H

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "plugin_harness.h"

namespace rayo_test {

inline const std::vector<std::unique_ptr<Plugin>> &plugins() {
  static const std::vector<std::unique_ptr<Plugin>> list = [] {
    std::vector<std::unique_ptr<Plugin>> l;
    std::istringstream files(RAYO_TEST_PLUGINS);
    for (std::string file; std::getline(files, file, ':');) {
      auto p = std::make_unique<Plugin>(file.c_str(), host_features());
      if (p->name().empty()) continue;  // this machine lacks its instructions
      const bool scalar = p->name() == "scalar";
      l.push_back(std::move(p));
      if (scalar) l.push_back(std::make_unique<Plugin>(file.c_str(), host_features(RAYO_CPU_FMA)));
    }
    return l;
  }();
  return list;
}

template <class T>
DLDataType dtype_of();
template <>
inline DLDataType dtype_of<float>() {
  return RAYO_F32;
}
template <>
inline DLDataType dtype_of<double>() {
  return RAYO_F64;
}
template <>
inline DLDataType dtype_of<int64_t>() {
  return RAYO_I64;
}

/// Uniform in [-1, 1) with scattered special values where `specials`.
template <class T>
std::vector<T> make_data(size_t n, uint64_t seed, bool specials = false) {
  const T table[] = {T(0),     T(-0.0), std::numeric_limits<T>::infinity(),   -std::numeric_limits<T>::infinity(),
                     T(NAN),   T(1),    std::numeric_limits<T>::denorm_min(), -std::numeric_limits<T>::denorm_min(),
                     T(-1e30), T(88.7)};
  std::vector<T> x(n);
  uint64_t s = seed * 2862933555777941757u + 3037000493u;
  for (T &v : x) {
    s = s * 6364136223846793005u + 1442695040888963407u;
    v = static_cast<T>(static_cast<double>(static_cast<int64_t>(s)) * 0x1p-63);
    if (specials && (s >> 33) % 7 == 0) v = table[(s >> 40) % 10];
  }
  return x;
}

template <class T>
bool same_bits(T a, T b) {
  return (std::isnan(a) && std::isnan(b)) || std::memcmp(&a, &b, sizeof(T)) == 0;
}

template <class T>
::testing::AssertionResult same_bits(const std::vector<T> &got, const std::vector<T> &want) {
  if (got.size() != want.size()) return ::testing::AssertionFailure() << "sizes differ";
  for (size_t i = 0; i < got.size(); ++i) {
    if (!same_bits(got[i], want[i])) {
      return ::testing::AssertionFailure() << "element " << i << ": got " << got[i] << ", want " << want[i];
    }
  }
  return ::testing::AssertionSuccess();
}

/// A tensor inside a larger allocation whose every other element is a canary.
template <class T>
struct Strided {
  View view;
  std::vector<T> memory;
  size_t origin = 0;

  /// `order` permutes which axis is innermost in memory; `gap` spreads it; `flip` walks it backwards.
  Strided(std::vector<int64_t> shape, const std::vector<int> &order, int64_t gap, bool flip) {
    view.shape = std::move(shape);
    view.dtype = dtype_of<T>();
    view.strides.assign(view.shape.size(), 0);
    int64_t step = gap;
    for (size_t i = order.size(); i-- > 0;) {
      view.strides[static_cast<size_t>(order[i])] = step;
      step *= std::max<int64_t>(1, view.shape[static_cast<size_t>(order[i])]);
    }
    memory.assign(static_cast<size_t>(step) + 1, T(-77));
    if (flip && !order.empty()) {
      const auto axis = static_cast<size_t>(order.back());
      origin = static_cast<size_t>(view.strides[axis] * std::max<int64_t>(0, view.shape[axis] - 1));
      view.strides[axis] = -view.strides[axis];
    }
  }
  T *data() { return memory.data() + origin; }
  size_t count() const {
    size_t n = 1;
    for (int64_t e : view.shape) n *= static_cast<size_t>(e);
    return n;
  }
  T &at(size_t index) {
    int64_t offset = 0;
    for (size_t i = view.shape.size(); i-- > 0;) {
      const auto extent = static_cast<size_t>(view.shape[i]);
      offset += static_cast<int64_t>(index % extent) * view.strides[i];
      index /= extent;
    }
    return memory[static_cast<size_t>(static_cast<int64_t>(origin) + offset)];
  }
  void fill(const std::vector<T> &x) {
    for (size_t i = 0; i < x.size(); ++i) at(i) = x[i];
  }
  std::vector<T> values() {
    std::vector<T> x(count());
    for (size_t i = 0; i < x.size(); ++i) x[i] = at(i);
    return x;
  }
  /// Elements that belong to nobody still hold the canary.
  bool canaries_alive() {
    const std::vector<T> x = values();
    for (size_t i = 0; i < x.size(); ++i) at(i) = T(-77);
    bool alive = true;
    for (T v : memory) alive = alive && v == T(-77);
    fill(x);
    return alive;
  }
};

}  // namespace rayo_test

#endif  // RAYO_PLUGINS_TESTS_CASES_H
