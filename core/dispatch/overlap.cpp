// SPDX-License-Identifier: Apache-2.0
#include "dispatch/overlap.hpp"

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <vector>

namespace rayo {
namespace {

constexpr int64_t kMostRuns = 65536;

struct Axis {
  int64_t extent;
  int64_t stride;  // bytes, > 0
};

struct Layout {
  int64_t low = 0;   // bytes from element 0 to the lowest element
  int64_t item = 0;  // bytes of a run
  int64_t runs = 1;  // number of runs
  std::vector<Axis> axes;
};

// Positive strides, axes of extent 1 and stride 0 dropped, innermost contiguous axes folded into the run.
Layout normalise(const OperandDesc &operand) {
  Layout layout;
  layout.item = operand.dtype.bits / 8;
  const int64_t size = layout.item;
  for (int32_t i = 0; i < operand.ndim; ++i) {
    const int64_t stride = operand.strides[i] * size;
    if (operand.shape[i] <= 1 || stride == 0) continue;
    if (stride < 0) layout.low += stride * (operand.shape[i] - 1);
    layout.axes.push_back({operand.shape[i], std::abs(stride)});
  }
  std::sort(layout.axes.begin(), layout.axes.end(), [](Axis x, Axis y) { return x.stride < y.stride; });
  while (!layout.axes.empty() && layout.axes.front().stride <= layout.item) {
    layout.item = layout.axes.front().stride * (layout.axes.front().extent - 1) + layout.item;
    layout.axes.erase(layout.axes.begin());
  }
  for (const Axis &axis : layout.axes) {
    layout.runs = axis.extent > kMostRuns ? kMostRuns + 1 : std::min(layout.runs * axis.extent, kMostRuns + 1);
  }
  return layout;
}

std::vector<uintptr_t> run_starts(const Layout &layout, uintptr_t at) {
  std::vector<uintptr_t> starts{at + static_cast<uintptr_t>(layout.low)};
  for (const Axis &axis : layout.axes) {
    const size_t count = starts.size();
    for (int64_t i = 1; i < axis.extent; ++i) {
      for (size_t j = 0; j < count; ++j) starts.push_back(starts[j] + static_cast<uintptr_t>(i * axis.stride));
    }
  }
  std::sort(starts.begin(), starts.end());
  return starts;
}

// Every address of both is congruent to its start modulo the gcd of all strides: can the runs meet at all?
bool gcd_disjoint(const Layout &a, uintptr_t a_at, const Layout &b, uintptr_t b_at) {
  int64_t gcd = 0;
  for (const Axis &axis : a.axes) gcd = std::gcd(gcd, axis.stride);
  for (const Axis &axis : b.axes) gcd = std::gcd(gcd, axis.stride);
  if (gcd == 0) return false;
  const auto from_a = static_cast<int64_t>(b_at + static_cast<uintptr_t>(b.low) - a_at - static_cast<uintptr_t>(a.low));
  const int64_t offset = ((from_a % gcd) + gcd) % gcd;
  return offset >= a.item && offset + b.item <= gcd;
}

}  // namespace

ByteSpan byte_span(const OperandDesc &operand) {
  ByteSpan span;
  const int64_t item = operand.dtype.bits / 8;
  if (operand.elements() == 0) return span;
  span.high = item;
  for (int32_t i = 0; i < operand.ndim; ++i) {
    const int64_t reach = operand.strides[i] * item * (operand.shape[i] - 1);
    (reach < 0 ? span.low : span.high) += reach;
  }
  return span;
}

bool disjoint(const OperandDesc &a, uintptr_t a_at, const OperandDesc &b, uintptr_t b_at) {
  const ByteSpan sa = byte_span(a);
  const ByteSpan sb = byte_span(b);
  if (sa.low == sa.high || sb.low == sb.high) return true;
  const uintptr_t a_low = a_at + static_cast<uintptr_t>(sa.low);
  const uintptr_t b_low = b_at + static_cast<uintptr_t>(sb.low);
  if (a_low + static_cast<uintptr_t>(sa.high - sa.low) <= b_low) return true;
  if (b_low + static_cast<uintptr_t>(sb.high - sb.low) <= a_low) return true;
  const Layout la = normalise(a);
  const Layout lb = normalise(b);
  if (gcd_disjoint(la, a_at, lb, b_at)) return true;
  if (la.runs > kMostRuns || lb.runs > kMostRuns) return false;
  const std::vector<uintptr_t> ra = run_starts(la, a_at);
  const std::vector<uintptr_t> rb = run_starts(lb, b_at);
  for (size_t i = 0, j = 0; i < ra.size() && j < rb.size();) {
    if (ra[i] + static_cast<uintptr_t>(la.item) <= rb[j]) {
      ++i;
    } else if (rb[j] + static_cast<uintptr_t>(lb.item) <= ra[i]) {
      ++j;
    } else {
      return false;
    }
  }
  return true;
}

bool distinct_elements(const OperandDesc &operand) {
  if (operand.elements() == 0) return true;
  std::vector<Axis> axes;
  for (int32_t i = 0; i < operand.ndim; ++i) {
    if (operand.shape[i] > 1) axes.push_back({operand.shape[i], std::abs(operand.strides[i])});
  }
  std::sort(axes.begin(), axes.end(), [](Axis x, Axis y) { return x.stride < y.stride; });
  int64_t reach = 0;  // elements spanned by the axes so far, less one
  for (const Axis &axis : axes) {
    if (axis.stride <= reach) return false;
    reach += axis.stride * (axis.extent - 1);
  }
  return true;
}

}  // namespace rayo
