// SPDX-License-Identifier: Apache-2.0
//
// argmax, argmin and dot: descriptors, prepare, drivers.
#include <cpu/reduce.h>

namespace rayo {
namespace {

// ---- argmax and argmin ----

/// How a task walks: rows (any stride along the axis), or strips of columns where the kept inner axis is consecutive.
struct ArgmaxState {
  const KernelTables *tables;
  Layout kept;  // operand 0 input, 1 output
  int64_t axis_stride;
  int64_t length;
  ArgOp op;
  bool last;
  bool columns;
  Split split;  // units are rows or strips
};

template <class T>
void argmax_strip(const ArgmaxState &s, const rayo_call &call, int64_t unit) {
  const int32_t inner = s.kept.ndim - 1;
  const int64_t cols = s.kept.shape[inner];
  const int64_t strips = ceil_div(cols, kArgmaxStrip);
  int64_t at[kMaxLayoutOperands];
  layout_offsets(s.kept, 0, inner, unit / strips, at);
  const int64_t first = (unit % strips) * kArgmaxStrip;
  const int64_t n = min64(kArgmaxStrip, cols - first);
  int64_t index[kArgmaxStrip];
  const T *x = static_cast<const T *>(advance(call.inputs[0], at[0] + first, sizeof(T)));
  reduce_loops<T>(*s.tables).arg_columns[s.op](x, s.axis_stride, s.length, s.last, index, n);
  const int64_t sy = s.kept.strides[1][inner];
  s.tables->transpose->bits64.copy(index, 1, advance(call.outputs[0], at[1] + first * sy, 8), sy, n);
}

template <class T>
void argmax_task(void *ctx, uint64_t task, uint32_t) {
  const rayo_call &call = *static_cast<const rayo_call *>(ctx);
  const ArgmaxState &s = *static_cast<const ArgmaxState *>(call.state);
  const int64_t begin = static_cast<int64_t>(task) * s.split.group;
  const int64_t end = min64(begin + s.split.group, s.split.units);
  if (s.columns) {
    for (int64_t u = begin; u < end; ++u) argmax_strip<T>(s, call, u);
    return;
  }
  const int32_t inner = s.kept.ndim - 1;
  const int64_t rows = inner < 0 ? 1 : s.kept.shape[inner];  // of one pitch
  const int64_t pitch = inner < 0 ? 0 : s.kept.strides[0][inner];
  const int64_t sy = inner < 0 ? 1 : s.kept.strides[1][inner];
  int64_t index[kArgmaxStrip];
  for (int64_t u = begin; u < end;) {
    int64_t at[kMaxLayoutOperands];
    layout_offsets(s.kept, 0, inner < 0 ? 0 : inner, u / rows, at);
    const int64_t first = u % rows;
    const int64_t n = min64(min64(rows - first, end - u), kArgmaxStrip);
    const T *x = static_cast<const T *>(advance(call.inputs[0], at[0] + first * pitch, sizeof(T)));
    reduce_loops<T>(*s.tables).arg_rows[s.op](x, pitch, n, s.axis_stride, s.length, s.last, index);
    s.tables->transpose->bits64.copy(index, 1, advance(call.outputs[0], at[1] + first * sy, 8), sy, n);
    u += n;
  }
}

template <class T>
rayo_status run_argmax(const rayo_call *call) {
  const ArgmaxState &s = *static_cast<const ArgmaxState *>(call->state);
  run_tasks(*call, s.split, argmax_task<T>, const_cast<rayo_call *>(call));
  return RAYO_OK;
}

template <ArgOp kOp>
rayo_status prepare_argmax(rayo_instance *instance, const rayo_op_desc *desc, rayo_prepared *out, rayo_error *error) {
  ArgmaxState *s = make_state<ArgmaxState>(instance, error);
  if (s == nullptr) return RAYO_OUT_OF_MEMORY;
  const rayo_tensor_desc &x = *desc->inputs[0];
  const int64_t axis = int_attr(*desc, "axis");
  Reduction r{};
  read_reduction(*desc, x.ndim == 0 ? 0u : 1u << axis, int_attr(*desc, "keepdims") != 0, &r);
  s->tables = instance->tables;
  s->kept = r.kept;
  s->axis_stride = x.ndim == 0 ? 1 : x.strides[axis];
  s->length = x.ndim == 0 ? 1 : x.shape[axis];
  s->op = kOp;
  s->last = int_attr(*desc, "select_last_index") != 0;
  layout_sort(&s->kept, 0);
  layout_coalesce(&s->kept);
  const int32_t inner = s->kept.ndim - 1;
  s->columns = s->axis_stride != 1 && inner >= 0 && s->kept.strides[0][inner] == 1 && s->kept.shape[inner] >= 8;
  const int64_t cols = s->columns ? s->kept.shape[inner] : 1;
  const int64_t units = r.outputs == 0 ? 0 : r.outputs / cols * ceil_div(cols, kArgmaxStrip);
  s->split = make_split(*desc, units, s->length * min64(cols, kArgmaxStrip), kReduceTask, kReduceParallelFrom);
  out->state = s;
  out->fn = x.dtype.bits == 64 ? run_argmax<double> : run_argmax<float>;
  out->threads = s->split.threads;
  return RAYO_OK;
}

// ---- dot ----

/// Workspace: block results, then two gather buffers per worker where an operand is not consecutive.
struct DotState {
  const KernelTables *tables;
  Layout layout;  // operands 0, 1: the vectors
  int64_t length;
  int64_t blocks;
  Split split;  // units are blocks
  uint64_t shared_bytes;
  uint64_t worker_bytes;
};

template <class T>
void dot_task(void *ctx, uint64_t task, uint32_t worker) {
  const rayo_call &call = *static_cast<const rayo_call *>(ctx);
  const DotState &s = *static_cast<const DotState *>(call.state);
  char *workspace = static_cast<char *>(call.workspace);
  T *results = reinterpret_cast<T *>(workspace);
  T *buffer = reinterpret_cast<T *>(workspace + s.shared_bytes + worker * s.worker_bytes);
  const int64_t begin = static_cast<int64_t>(task) * s.split.group;
  const int64_t end = min64(begin + s.split.group, s.blocks);
  for (int64_t block = begin; block < end; ++block) {
    const int64_t first = block * kReduceBlock<T>;
    const int64_t n = min64(kReduceBlock<T>, s.length - first);
    const T *v[2];
    for (int32_t k = 0; k < 2; ++k) {
      v[k] = static_cast<const T *>(call.inputs[k]);
      if (is_consecutive(s.layout, k)) {
        v[k] += first;
      } else {
        gather_sequence(copy_loops<T>(*s.tables), s.layout, k, v[k], first, n, buffer + k * kReduceBlock<T>);
        v[k] = buffer + k * kReduceBlock<T>;
      }
    }
    results[block] = reduce_loops<T>(*s.tables).dot_block(v[0], v[1], n);
  }
}

template <class T>
rayo_status run_dot(const rayo_call *call) {
  const DotState &s = *static_cast<const DotState *>(call->state);
  if (s.blocks == 1 && is_consecutive(s.layout, 0) && is_consecutive(s.layout, 1)) {
    const T value = reduce_loops<T>(*s.tables).dot_block(static_cast<const T *>(call->inputs[0]),
                                                         static_cast<const T *>(call->inputs[1]), s.length);
    memcpy(call->outputs[0], &value, sizeof(T));
    return RAYO_OK;
  }
  run_tasks(*call, s.split, dot_task<T>, const_cast<rayo_call *>(call));
  T *results = static_cast<T *>(call->workspace);
  combine_pairwise(reduce_loops<T>(*s.tables), kReduceSum, results, s.blocks);
  memcpy(call->outputs[0], results, sizeof(T));
  return RAYO_OK;
}

rayo_status prepare_dot(rayo_instance *instance, const rayo_op_desc *desc, rayo_prepared *out, rayo_error *error) {
  DotState *s = make_state<DotState>(instance, error);
  if (s == nullptr) return RAYO_OUT_OF_MEMORY;
  const rayo_tensor_desc &a = *desc->inputs[0];
  const bool f64 = a.dtype.bits == 64;
  const int64_t element = f64 ? 8 : 4;
  const int64_t block = f64 ? kReduceBlock<double> : kReduceBlock<float>;
  s->tables = instance->tables;
  s->layout.operands = 2;
  const int64_t strides[2] = {a.strides[0], desc->inputs[1]->strides[0]};
  layout_push(&s->layout, a.shape[0], strides);
  layout_coalesce(&s->layout);
  s->length = a.shape[0];
  s->blocks = max64(1, ceil_div(s->length, block));
  s->split = make_split(*desc, s->blocks, block, kReduceTask, kReduceParallelFrom);
  const bool consecutive = is_consecutive(s->layout, 0) && is_consecutive(s->layout, 1);
  const bool at_once = s->blocks == 1 && consecutive;  // no block results
  s->shared_bytes = at_once ? 0 : round_up64(static_cast<uint64_t>(s->blocks * element));
  s->worker_bytes = consecutive ? 0 : static_cast<uint64_t>(2 * block * element);
  out->state = s;
  out->fn = f64 ? run_dot<double> : run_dot<float>;
  out->threads = s->split.threads;
  out->workspace_size = s->shared_bytes + s->worker_bytes * out->threads;
  return RAYO_OK;
}

constexpr rayo_kernel kArgmax = make_kernel("argmax", "argmax", "T=f32,f64", 0, checked<prepare_argmax<kArgMax>>);
constexpr rayo_kernel kArgmin = make_kernel("argmin", "argmin", "T=f32,f64", 0, checked<prepare_argmax<kArgMin>>);
constexpr rayo_kernel kDot = make_kernel("dot", "dot", "T=f32,f64", 0, checked<prepare_dot>);
constexpr const rayo_kernel *kList[] = {&kArgmax, &kArgmin, &kDot};

}  // namespace

const KernelList reduce_misc_kernels = {kList, 3};

}  // namespace rayo
