// SPDX-License-Identifier: Apache-2.0
//
// softmax and log_softmax: descriptors, prepare, and rows, where the axis is the last one. With e = e^(x - m), m the
// maximum, s the sum of the e in the order of reduce_sum: y = e * (1 / s), or y = (x - m) - ln s. A row is one unit of
// work; few long rows are cut into the blocks of the sum, in three passes with the same bits.
#include <cpu/normalise.h>

namespace rayo {
namespace {

/// Rows below this number, of several blocks each, are cut.
constexpr int64_t kFewRows = 16;
/// Rows up to so many bytes go several at once, from caches that hold them and their results. Speed over one row at a
/// time on Zen 5, f32, AVX2 and AVX-512: 128 elements 1.07, 1.53; 256 1.13, 1.33; 1,024 1.04, 1.18; 2,000 1.00, 1.00.
constexpr int64_t kBatchedBytes = 4096;

// ---- One row a unit ----

/// One row of consecutive elements. partial: s.blocks elements.
template <class T>
void softmax_row(const SoftmaxState &s, const T *x, T *y, T *partial) {
  const ReduceLoops<T> &reduce = reduce_loops<T>(*s.tables);
  const SoftmaxLoops<T> &loops = softmax_loops<T>(*s.tables);
  const T m = reduce.block[kReduceMax](x, s.length);
  for (int64_t b = 0; b < s.blocks; ++b) {
    const int64_t first = b * kReduceBlock<T>;
    const int64_t n = min64(kReduceBlock<T>, s.length - first);
    partial[b] = s.log ? loops.exp_total(x + first, m, n) : loops.exp_sum(x + first, m, y + first, n);
  }
  combine_pairwise(reduce, kReduceSum, partial, s.blocks);
  if (s.log) {
    loops.log(partial, 1);
    loops.log_rest(x, m, partial[0], y, s.length);
  } else {
    loops.invert(partial, 1);
    loops.scale(y, partial[0], s.length);
  }
}

/// Workspace of a worker: partial sums, then a row where elements are not consecutive.
template <class T>
void row_task(void *ctx, uint64_t task, uint32_t worker) {
  const rayo_call &call = *static_cast<const rayo_call *>(ctx);
  const SoftmaxState &s = *static_cast<const SoftmaxState *>(call.state);
  const TransposeLoops &copy = copy_loops<T>(*s.tables);
  T *partial = worker_space<T>(s, call, worker);
  T *buffer = partial + round_up64(static_cast<uint64_t>(s.blocks));
  const int64_t begin = static_cast<int64_t>(task) * s.split.group;
  const int64_t end = min64(begin + s.split.group, s.split.units);
  if (s.sx == 1 && s.sy == 1 && s.length * static_cast<int64_t>(sizeof(T)) <= kBatchedBytes && s.outer.ndim <= 1) {
    const int64_t sx = s.outer.ndim == 0 ? 0 : s.outer.strides[0][0];
    const int64_t sy = s.outer.ndim == 0 ? 0 : s.outer.strides[1][0];
    const T *x = static_cast<const T *>(call.inputs[0]) + begin * sx;
    T *y = static_cast<T *>(call.outputs[0]) + begin * sy;
    softmax_loops<T>(*s.tables).short_rows({x, sx, y, sy, end - begin, s.length}, s.log);
    return;
  }
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

template <class T>
rayo_status run_rows(const rayo_call *call) {
  const SoftmaxState &s = *static_cast<const SoftmaxState *>(call->state);
  run_tasks(*call, s.split, row_task<T>, const_cast<rayo_call *>(call));
  return RAYO_OK;
}

// ---- Rows cut into blocks ----

enum class Pass { max, sum, finish };

/// Workspace: one result per block, then per row its maximum and its factor (or the sum's logarithm).
template <class T>
struct CutRows {
  const rayo_call *call;
  Pass pass;
  T *results;
  T *maximum;
  T *factor;
};

template <class T>
void cut_task(void *ctx, uint64_t task, uint32_t) {
  const auto &cut = *static_cast<const CutRows<T> *>(ctx);
  const SoftmaxState &s = *static_cast<const SoftmaxState *>(cut.call->state);
  const SoftmaxLoops<T> &loops = softmax_loops<T>(*s.tables);
  const int64_t begin = static_cast<int64_t>(task) * s.split.group;
  const int64_t end = min64(begin + s.split.group, s.split.units);
  for (int64_t u = begin; u < end; ++u) {
    const int64_t row = u / s.blocks;
    const int64_t first = (u % s.blocks) * kReduceBlock<T>;
    const int64_t n = min64(kReduceBlock<T>, s.length - first);
    int64_t at[kMaxLayoutOperands];
    layout_offsets(s.outer, 0, s.outer.ndim, row, at);
    const T *x = static_cast<const T *>(cut.call->inputs[0]) + at[0] + first;
    T *y = static_cast<T *>(cut.call->outputs[0]) + at[1] + first;
    const T m = cut.maximum[row];
    if (cut.pass == Pass::max) {
      cut.results[u] = reduce_loops<T>(*s.tables).block[kReduceMax](x, n);
    } else if (cut.pass == Pass::sum) {
      cut.results[u] = s.log ? loops.exp_total(x, m, n) : loops.exp_sum(x, m, y, n);
    } else if (s.log) {
      loops.log_rest(x, m, cut.factor[row], y, n);
    } else {
      loops.scale(y, cut.factor[row], n);
    }
  }
}

template <class T>
rayo_status run_cut_rows(const rayo_call *call) {
  const SoftmaxState &s = *static_cast<const SoftmaxState *>(call->state);
  const ReduceLoops<T> &reduce = reduce_loops<T>(*s.tables);
  const SoftmaxLoops<T> &loops = softmax_loops<T>(*s.tables);
  const int64_t rows = s.split.units / s.blocks;
  T *results = static_cast<T *>(call->workspace);
  CutRows<T> cut = {call, Pass::max, results, results + s.split.units, results + s.split.units + rows};
  memset(cut.maximum, 0, static_cast<uint64_t>(rows) * sizeof(T));
  run_tasks(*call, s.split, cut_task<T>, &cut);
  for (int64_t r = 0; r < rows; ++r) {
    combine_pairwise(reduce, kReduceMax, results + r * s.blocks, s.blocks);
    cut.maximum[r] = results[r * s.blocks];
  }
  cut.pass = Pass::sum;
  run_tasks(*call, s.split, cut_task<T>, &cut);
  for (int64_t r = 0; r < rows; ++r) {
    combine_pairwise(reduce, kReduceSum, results + r * s.blocks, s.blocks);
    cut.factor[r] = results[r * s.blocks];
  }
  if (s.log) {
    loops.log(cut.factor, rows);
  } else {
    loops.invert(cut.factor, rows);
  }
  cut.pass = Pass::finish;
  run_tasks(*call, s.split, cut_task<T>, &cut);
  return RAYO_OK;
}

// ---- prepare ----

template <class T>
rayo_kernel_fn plan_rows(const rayo_op_desc &desc, int64_t rows, SoftmaxState *s) {
  s->blocks = max64(1, ceil_div(s->length, kReduceBlock<T>));
  if (s->blocks > 1 && rows > 0 && rows < kFewRows && s->sx == 1 && s->sy == 1) {
    s->split = make_split(desc, rows * s->blocks, kReduceBlock<T>, kNormaliseTask, kNormaliseParallelFrom);
    s->shared_bytes = round_up64(static_cast<uint64_t>(s->split.units + 2 * rows) * sizeof(T));
    return run_cut_rows<T>;
  }
  s->split = make_split(desc, rows, s->length, kNormaliseTask, kNormaliseParallelFrom);
  s->worker_bytes = round_up64(static_cast<uint64_t>(s->blocks)) * sizeof(T);
  if (s->sx != 1 || s->sy != 1) s->worker_bytes += round_up64(static_cast<uint64_t>(s->length) * sizeof(T));
  return run_rows<T>;
}

void read_axis(const rayo_op_desc &desc, int64_t axis, SoftmaxState *s) {
  const rayo_tensor_desc &x = *desc.inputs[0];
  s->outer.operands = 2;
  s->length = 1;
  s->sx = s->sy = 1;
  for (int32_t i = 0; i < x.ndim; ++i) {
    const int64_t strides[2] = {x.strides[i], desc.outputs[0]->strides[i]};
    if (i != axis) {
      layout_push(&s->outer, x.shape[i], strides);
      continue;
    }
    s->length = x.shape[i];
    if (s->length == 1) continue;
    s->sx = strides[0];
    s->sy = strides[1];
  }
  layout_coalesce(&s->outer);
}

template <class T>
rayo_kernel_fn plan(const rayo_op_desc &desc, bool last, SoftmaxState *s) {
  const int64_t outputs = s->length == 0 ? 0 : layout_count(s->outer, 0, s->outer.ndim);
  return last ? plan_rows<T>(desc, outputs, s) : plan_softmax_columns<T>(desc, outputs, s);
}

template <bool kLog>
rayo_status prepare(rayo_instance *instance, const rayo_op_desc *desc, rayo_prepared *out, rayo_error *error) {
  SoftmaxState *s = make_state<SoftmaxState>(instance, error);
  if (s == nullptr) return RAYO_OUT_OF_MEMORY;
  const rayo_tensor_desc &x = *desc->inputs[0];
  const int64_t axis = int_attr(*desc, "axis");
  s->tables = instance->tables;
  s->log = kLog;
  read_axis(*desc, axis, s);
  const bool last = x.ndim == 0 || axis == x.ndim - 1;
  out->fn = x.dtype.bits == 64 ? plan<double>(*desc, last, s) : plan<float>(*desc, last, s);
  out->state = s;
  out->threads = s->split.threads;
  out->workspace_size = s->shared_bytes + s->worker_bytes * out->threads;
  return RAYO_OK;
}

constexpr rayo_kernel kSoftmax =
    make_kernel("softmax", "softmax", "T=f32,f64", RAYO_KERNEL_IN_PLACE, checked<prepare<false>>);
constexpr rayo_kernel kLogSoftmax =
    make_kernel("log_softmax", "log_softmax", "T=f32,f64", RAYO_KERNEL_IN_PLACE, checked<prepare<true>>);
constexpr const rayo_kernel *kList[] = {&kSoftmax, &kLogSoftmax};

}  // namespace

const KernelList normalise_kernels = {kList, 2};

}  // namespace rayo
