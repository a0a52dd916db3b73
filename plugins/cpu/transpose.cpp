// SPDX-License-Identifier: Apache-2.0
//
// transpose: descriptor, prepare, driver. After merging axes the work is rows to copy, or 2-D transpositions.
#include <cpu/layout.h>
#include <cpu/plugin.h>

namespace rayo {
namespace {

constexpr int64_t kParallelFrom = 1 << 20;  // elements; bound by memory
constexpr int64_t kTask = 1 << 17;
constexpr int64_t kFarBytes = int64_t{9} << 20;  // of the input; Zen 5, 32 MB of third-level cache
constexpr int64_t kPanel = 256;                  // columns of the source that one unit of a 2-D transposition takes

/// Axes in the output's order; operand 0 the input, 1 the output. In the 2-D case the last axis has output stride 1 and
/// the one before it input stride 1.
struct TransposeState {
  TransposeLoops loops;
  int64_t element;  // bytes
  bool far;         // read and written: beyond the caches
  Layout layout;
  Split split;  // units: rows of the last axis, or panels of the last two
};

void rows_task(void *ctx, uint64_t task, uint32_t) {
  const rayo_call &call = *static_cast<const rayo_call *>(ctx);
  const TransposeState &s = *static_cast<const TransposeState *>(call.state);
  const int32_t inner = s.layout.ndim - 1;
  const int64_t begin = static_cast<int64_t>(task) * s.split.group;
  const int64_t end = min64(begin + s.split.group, s.split.units);
  LayoutWalk walk;
  walk_start(&walk, s.layout, inner, begin);
  for (int64_t u = begin; u < end; ++u, walk_next(&walk)) {
    s.loops.copy(advance(call.inputs[0], walk.offset[0], s.element), s.layout.strides[0][inner],
                 advance(call.outputs[0], walk.offset[1], s.element), s.layout.strides[1][inner],
                 s.layout.shape[inner]);
  }
}

void panels_task(void *ctx, uint64_t task, uint32_t) {
  const rayo_call &call = *static_cast<const rayo_call *>(ctx);
  const TransposeState &s = *static_cast<const TransposeState *>(call.state);
  const int32_t row = s.layout.ndim - 1;  // runs down the source, along the destination
  const int32_t col = s.layout.ndim - 2;
  const int64_t panels = ceil_div(s.layout.shape[col], kPanel);
  const int64_t begin = static_cast<int64_t>(task) * s.split.group;
  const int64_t end = min64(begin + s.split.group, s.split.units);
  for (int64_t u = begin; u < end; ++u) {
    int64_t at[kMaxLayoutOperands];
    layout_offsets(s.layout, 0, col, u / panels, at);
    const int64_t first = (u % panels) * kPanel;
    s.loops.transpose(advance(call.inputs[0], at[0] + first, s.element), s.layout.strides[0][row],
                      advance(call.outputs[0], at[1] + first * s.layout.strides[1][col], s.element),
                      s.layout.strides[1][col], s.layout.shape[row], min64(kPanel, s.layout.shape[col] - first), s.far);
  }
}

template <rayo_task_fn kTaskFn>
rayo_status run(const rayo_call *call) {
  run_tasks(*call, static_cast<const TransposeState *>(call->state)->split, kTaskFn, const_cast<rayo_call *>(call));
  return RAYO_OK;
}

void read_layout(const rayo_op_desc &desc, Layout *l) {
  const rayo_tensor_desc &x = *desc.inputs[0];
  const rayo_tensor_desc &y = *desc.outputs[0];
  const rayo_attr *perm = find_attr(desc, "perm");
  l->operands = 2;
  for (int32_t i = 0; i < y.ndim; ++i) {
    int64_t from = x.ndim - 1 - i;
    if (perm != nullptr && perm->count > 0) {
      from = static_cast<const int64_t *>(perm->data)[i];
      if (from < 0) from += x.ndim;
    }
    const int64_t strides[2] = {x.strides[from], y.strides[i]};
    layout_push(l, y.shape[i], strides);
  }
  layout_coalesce(l);
  layout_sort(l, 1);
  layout_coalesce(l);
  if (l->ndim == 0) {
    constexpr int64_t kUnit[2] = {1, 1};
    layout_push(l, 1, kUnit);
  }
}

/// Moves the axis with input stride 1 next to the last one, if there is one and the output's last axis is consecutive.
bool make_panels(Layout *l) {
  const int32_t last = l->ndim - 1;
  if (l->strides[1][last] != 1 || l->strides[0][last] == 1) return false;
  for (int32_t i = 0; i < last; ++i) {
    if (l->strides[0][i] != 1) continue;
    for (int32_t k = i; k + 1 < last; ++k) {
      const int64_t n = l->shape[k], a = l->strides[0][k], b = l->strides[1][k];
      l->shape[k] = l->shape[k + 1];
      l->strides[0][k] = l->strides[0][k + 1];
      l->strides[1][k] = l->strides[1][k + 1];
      l->shape[k + 1] = n;
      l->strides[0][k + 1] = a;
      l->strides[1][k + 1] = b;
    }
    return true;
  }
  return false;
}

rayo_status prepare(rayo_instance *instance, const rayo_op_desc *desc, rayo_prepared *out, rayo_error *error) {
  TransposeState *s = make_state<TransposeState>(instance, error);
  if (s == nullptr) return RAYO_OUT_OF_MEMORY;
  s->element = desc->inputs[0]->dtype.bits / 8;
  s->loops = s->element == 8 ? instance->tables->transpose->bits64 : instance->tables->transpose->bits32;
  read_layout(*desc, &s->layout);
  Layout &l = s->layout;
  const int64_t total = layout_count(l, 0, l.ndim);
  s->far = total * s->element >= kFarBytes;
  if (make_panels(&l)) {
    const int64_t rows = l.shape[l.ndim - 1];
    const int64_t cols = l.shape[l.ndim - 2];
    const int64_t units = total == 0 ? 0 : total / (rows * cols) * ceil_div(cols, kPanel);
    s->split = make_split(*desc, units, rows * min64(cols, kPanel), kTask, kParallelFrom);
    out->fn = run<panels_task>;
  } else {
    const int64_t length = l.shape[l.ndim - 1];
    s->split = make_split(*desc, total == 0 ? 0 : total / length, length, kTask, kParallelFrom);
    out->fn = run<rows_task>;
  }
  out->state = s;
  out->threads = s->split.threads;
  return RAYO_OK;
}

constexpr rayo_kernel kTranspose = make_kernel("transpose", "transpose", "T=f32,f64", 0, checked<prepare>);
constexpr const rayo_kernel *kList[] = {&kTranspose};

}  // namespace

const KernelList transpose_kernels = {kList, 1};

}  // namespace rayo
