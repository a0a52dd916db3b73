// SPDX-License-Identifier: Apache-2.0
#include <cpu/layout.h>

namespace rayo {
namespace {

int64_t magnitude(int64_t x) { return x < 0 ? -x : x; }

void swap_axes(Layout *l, int32_t a, int32_t b) {
  const int64_t n = l->shape[a];
  l->shape[a] = l->shape[b];
  l->shape[b] = n;
  for (int32_t k = 0; k < l->operands; ++k) {
    const int64_t s = l->strides[k][a];
    l->strides[k][a] = l->strides[k][b];
    l->strides[k][b] = s;
  }
}

}  // namespace

void layout_push(Layout *layout, int64_t extent, const int64_t *strides) {
  layout->shape[layout->ndim] = extent;
  for (int32_t k = 0; k < layout->operands; ++k) layout->strides[k][layout->ndim] = strides[k];
  ++layout->ndim;
}

void layout_coalesce(Layout *layout) {
  int32_t n = 0;
  for (int32_t i = 0; i < layout->ndim; ++i) {
    const int64_t extent = layout->shape[i];
    if (extent == 1) continue;
    bool merges = n > 0;
    for (int32_t k = 0; k < layout->operands && merges; ++k) {
      merges = layout->strides[k][n - 1] == extent * layout->strides[k][i];
    }
    if (merges) {
      --n;
      layout->shape[n] *= extent;
    } else {
      layout->shape[n] = extent;
    }
    for (int32_t k = 0; k < layout->operands; ++k) layout->strides[k][n] = layout->strides[k][i];
    ++n;
  }
  layout->ndim = n;
}

void layout_sort(Layout *layout, int32_t by) {
  const int64_t *s = layout->strides[by];
  for (int32_t i = 1; i < layout->ndim; ++i) {
    for (int32_t j = i; j > 0 && magnitude(s[j - 1]) < magnitude(s[j]); --j) swap_axes(layout, j - 1, j);
  }
}

int64_t layout_count(const Layout &layout, int32_t first, int32_t last) {
  int64_t n = 1;
  for (int32_t i = first; i < last; ++i) n *= layout.shape[i];
  return n;
}

void layout_offsets(const Layout &layout, int32_t first, int32_t last, int64_t index, int64_t *out) {
  for (int32_t k = 0; k < layout.operands; ++k) out[k] = 0;
  for (int32_t i = last - 1; i >= first; --i) {
    if (layout.shape[i] == 0) continue;
    const int64_t at = index % layout.shape[i];
    index /= layout.shape[i];
    for (int32_t k = 0; k < layout.operands; ++k) out[k] += at * layout.strides[k][i];
  }
}

void walk_start(LayoutWalk *walk, const Layout &layout, int32_t ndim, int64_t index) {
  walk->layout = &layout;
  walk->ndim = ndim;
  layout_offsets(layout, 0, ndim, index, walk->offset);
  for (int32_t i = ndim - 1; i >= 0; --i) {
    walk->index[i] = 0;
    if (layout.shape[i] == 0) continue;
    walk->index[i] = index % layout.shape[i];
    index /= layout.shape[i];
  }
}

void walk_next(LayoutWalk *walk) {
  const Layout &l = *walk->layout;
  for (int32_t i = walk->ndim - 1; i >= 0; --i) {
    if (++walk->index[i] < l.shape[i]) {
      for (int32_t k = 0; k < l.operands; ++k) walk->offset[k] += l.strides[k][i];
      return;
    }
    for (int32_t k = 0; k < l.operands; ++k) walk->offset[k] -= (l.shape[i] - 1) * l.strides[k][i];
    walk->index[i] = 0;
  }
}

}  // namespace rayo
