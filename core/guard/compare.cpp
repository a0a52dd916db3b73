// SPDX-License-Identifier: Apache-2.0
#include "guard/compare.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "guard/elements.hpp"

namespace rayo {
namespace {

bool is_float(DLDataType dtype) { return dtype.code == kDLFloat || dtype.code == kDLBfloat; }

// Infinity counts as the largest number where the other value is finite: a sum may overflow on one way only.
double finite(DLDataType dtype, double value) {
  if (!std::isinf(value)) return value;
  double most = std::numeric_limits<double>::max();
  if (dtype.bits == 32 || dtype.code == kDLBfloat) most = std::ldexp(1.0, 128);
  if (dtype.bits == 16 && dtype.code == kDLFloat) most = 65536;
  return std::copysign(most, value);
}

struct Distance {
  double apart = 0;
  double allowed = 0;
};

Distance judge(DLDataType dtype, double actual, double expected, size_t index, const Tolerance &tolerance) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (std::isnan(actual) || std::isnan(expected)) {
    // Infinite bounds are those of sums that overflow: NaN is legal there.
    const double value = std::isnan(actual) ? expected : actual;
    const bool anything = tolerance && !std::isnan(value) && std::isinf(tolerance(index, 0, 0));
    return {anything ? 0 : kInfinity, 0};
  }
  if (!tolerance) return {std::fabs(actual - expected), 0};
  const double a = finite(dtype, actual);
  const double e = finite(dtype, expected);
  return {std::fabs(a - e), tolerance(index, a, e)};
}

}  // namespace

bool differs(const OperandDesc &operand, const std::vector<char> &actual, const std::vector<char> &expected,
             const std::function<Tolerance()> &tolerance, Finding *finding) {
  if (actual == expected) return false;
  const DLDataType dtype = operand.dtype;
  const size_t item = dtype.bits / 8;
  Tolerance allowed;
  bool asked = false;
  double worst = -1;
  finding->total = actual.size() / item;
  for (size_t i = 0; i < finding->total; ++i) {
    const char *a = actual.data() + i * item;
    const char *e = expected.data() + i * item;
    if (std::memcmp(a, e, item) == 0) continue;
    const double value = element_value(dtype, a);
    const double other = element_value(dtype, e);
    if (is_float(dtype) && std::isnan(value) && std::isnan(other)) continue;
    if (!asked && tolerance) allowed = tolerance();
    asked = true;
    const Distance distance = judge(dtype, value, other, i, allowed);
    if (allowed && distance.apart <= distance.allowed) continue;
    ++finding->wrong;
    const double badness = distance.allowed > 0 ? distance.apart / distance.allowed : distance.apart;
    if (badness <= worst) continue;
    worst = badness;
    finding->index = i;
    finding->actual = value;
    finding->expected = other;
    finding->allowed = distance.allowed;
  }
  finding->compared = true;
  return finding->wrong != 0;
}

}  // namespace rayo
