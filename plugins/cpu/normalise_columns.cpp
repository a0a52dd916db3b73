// SPDX-License-Identifier: Apache-2.0
//
// softmax and log_softmax along an axis that is not the last one: strips of columns, each column a chain.
#include <cpu/normalise.h>

namespace rayo {
namespace {

constexpr int64_t kStrip = 256;  // columns of a strip

template <class T>
struct Columns {
  const T *x;
  T *y;
  int64_t sx;  // from column to column
  int64_t sy;
  int64_t n;
};

/// m[c] = maximum of column c. part: kStrip elements of scratch.
template <class T>
void columns_max(const SoftmaxState &s, const Columns<T> &c, T *m, T *part) {
  const ReduceLoops<T> &reduce = reduce_loops<T>(*s.tables);
  int64_t offset[kChainBlock];
  for (int64_t first = 0; first < s.length; first += kChainBlock) {
    const int64_t rows = min64(kChainBlock, s.length - first);
    for (int64_t r = 0; r < rows; ++r) offset[r] = (first + r) * s.sx;
    reduce.chain[kReduceMax](c.x, offset, rows, c.sx, first == 0 ? m : part, c.n);
    if (first != 0) reduce.combine[kReduceMax](m, part, c.n);
  }
}

/// levels[c] = the sum of the exponentials of column c; they are left in y, unless the logarithm is wanted.
template <class T>
void columns_sum(const SoftmaxState &s, const Columns<T> &c, const T *m, T *levels) {
  const ReduceLoops<T> &reduce = reduce_loops<T>(*s.tables);
  const SoftmaxLoops<T> &loops = softmax_loops<T>(*s.tables);
  int64_t top = -1;
  for (int64_t block = 0; block < s.blocks; ++block) {
    ++top;
    T *sum = levels + top * kStrip;
    memset(sum, 0, static_cast<uint64_t>(c.n) * sizeof(T));
    const int64_t end = min64((block + 1) * kChainBlock, s.length);
    for (int64_t r = block * kChainBlock; r < end; ++r) {
      if (s.log) {
        loops.exp_total_row(c.x + r * s.sx, c.sx, m, sum, c.n);
      } else {
        loops.exp_row(c.x + r * s.sx, c.sx, m, c.y + r * s.sy, c.sy, sum, c.n);
      }
    }
    for (int64_t b = block; (b & 1) != 0; b >>= 1) {
      --top;
      reduce.combine[kReduceSum](levels + top * kStrip, levels + (top + 1) * kStrip, c.n);
    }
  }
  for (; top > 0; --top) reduce.combine[kReduceSum](levels + (top - 1) * kStrip, levels + top * kStrip, c.n);
}

/// Workspace: maxima, scratch, then the levels of the pairwise sum, kStrip elements each.
template <class T>
void softmax_columns(const SoftmaxState &s, const Columns<T> &c, T *space) {
  const SoftmaxLoops<T> &loops = softmax_loops<T>(*s.tables);
  T *m = space;
  T *sum = space + 2 * kStrip;
  columns_max(s, c, m, space + kStrip);
  columns_sum(s, c, m, sum);
  if (s.log) {
    loops.log(sum, c.n);
    for (int64_t r = 0; r < s.length; ++r) {
      loops.log_rest_row(c.x + r * s.sx, c.sx, m, sum, c.y + r * s.sy, c.sy, c.n);
    }
    return;
  }
  loops.invert(sum, c.n);
  for (int64_t r = 0; r < s.length; ++r) loops.scale_row(c.y + r * s.sy, c.sy, sum, c.n);
}

template <class T>
void columns_task(void *ctx, uint64_t task, uint32_t worker) {
  const rayo_call &call = *static_cast<const rayo_call *>(ctx);
  const SoftmaxState &s = *static_cast<const SoftmaxState *>(call.state);
  const int32_t inner = s.outer.ndim - 1;
  const int64_t cols = inner < 0 ? 1 : s.outer.shape[inner];
  const int64_t strips = ceil_div(cols, kStrip);
  const int64_t sx = inner < 0 ? 1 : s.outer.strides[0][inner];
  const int64_t sy = inner < 0 ? 1 : s.outer.strides[1][inner];
  const int64_t begin = static_cast<int64_t>(task) * s.split.group;
  const int64_t end = min64(begin + s.split.group, s.split.units);
  for (int64_t u = begin; u < end; ++u) {
    int64_t at[kMaxLayoutOperands];
    layout_offsets(s.outer, 0, inner < 0 ? 0 : inner, u / strips, at);
    const int64_t first = (u % strips) * kStrip;
    const T *x = static_cast<const T *>(call.inputs[0]) + at[0] + first * sx;
    T *y = static_cast<T *>(call.outputs[0]) + at[1] + first * sy;
    softmax_columns<T>(s, {x, y, sx, sy, min64(kStrip, cols - first)}, worker_space<T>(s, call, worker));
  }
}

template <class T>
rayo_status run_columns(const rayo_call *call) {
  const SoftmaxState &s = *static_cast<const SoftmaxState *>(call->state);
  run_tasks(*call, s.split, columns_task<T>, const_cast<rayo_call *>(call));
  return RAYO_OK;
}

}  // namespace

template <class T>
rayo_kernel_fn plan_softmax_columns(const rayo_op_desc &desc, int64_t outputs, SoftmaxState *s) {
  layout_sort(&s->outer, 1);
  layout_coalesce(&s->outer);
  s->blocks = max64(1, ceil_div(s->length, kChainBlock));
  const int64_t cols = s->outer.ndim == 0 ? 1 : s->outer.shape[s->outer.ndim - 1];
  const int64_t units = outputs == 0 ? 0 : outputs / cols * ceil_div(cols, kStrip);
  s->split = make_split(desc, units, s->length * min64(cols, kStrip), kNormaliseTask, kNormaliseParallelFrom);
  uint64_t levels = 4;
  while ((int64_t{1} << (levels - 4)) < s->blocks) ++levels;
  s->worker_bytes = levels * kStrip * sizeof(T);
  return run_columns<T>;
}
template rayo_kernel_fn plan_softmax_columns<float>(const rayo_op_desc &desc, int64_t outputs, SoftmaxState *s);
template rayo_kernel_fn plan_softmax_columns<double>(const rayo_op_desc &desc, int64_t outputs, SoftmaxState *s);

}  // namespace rayo
