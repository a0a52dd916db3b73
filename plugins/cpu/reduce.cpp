// SPDX-License-Identifier: Apache-2.0
//
// reduce_sum, reduce_mean, reduce_max, reduce_min: descriptors, prepare, and the lane order's driver. The chain order's
// is reduce_chain.cpp.
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
  if (s.mean) value = value / static_cast<T>(s.r.length);
  memcpy(advance(call.outputs[0], offset[1], sizeof(T)), &value, sizeof(T));
}

/// Units are (output, block) pairs, blocks of an output together.
template <class T>
void lane_task(void *ctx, uint64_t task, uint32_t worker) {
  const rayo_call &call = *static_cast<const rayo_call *>(ctx);
  const ReduceState &s = *static_cast<const ReduceState *>(call.state);
  const ReduceLoops<T> &loops = reduce_loops<T>(*s.tables);
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
    const T value = loops.block[s.op](x, n);
    if (s.blocks == 1) {
      store_result(s, call, walk.offset, value);
    } else {
      results[u] = value;
    }
    if (block == s.blocks - 1) walk_next(&walk);
  }
}

template <class T>
rayo_status run_lanes(const rayo_call *call) {
  const ReduceState &s = *static_cast<const ReduceState *>(call->state);
  run_tasks(*call, s.split, lane_task<T>, const_cast<rayo_call *>(call));
  if (s.blocks == 1 || s.r.outputs == 0) return RAYO_OK;
  LayoutWalk walk;
  walk_start(&walk, s.r.kept, s.r.kept.ndim, 0);
  T *results = static_cast<T *>(call->workspace);
  for (int64_t o = 0; o < s.r.outputs; ++o, results += s.blocks) {
    combine_pairwise(reduce_loops<T>(*s.tables), s.op, results, s.blocks);
    store_result(s, *call, walk.offset, results[0]);
    walk_next(&walk);
  }
  return RAYO_OK;
}

template <class T>
rayo_kernel_fn plan_lanes(const rayo_op_desc &desc, ReduceState *s) {
  s->blocks = max64(1, ceil_div(s->r.length, kReduceBlock<T>));
  s->split =
      make_split(desc, s->r.outputs * s->blocks, min64(s->r.length, kReduceBlock<T>), kReduceTask, kReduceParallelFrom);
  if (s->blocks > 1) s->shared_bytes = round_up64(static_cast<uint64_t>(s->split.units) * sizeof(T));
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

template <ReduceOp kOp, bool kMean>
rayo_status prepare(rayo_instance *instance, const rayo_op_desc *desc, rayo_prepared *out, rayo_error *error) {
  ReduceState *s = make_state<ReduceState>(instance, error);
  if (s == nullptr) return RAYO_OUT_OF_MEMORY;
  s->tables = instance->tables;
  s->op = kOp;
  s->mean = kMean;
  read_reduction(*desc, axes_mask(*desc), int_attr(*desc, "keepdims") != 0, &s->r);
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

constexpr rayo_kernel make(const char *name, PrepareFn prepare_fn) {
  return make_kernel(name, name, "T=f32,f64", 0, prepare_fn);
}
constexpr rayo_kernel kSum = make("reduce_sum", prepare<kReduceSum, false>);
constexpr rayo_kernel kMean = make("reduce_mean", prepare<kReduceSum, true>);
constexpr rayo_kernel kMax = make("reduce_max", prepare<kReduceMax, false>);
constexpr rayo_kernel kMin = make("reduce_min", prepare<kReduceMin, false>);
constexpr const rayo_kernel *kList[] = {&kSum, &kMean, &kMax, &kMin};

}  // namespace

const KernelList reduce_kernels = {kList, 4};

}  // namespace rayo
