// SPDX-License-Identifier: Apache-2.0
//
// layer_norm and rms_norm: descriptors, prepare, driver. A row is what is normalised together: all of the axes from
// `axis` on, in row-major order, reduced in the lane order. Rows are shared out among tasks.
#include <cpu/normalise.h>

namespace rayo {
namespace {

struct NormState {
  const KernelTables *tables;
  Layout outer;          // axes before `axis`: operand 0 input, 1 output
  Layout inner;          // the others: operand 0 input, 1 output
  Layout parameters[2];  // scale and bias over the inner axes, stride 0 where they are broadcast; operand 0
  bool has_bias;
  bool centred;  // layer_norm; otherwise rms_norm
  double epsilon;
  int64_t length;
  int64_t blocks;
  Split split;               // units are rows
  uint64_t parameter_bytes;  // workspace: copies of scale and bias where they are not consecutive, then workers' parts
  uint64_t block_bytes;      // a worker's part: results of blocks, then a row where elements are not consecutive
  uint64_t worker_bytes;
};

/// A call's scale and bias as consecutive elements.
template <class T>
struct NormCall {
  const rayo_call *call;
  const T *parameter[2];
};

/// The sum over a row's blocks of what `block` makes of each.
template <class T, class Block>
T sum_blocks(const NormState &s, T *partial, Block block) {
  for (int64_t b = 0; b < s.blocks; ++b) {
    const int64_t first = b * kReduceBlock<T>;
    partial[b] = block(first, min64(kReduceBlock<T>, s.length - first));
  }
  combine_pairwise(reduce_loops<T>(*s.tables), kReduceSum, partial, s.blocks);
  return partial[0];
}

template <class T>
void norm_row(const NormState &s, const NormCall<T> &c, const T *x, T *y, T *partial) {
  const ReduceLoops<T> &reduce = reduce_loops<T>(*s.tables);
  const NormLoops<T> &loops = norm_loops<T>(*s.tables);
  const T count = static_cast<T>(s.length);
  T mean = T(0);
  T squares;
  if (s.centred) {
    mean = sum_blocks(s, partial, [&](int64_t first, int64_t n) { return reduce.block[kReduceSum](x + first, n); });
    reduce.divide(&mean, count, 1);
    squares =
        sum_blocks(s, partial, [&](int64_t first, int64_t n) { return reduce.deviation_block(x + first, n, mean); });
  } else {
    squares =
        sum_blocks(s, partial, [&](int64_t first, int64_t n) { return reduce.block[kReduceSquareSum](x + first, n); });
  }
  loops.inverse_roots(&squares, 1, count, static_cast<T>(s.epsilon));
  loops.apply({{x, 0, y, 0, 1, s.length}, &mean, &squares, c.parameter[0], c.parameter[1]});
}

/// Rows of up to so many bytes take each step for several of them at once. A 2-core Xeon with AVX-512, f32, time of one
/// row after another over it, AVX-512 and AVX2: 64x1024 1.41, 1.22; 1024x1024 1.11, 1.05; 2048x2048 0.97, 0.97.
constexpr int64_t kShortRowBytes = 4096;

template <class T>
void norm_some_rows(const NormState &s, const NormCall<T> &c, NormRows<T> g) {
  const ReduceLoops<T> &reduce = reduce_loops<T>(*s.tables);
  const NormLoops<T> &loops = norm_loops<T>(*s.tables);
  const T count = static_cast<T>(s.length);
  T means[kRowsAtOnce] = {};
  T roots[kRowsAtOnce];
  if (s.centred) {
    reduce.rows[kReduceSum](g.x, g.sx, g.rows, g.n, means);
    reduce.divide(means, count, g.rows);
    reduce.deviation_rows(g.x, g.sx, g.rows, g.n, means, roots);
  } else {
    reduce.rows[kReduceSquareSum](g.x, g.sx, g.rows, g.n, roots);
  }
  loops.inverse_roots(roots, g.rows, count, static_cast<T>(s.epsilon));
  g.mean = means;
  g.root = roots;
  g.scale = c.parameter[0];
  g.bias = c.parameter[1];
  loops.apply(g);
}

template <class T>
void norm_rows_task(void *ctx, uint64_t task, uint32_t) {
  const auto &c = *static_cast<const NormCall<T> *>(ctx);
  const NormState &s = *static_cast<const NormState *>(c.call->state);
  const int64_t begin = static_cast<int64_t>(task) * s.split.group;
  const int64_t end = min64(begin + s.split.group, s.split.units);
  walk_rows(s.outer, begin, end, rows_at_once<T>(s.length), [&](const RowRun &run) {
    const T *x = static_cast<const T *>(c.call->inputs[0]) + run.first[0];
    T *y = static_cast<T *>(c.call->outputs[0]) + run.first[1];
    norm_some_rows(s, c,
                   {{x, run.stride[0], y, run.stride[1], run.count, s.length}, nullptr, nullptr, nullptr, nullptr});
  });
}

/// Copies n elements to the row-major sequence of operand k of `layout`.
template <class T>
void scatter_sequence(const TransposeLoops &loops, const Layout &layout, int32_t k, const T *from, T *base) {
  const int32_t inner = layout.ndim - 1;
  if (inner < 0) {
    memcpy(base, from, sizeof(T));
    return;
  }
  const int64_t rows = layout_count(layout, 0, inner);
  LayoutWalk walk;
  walk_start(&walk, layout, inner, 0);
  for (int64_t r = 0; r < rows; ++r, walk_next(&walk)) {
    loops.copy(from + r * layout.shape[inner], 1, base + walk.offset[k], layout.strides[k][inner], layout.shape[inner]);
  }
}

template <class T>
void norm_task(void *ctx, uint64_t task, uint32_t worker) {
  const auto &c = *static_cast<const NormCall<T> *>(ctx);
  const NormState &s = *static_cast<const NormState *>(c.call->state);
  const TransposeLoops &copy = copy_loops<T>(*s.tables);
  char *space = static_cast<char *>(c.call->workspace) + s.parameter_bytes + worker * s.worker_bytes;
  T *partial = reinterpret_cast<T *>(space);
  T *buffer = reinterpret_cast<T *>(space + s.block_bytes);
  const bool consecutive = is_consecutive(s.inner, 0) && is_consecutive(s.inner, 1);
  const int64_t begin = static_cast<int64_t>(task) * s.split.group;
  const int64_t end = min64(begin + s.split.group, s.split.units);
  LayoutWalk walk;
  walk_start(&walk, s.outer, s.outer.ndim, begin);
  for (int64_t u = begin; u < end; ++u, walk_next(&walk)) {
    const T *x = static_cast<const T *>(c.call->inputs[0]) + walk.offset[0];
    T *y = static_cast<T *>(c.call->outputs[0]) + walk.offset[1];
    if (consecutive) {
      norm_row(s, c, x, y, partial);
      continue;
    }
    gather_sequence(copy, s.inner, 0, x, 0, s.length, buffer);
    norm_row(s, c, buffer, buffer, partial);
    scatter_sequence(copy, s.inner, 1, buffer, y);
  }
}

template <class T>
rayo_status run_norm(const rayo_call *call) {
  const NormState &s = *static_cast<const NormState *>(call->state);
  if (s.split.units == 0) return RAYO_OK;
  NormCall<T> c = {call, {nullptr, nullptr}};
  T *copy = static_cast<T *>(call->workspace);
  for (int k = 0; k < (s.has_bias ? 2 : 1); ++k) {
    c.parameter[k] = static_cast<const T *>(call->inputs[1 + k]);
    if (is_consecutive(s.parameters[k], 0)) continue;
    gather_sequence(copy_loops<T>(*s.tables), s.parameters[k], 0, c.parameter[k], 0, s.length, copy);
    c.parameter[k] = copy;
    copy += s.length;
  }
  const bool consecutive = is_consecutive(s.inner, 0) && is_consecutive(s.inner, 1);
  const bool short_rows =
      consecutive && s.blocks == 1 && s.length * static_cast<int64_t>(sizeof(T)) <= kShortRowBytes && s.split.units > 1;
  run_tasks(*call, s.split, short_rows ? norm_rows_task<T> : norm_task<T>, &c);
  return RAYO_OK;
}

/// `parameter` over the axes of x from `axis` on, aligned at the right.
void read_parameter(const rayo_tensor_desc &x, int32_t axis, const rayo_tensor_desc &parameter, Layout *out) {
  out->operands = 1;
  for (int32_t i = axis; i < x.ndim; ++i) {
    const int32_t own = i - (x.ndim - parameter.ndim);
    const int64_t stride = own < 0 || parameter.shape[own] == 1 ? 0 : parameter.strides[own];
    layout_push(out, x.shape[i], &stride);
  }
  layout_coalesce(out);
}

void read_operands(const rayo_op_desc &desc, NormState *s) {
  const rayo_tensor_desc &x = *desc.inputs[0];
  const auto axis = static_cast<int32_t>(int_attr(desc, "axis"));
  s->outer.operands = s->inner.operands = 2;
  for (int32_t i = 0; i < x.ndim; ++i) {
    const int64_t strides[2] = {x.strides[i], desc.outputs[0]->strides[i]};
    layout_push(i < axis ? &s->outer : &s->inner, x.shape[i], strides);
  }
  layout_coalesce(&s->outer);
  layout_coalesce(&s->inner);
  s->length = layout_count(s->inner, 0, s->inner.ndim);
  s->has_bias = s->centred && desc.input_count > 2 && desc.inputs[2]->dtype.bits != 0;
  for (int32_t k = 0; k < (s->has_bias ? 2 : 1); ++k) read_parameter(x, axis, *desc.inputs[1 + k], &s->parameters[k]);
}

template <bool kCentred>
rayo_status prepare(rayo_instance *instance, const rayo_op_desc *desc, rayo_prepared *out, rayo_error *error) {
  NormState *s = make_state<NormState>(instance, error);
  if (s == nullptr) return RAYO_OUT_OF_MEMORY;
  const bool f64 = desc->inputs[0]->dtype.bits == 64;
  const int64_t element = f64 ? 8 : 4;
  s->tables = instance->tables;
  s->centred = kCentred;
  s->epsilon = float_attr(*desc, "epsilon");
  read_operands(*desc, s);
  s->blocks = max64(1, ceil_div(s->length, f64 ? kReduceBlock<double> : kReduceBlock<float>));
  const int64_t rows = s->length == 0 ? 0 : layout_count(s->outer, 0, s->outer.ndim);
  s->split = make_split(*desc, rows, s->length, kNormaliseTask, kNormaliseParallelFrom);
  const uint64_t row_bytes = round_up64(static_cast<uint64_t>(s->length * element));
  for (int k = 0; k < (s->has_bias ? 2 : 1); ++k) {
    if (!is_consecutive(s->parameters[k], 0)) s->parameter_bytes += row_bytes;
  }
  s->block_bytes = round_up64(static_cast<uint64_t>(s->blocks * element));
  s->worker_bytes = s->block_bytes;
  if (!is_consecutive(s->inner, 0) || !is_consecutive(s->inner, 1)) s->worker_bytes += row_bytes;
  out->fn = f64 ? run_norm<double> : run_norm<float>;
  out->state = s;
  out->threads = s->split.threads;
  out->workspace_size = s->parameter_bytes + s->worker_bytes * out->threads;
  return RAYO_OK;
}

constexpr rayo_kernel kLayerNorm =
    make_kernel("layer_norm", "layer_norm", "T=f32,f64", RAYO_KERNEL_IN_PLACE, checked<prepare<true>>);
constexpr rayo_kernel kRmsNorm =
    make_kernel("rms_norm", "rms_norm", "T=f32,f64", RAYO_KERNEL_IN_PLACE, checked<prepare<false>>);
constexpr const rayo_kernel *kList[] = {&kLayerNorm, &kRmsNorm};

}  // namespace

const KernelList normalise_layer_kernels = {kList, 2};

}  // namespace rayo
