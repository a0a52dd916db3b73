// SPDX-License-Identifier: Apache-2.0
//
// The reduce_* ops and variance: descriptors, prepare, and the lane order's driver. The chain order's is
// reduce_chain.cpp.
#include <cpu/reduce.h>

namespace rayo {

void read_reduction(const rayo_op_desc &desc, uint32_t axes, bool keepdims, Reduction *out) {
  const rayo_tensor_desc &x = *desc.inputs[0];
  const rayo_tensor_desc &y = *desc.outputs[0];
  out->kept.operands = 2;
  out->reduced.operands = 1;
  int32_t y_axis = 0;
  for (int32_t i = 0; i < x.ndim; ++i) {
    const bool reduced = ((axes >> i) & 1u) != 0;
    if (reduced) {
      layout_push(&out->reduced, x.shape[i], &x.strides[i]);
    } else {
      const int64_t strides[2] = {x.strides[i], y.strides[y_axis]};
      layout_push(&out->kept, x.shape[i], strides);
    }
    if (!reduced || keepdims) ++y_axis;
  }
  out->lanes = x.ndim == 0 || ((axes >> (x.ndim - 1)) & 1u) != 0;
  layout_coalesce(&out->reduced);
  layout_coalesce(&out->kept);
  out->outputs = layout_count(out->kept, 0, out->kept.ndim);
  out->length = layout_count(out->reduced, 0, out->reduced.ndim);
}

namespace {

template <class T>
void store_result(const ReduceState &s, const rayo_call &call, const int64_t *offset, T value) {
  finish_results(s, &value, 1);
  memcpy(advance(call.outputs[0], offset[1], sizeof(T)), &value, sizeof(T));
}

/// One walk over all blocks. means: NULL, or one per output where the squared distances from them are summed.
template <class T>
struct LanePass {
  const rayo_call *call;
  const T *means;
};

template <class T>
T reduce_one_block(const ReduceState &s, const LanePass<T> &pass, const T *x, int64_t n, int64_t output) {
  const ReduceLoops<T> &loops = reduce_loops<T>(*s.tables);
  if (pass.means != nullptr) return loops.deviation_block(x, n, pass.means[output]);
  T value = loops.block[s.op](x, n);
  if (!s.variance || s.blocks > 1) return value;
  loops.divide(&value, static_cast<T>(s.r.length), 1);
  return loops.deviation_block(x, n, value);
}

/// Units are (output, block) pairs, blocks of an output together.
template <class T>
void lane_task(void *ctx, uint64_t task, uint32_t worker) {
  const auto &pass = *static_cast<const LanePass<T> *>(ctx);
  const rayo_call &call = *pass.call;
  const ReduceState &s = *static_cast<const ReduceState *>(call.state);
  char *workspace = static_cast<char *>(call.workspace);
  T *results = reinterpret_cast<T *>(workspace);
  const bool consecutive = is_consecutive(s.r.reduced, 0);
  T *buffer = consecutive ? nullptr : reinterpret_cast<T *>(workspace + s.shared_bytes + worker * s.worker_bytes);
  const int64_t begin = static_cast<int64_t>(task) * s.split.group;
  const int64_t end = min64(begin + s.split.group, s.split.units);
  LayoutWalk walk;
  walk_start(&walk, s.r.kept, s.r.kept.ndim, begin / s.blocks);
  for (int64_t u = begin; u < end; ++u) {
    const int64_t block = u % s.blocks;
    const int64_t first = block * kReduceBlock<T>;
    const int64_t n = min64(kReduceBlock<T>, s.r.length - first);
    const T *x = static_cast<const T *>(advance(call.inputs[0], walk.offset[0], sizeof(T)));
    if (consecutive) {
      x += first;
    } else {
      gather_sequence(copy_loops<T>(*s.tables), s.r.reduced, 0, x, first, n, buffer);
      x = buffer;
    }
    const T value = reduce_one_block(s, pass, x, n, u / s.blocks);
    if (s.blocks == 1) {
      store_result(s, call, walk.offset, value);
    } else {
      results[u] = value;
    }
    if (block == s.blocks - 1) walk_next(&walk);
  }
}

/// Results of `count` rows of one block each, `stride` apart.
template <class T>
void reduce_some_rows(const ReduceState &s, const T *x, int64_t stride, int64_t count, T *values) {
  const ReduceLoops<T> &loops = reduce_loops<T>(*s.tables);
  const int64_t n = s.r.length;
  if (count == 1) {
    values[0] = reduce_one_block<T>(s, {nullptr, nullptr}, x, n, 0);
  } else {
    loops.rows[s.op](x, stride, count, n, values);
    if (s.variance) {
      T means[kRowsAtOnce];
      loops.divide(values, static_cast<T>(n), count);
      memcpy(means, values, static_cast<uint64_t>(count) * sizeof(T));
      loops.deviation_rows(x, stride, count, n, means, values);
    }
  }
  finish_results(s, values, count);
}

/// Rows of one block of consecutive elements each, many at once. Units are outputs.
template <class T>
void rows_task(void *ctx, uint64_t task, uint32_t) {
  const rayo_call &call = *static_cast<const rayo_call *>(ctx);
  const ReduceState &s = *static_cast<const ReduceState *>(call.state);
  const int64_t begin = static_cast<int64_t>(task) * s.split.group;
  const int64_t end = min64(begin + s.split.group, s.split.units);
  walk_rows(s.r.kept, begin, end, rows_at_once<T>(s.r.length), [&](const RowRun &run) {
    T values[kRowsAtOnce];
    const void *x = advance(call.inputs[0], run.first[0], sizeof(T));
    reduce_some_rows(s, static_cast<const T *>(x), run.stride[0], run.count, values);
    void *y = advance(call.outputs[0], run.first[1], sizeof(T));
    copy_loops<T>(*s.tables).copy(values, 1, y, run.stride[1], run.count);
  });
}

/// Outputs of several blocks: results of blocks in the workspace, combined once a pass has ended.
template <class T>
void run_blocks(const ReduceState &s, const rayo_call &call) {
  const ReduceLoops<T> &loops = reduce_loops<T>(*s.tables);
  T *results = static_cast<T *>(call.workspace);
  LanePass<T> pass = {&call, nullptr};
  run_tasks(call, s.split, lane_task<T>, &pass);
  if (s.variance) {
    T *means = results + s.split.units;
    for (int64_t o = 0; o < s.r.outputs; ++o) {
      combine_pairwise(loops, kReduceSum, results + o * s.blocks, s.blocks);
      means[o] = results[o * s.blocks];
    }
    loops.divide(means, static_cast<T>(s.r.length), s.r.outputs);
    pass.means = means;
    run_tasks(call, s.split, lane_task<T>, &pass);
  }
  LayoutWalk walk;
  walk_start(&walk, s.r.kept, s.r.kept.ndim, 0);
  for (int64_t o = 0; o < s.r.outputs; ++o, results += s.blocks) {
    combine_pairwise(loops, s.op, results, s.blocks);
    store_result(s, call, walk.offset, results[0]);
    walk_next(&walk);
  }
}

template <class T>
rayo_status run_lanes(const rayo_call *call) {
  const ReduceState &s = *static_cast<const ReduceState *>(call->state);
  if (s.blocks > 1) {
    run_blocks<T>(s, *call);
    return RAYO_OK;
  }
  if (is_consecutive(s.r.reduced, 0)) {
    if (s.r.outputs == 1) {
      const T *x = static_cast<const T *>(call->inputs[0]);
      T value = reduce_one_block<T>(s, {call, nullptr}, x, s.r.length, 0);
      finish_results(s, &value, 1);
      memcpy(call->outputs[0], &value, sizeof(T));
      return RAYO_OK;
    }
    run_tasks(*call, s.split, rows_task<T>, const_cast<rayo_call *>(call));
    return RAYO_OK;
  }
  LanePass<T> pass = {call, nullptr};
  run_tasks(*call, s.split, lane_task<T>, &pass);
  return RAYO_OK;
}

template <class T>
rayo_kernel_fn plan_lanes(const rayo_op_desc &desc, ReduceState *s) {
  s->blocks = max64(1, ceil_div(s->r.length, kReduceBlock<T>));
  s->split =
      make_split(desc, s->r.outputs * s->blocks, min64(s->r.length, kReduceBlock<T>), kReduceTask, kReduceParallelFrom);
  if (s->blocks > 1) {
    const int64_t means = s->variance ? s->r.outputs : 0;
    s->shared_bytes = round_up64(static_cast<uint64_t>(s->split.units + means) * sizeof(T));
  }
  if (!is_consecutive(s->r.reduced, 0)) {
    s->worker_bytes = round_up64(static_cast<uint64_t>(min64(s->r.length, kReduceBlock<T>)) * sizeof(T));
  }
  return run_lanes<T>;
}

uint32_t axes_mask(const rayo_op_desc &desc) {
  const rayo_attr *a = find_attr(desc, "axes");
  const int32_t ndim = desc.inputs[0]->ndim;
  if (a == nullptr || a->count == 0) return (1u << ndim) - 1u;
  uint32_t mask = 0;
  for (uint32_t i = 0; i < a->count; ++i) mask |= 1u << static_cast<const int64_t *>(a->data)[i];
  return mask;
}

rayo_status prepare_as(rayo_instance *instance, const rayo_op_desc *desc, rayo_prepared *out, rayo_error *error,
                       ReduceState kind) {
  ReduceState *s = make_state<ReduceState>(instance, error);
  if (s == nullptr) return RAYO_OUT_OF_MEMORY;
  *s = kind;
  s->tables = instance->tables;
  read_reduction(*desc, axes_mask(*desc), int_attr(*desc, "keepdims") != 0, &s->r);
  s->divisor = s->r.length - (s->variance ? int_attr(*desc, "correction") : 0);
  const bool f64 = desc->inputs[0]->dtype.bits == 64;
  if (s->r.lanes) {
    out->fn = f64 ? plan_lanes<double>(*desc, s) : plan_lanes<float>(*desc, s);
  } else {
    out->fn = f64 ? plan_chains<double>(*desc, s) : plan_chains<float>(*desc, s);
  }
  out->state = s;
  out->threads = s->split.threads;
  out->workspace_size = s->shared_bytes + s->worker_bytes * out->threads;
  return RAYO_OK;
}

template <ReduceOp kOp, ReduceFinish kFinish, bool kVariance = false>
rayo_status prepare(rayo_instance *instance, const rayo_op_desc *desc, rayo_prepared *out, rayo_error *error) {
  ReduceState kind{};
  kind.op = kOp;
  kind.finish = kFinish;
  kind.variance = kVariance;
  return prepare_as(instance, desc, out, error, kind);
}

constexpr rayo_kernel make(const char *name, PrepareFn prepare_fn) {
  return make_kernel(name, name, "T=f32,f64", 0, prepare_fn);
}
constexpr rayo_kernel kKernels[] = {make("reduce_sum", checked<prepare<kReduceSum, ReduceFinish::none>>),
                                    make("reduce_mean", checked<prepare<kReduceSum, ReduceFinish::divide>>),
                                    make("reduce_max", checked<prepare<kReduceMax, ReduceFinish::none>>),
                                    make("reduce_min", checked<prepare<kReduceMin, ReduceFinish::none>>),
                                    make("reduce_l1", checked<prepare<kReduceAbsSum, ReduceFinish::none>>),
                                    make("reduce_l2", checked<prepare<kReduceSquareSum, ReduceFinish::root>>),
                                    make("variance", checked<prepare<kReduceSum, ReduceFinish::divide, true>>)};
constexpr const rayo_kernel *kList[] = {&kKernels[0], &kKernels[1], &kKernels[2], &kKernels[3],
                                        &kKernels[4], &kKernels[5], &kKernels[6]};

}  // namespace

const KernelList reduce_kernels = {kList, 7};

}  // namespace rayo
