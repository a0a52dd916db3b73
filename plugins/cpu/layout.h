// SPDX-License-Identifier: Apache-2.0
//
// Shapes with the strides of several operands in one canonical form, so that kernels meet few cases: axes of extent 1
// dropped, axes that are contiguous for every operand merged.
#ifndef RAYO_PLUGINS_CPU_LAYOUT_H
#define RAYO_PLUGINS_CPU_LAYOUT_H

#include <rayo/types.h>

namespace rayo {

inline constexpr int kMaxLayoutOperands = 4;

/// Extents and, per operand, strides in elements. Plain data: lives in states.
struct Layout {
  int32_t ndim;
  int32_t operands;
  int64_t shape[RAYO_MAX_NDIM];
  int64_t strides[kMaxLayoutOperands][RAYO_MAX_NDIM];
};

/// Appends an axis; `strides` has one entry per operand. Axes come from outer to inner.
void layout_push(Layout *layout, int64_t extent, const int64_t *strides);
/// Merges neighbouring axes that every operand steps through as one, and drops axes of extent 1. Order of elements
/// kept.
void layout_coalesce(Layout *layout);
/// Orders axes so that operand `by` is walked by falling |stride|: for results that do not depend on order.
void layout_sort(Layout *layout, int32_t by);
/// Product of the extents of axes [first, last).
int64_t layout_count(const Layout &layout, int32_t first, int32_t last);
/// Offset of each operand at the row-major index `index` over axes [first, last), written to out[operand].
void layout_offsets(const Layout &layout, int32_t first, int32_t last, int64_t index, int64_t *out);

/// Walks the offsets of all operands in row-major order over axes [0, ndim).
struct LayoutWalk {
  const Layout *layout;
  int32_t ndim;
  int64_t index[RAYO_MAX_NDIM];
  int64_t offset[kMaxLayoutOperands];
};
void walk_start(LayoutWalk *walk, const Layout &layout, int32_t ndim, int64_t index);
void walk_next(LayoutWalk *walk);

}  // namespace rayo

#endif  // RAYO_PLUGINS_CPU_LAYOUT_H
