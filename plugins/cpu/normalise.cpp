// SPDX-License-Identifier: Apache-2.0
//
// softmax: descriptor, prepare, drivers. y = e * (1 / s) with e = e^(x - m), m the maximum, s the sum of the e in the
// order of reduce_sum: lanes where the axis is the last one, chains otherwise.
#include <cpu/reduce.h>

namespace rayo {
namespace {

constexpr int64_t kParallelFrom = 1 << 16;  // elements: three passes, one with exp, at 2 to 8 elements per ns
constexpr int64_t kTask = 1 << 15;
constexpr int64_t kStrip = 256;  // columns of a strip

using T = float;

struct SoftmaxState {
  const KernelTables *tables;
  Layout outer;  // the other axes; operand 0 input, 1 output
  int64_t sx;    // strides along the axis
  int64_t sy;
  int64_t length;
  int64_t blocks;  // of the sum
  Split split;     // units: rows, or strips of columns
  uint64_t worker_bytes;
};

void *worker_space(const SoftmaxState &s, const rayo_call &call, uint32_t worker) {
  return static_cast<char *>(call.workspace) + worker * s.worker_bytes;
}

// ---- The axis is the last one: rows ----

/// One row of consecutive elements. partial: s.blocks elements.
void softmax_row(const SoftmaxState &s, const T *x, T *y, T *partial) {
  const ReduceLoops<T> &reduce = s.tables->reduce->f32;
  const SoftmaxLoops<T> &loops = s.tables->normalise->f32;
  const T m = reduce.block[kReduceMax](x, s.length);
  for (int64_t b = 0; b < s.blocks; ++b) {
    const int64_t first = b * kReduceBlock<T>;
    partial[b] = loops.exp_sum(x + first, m, y + first, min64(kReduceBlock<T>, s.length - first));
  }
  combine_pairwise(reduce, kReduceSum, partial, s.blocks);
  loops.scale(y, 1.0f / partial[0], s.length);
}

/// Workspace of a worker: partial sums, then a row where elements are not consecutive.
void row_task(void *ctx, uint64_t task, uint32_t worker) {
  const rayo_call &call = *static_cast<const rayo_call *>(ctx);
  const SoftmaxState &s = *static_cast<const SoftmaxState *>(call.state);
  const TransposeLoops &copy = s.tables->transpose->bits32;
  T *partial = static_cast<T *>(worker_space(s, call, worker));
  T *buffer = partial + round_up64(static_cast<uint64_t>(s.blocks));
  const int64_t begin = static_cast<int64_t>(task) * s.split.group;
  const int64_t end = min64(begin + s.split.group, s.split.units);
  LayoutWalk walk;
  walk_start(&walk, s.outer, s.outer.ndim, begin);
  for (int64_t u = begin; u < end; ++u, walk_next(&walk)) {
    const T *x = static_cast<const T *>(call.inputs[0]) + walk.offset[0];
    T *y = static_cast<T *>(call.outputs[0]) + walk.offset[1];
    if (s.sx == 1 && s.sy == 1) {
      softmax_row(s, x, y, partial);
      continue;
    }
    copy.copy(x, s.sx, buffer, 1, s.length);
    softmax_row(s, buffer, buffer, partial);
    copy.copy(buffer, 1, y, s.sy, s.length);
  }
}

// ---- Any other axis: strips of columns ----

struct Columns {
  const T *x;
  T *y;
  int64_t sx;  // from column to column
  int64_t sy;
  int64_t n;
};

/// m[c] = maximum of column c. part: kStrip elements of scratch.
void columns_max(const SoftmaxState &s, const Columns &c, T *m, T *part) {
  const ReduceLoops<T> &reduce = s.tables->reduce->f32;
  int64_t offset[kChainBlock];
  for (int64_t first = 0; first < s.length; first += kChainBlock) {
    const int64_t rows = min64(kChainBlock, s.length - first);
    for (int64_t r = 0; r < rows; ++r) offset[r] = (first + r) * s.sx;
    reduce.chain[kReduceMax](c.x, offset, rows, c.sx, first == 0 ? m : part, c.n);
    if (first != 0) reduce.combine[kReduceMax](m, part, c.n);
  }
}

/// Workspace: maxima, scratch, then the levels of the pairwise sum, kStrip elements each.
void softmax_columns(const SoftmaxState &s, const Columns &c, T *space) {
  const ReduceLoops<T> &reduce = s.tables->reduce->f32;
  const SoftmaxLoops<T> &loops = s.tables->normalise->f32;
  T *m = space;
  T *levels = space + 2 * kStrip;
  columns_max(s, c, m, space + kStrip);
  int64_t top = -1;
  for (int64_t block = 0; block < s.blocks; ++block) {
    ++top;
    T *sum = levels + top * kStrip;
    memset(sum, 0, static_cast<uint64_t>(c.n) * sizeof(T));
    const int64_t end = min64((block + 1) * kChainBlock, s.length);
    for (int64_t r = block * kChainBlock; r < end; ++r) {
      loops.exp_row(c.x + r * s.sx, c.sx, m, c.y + r * s.sy, c.sy, sum, c.n);
    }
    for (int64_t b = block; (b & 1) != 0; b >>= 1) {
      --top;
      reduce.combine[kReduceSum](levels + top * kStrip, levels + (top + 1) * kStrip, c.n);
    }
  }
  for (; top > 0; --top) reduce.combine[kReduceSum](levels + (top - 1) * kStrip, levels + top * kStrip, c.n);
  loops.invert(levels, c.n);
  for (int64_t r = 0; r < s.length; ++r) loops.scale_row(c.y + r * s.sy, c.sy, levels, c.n);
}

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
    softmax_columns(s, {x, y, sx, sy, min64(kStrip, cols - first)}, static_cast<T *>(worker_space(s, call, worker)));
  }
}

template <rayo_task_fn kTaskFn>
rayo_status run(const rayo_call *call) {
  const SoftmaxState &s = *static_cast<const SoftmaxState *>(call->state);
  run_tasks(*call, s.split, kTaskFn, const_cast<rayo_call *>(call));
  return RAYO_OK;
}

void plan_rows(const rayo_op_desc &desc, int64_t outputs, SoftmaxState *s) {
  s->blocks = max64(1, ceil_div(s->length, kReduceBlock<T>));
  s->split = make_split(desc, outputs, s->length, kTask, kParallelFrom);
  s->worker_bytes = round_up64(static_cast<uint64_t>(s->blocks)) * sizeof(T);
  if (s->sx != 1 || s->sy != 1) s->worker_bytes += round_up64(static_cast<uint64_t>(s->length) * sizeof(T));
}

void plan_columns(const rayo_op_desc &desc, int64_t outputs, SoftmaxState *s) {
  layout_sort(&s->outer, 1);
  layout_coalesce(&s->outer);
  s->blocks = max64(1, ceil_div(s->length, kChainBlock));
  const int64_t cols = s->outer.ndim == 0 ? 1 : s->outer.shape[s->outer.ndim - 1];
  const int64_t units = outputs == 0 ? 0 : outputs / cols * ceil_div(cols, kStrip);
  s->split = make_split(desc, units, s->length * min64(cols, kStrip), kTask, kParallelFrom);
  uint64_t levels = 4;
  while ((int64_t{1} << (levels - 4)) < s->blocks) ++levels;
  s->worker_bytes = levels * kStrip * sizeof(T);
}

rayo_status prepare(rayo_instance *instance, const rayo_op_desc *desc, rayo_prepared *out, rayo_error *error) {
  SoftmaxState *s = make_state<SoftmaxState>(instance, error);
  if (s == nullptr) return RAYO_OUT_OF_MEMORY;
  const rayo_tensor_desc &x = *desc->inputs[0];
  const rayo_tensor_desc &y = *desc->outputs[0];
  const int64_t axis = int_attr(*desc, "axis");
  s->tables = instance->tables;
  s->outer.operands = 2;
  s->length = 1;
  s->sx = s->sy = 1;
  for (int32_t i = 0; i < x.ndim; ++i) {
    const int64_t strides[2] = {x.strides[i], y.strides[i]};
    if (i == axis) {
      s->length = x.shape[i];
      if (s->length != 1) {
        s->sx = strides[0];
        s->sy = strides[1];
      }
    } else {
      layout_push(&s->outer, x.shape[i], strides);
    }
  }
  layout_coalesce(&s->outer);
  const int64_t outputs = s->length == 0 ? 0 : layout_count(s->outer, 0, s->outer.ndim);
  if (x.ndim == 0 || axis == x.ndim - 1) {
    plan_rows(*desc, outputs, s);
    out->fn = run<row_task>;
  } else {
    plan_columns(*desc, outputs, s);
    out->fn = run<columns_task>;
  }
  out->state = s;
  out->threads = s->split.threads;
  out->workspace_size = s->worker_bytes * out->threads;
  return RAYO_OK;
}

constexpr rayo_kernel kSoftmax = make_kernel("softmax", "softmax", "T=f32", RAYO_KERNEL_IN_PLACE, prepare);
constexpr const rayo_kernel *kList[] = {&kSoftmax};

}  // namespace

const KernelList normalise_kernels = {kList, 1};

}  // namespace rayo
