// SPDX-License-Identifier: Apache-2.0
//
// Shapes and the strides of several operands in as few axes as the shaders take.
#pragma once

#include <rayo/types.h>

#include <array>
#include <cstdint>
#include <vector>

namespace rayo::vulkan {

inline constexpr int kMaxLayoutOperands = 4;

struct Axis {
  int64_t extent = 1;
  std::array<int64_t, kMaxLayoutOperands> stride{};
};

// Axes innermost first. Neighbours that every operand steps through as one are merged, extents of 1 dropped; the
// row-major order of the elements is kept.
class Layout {
 public:
  // Axes come from inner to outer.
  void push(int64_t extent, const std::array<int64_t, kMaxLayoutOperands> &strides);
  int size() const { return static_cast<int>(axes_.size()); }
  const Axis &axis(int i) const { return axes_[static_cast<size_t>(i)]; }
  int64_t extent(int i) const { return i < size() ? axis(i).extent : 1; }
  int64_t stride(int i, int operand) const { return i < size() ? axis(i).stride[static_cast<size_t>(operand)] : 0; }
  int64_t count() const;  // of elements

  // Every index over the axes from `first` outwards, as the offsets of the operands: what the host walks.
  std::vector<std::array<int64_t, kMaxLayoutOperands>> outer(int first) const;
  int64_t outer_count(int first) const;

 private:
  std::vector<Axis> axes_;
};

// Most dispatches that one call is cut into along axes that the shader does not take.
inline constexpr int64_t kMaxOuter = 4096;

}  // namespace rayo::vulkan
