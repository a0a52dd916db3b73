// SPDX-License-Identifier: Apache-2.0
#include "layout.h"

namespace rayo::vulkan {

void Layout::push(int64_t extent, const std::array<int64_t, kMaxLayoutOperands> &strides) {
  if (extent == 1) return;
  if (!axes_.empty()) {
    Axis &inner = axes_.back();
    bool merges = true;
    for (size_t k = 0; k < strides.size(); ++k) merges = merges && strides[k] == inner.stride[k] * inner.extent;
    if (merges) {
      inner.extent *= extent;
      return;
    }
  }
  axes_.push_back({extent, strides});
}

int64_t Layout::count() const {
  int64_t product = 1;
  for (const Axis &a : axes_) product *= a.extent;
  return product;
}

int64_t Layout::outer_count(int first) const {
  int64_t product = 1;
  for (int i = first; i < size(); ++i) product *= axis(i).extent;
  return product;
}

std::vector<std::array<int64_t, kMaxLayoutOperands>> Layout::outer(int first) const {
  std::vector<std::array<int64_t, kMaxLayoutOperands>> all;
  const int64_t total = outer_count(first);
  for (int64_t i = 0; i < total; ++i) {
    std::array<int64_t, kMaxLayoutOperands> at{};
    int64_t rest = i;
    for (int a = first; a < size(); ++a) {
      const int64_t index = rest % axis(a).extent;
      rest /= axis(a).extent;
      for (size_t k = 0; k < at.size(); ++k) at[k] += index * axis(a).stride[k];
    }
    all.push_back(at);
  }
  return all;
}

}  // namespace rayo::vulkan
