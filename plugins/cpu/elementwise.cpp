// SPDX-License-Identifier: Apache-2.0
//
// Elementwise ops: descriptors, prepare, and splitting a call into rows and tasks. The loops are
// kernels/elementwise.cpp.
#include <cpu/layout.h>
#include <cpu/plugin.h>

namespace rayo {
namespace {

/// When threads are worth it, and how much one task does. A wake-up costs about 50 us on the machines at hand. Cheap
/// ops run at memory speed, 2 to 4 elements per ns; dear ones at 1 (AVX2) to 10 (AVX-512, L1) elements per ns.
struct Cost {
  int64_t parallel_from;  // elements
  int64_t task;           // elements
};
constexpr Cost kCosts[] = {{1 << 20, 1 << 17}, {1 << 16, 1 << 15}};
enum CostClass : int { kCost_cheap, kCost_dear };
enum FirstType : int { kFirst_same, kFirst_byte };

struct OpRow {
  const char *op;
  int arity;
  FirstType first;
  const char *param;
  CostClass cost;
};
constexpr OpRow kOps[] = {
#define MAP_OP(ident, op, arity, first, attr, cost) {op, arity, kFirst_##first, attr, kCost_##cost},
#include <kernels/elementwise_ops.def>
#undef MAP_OP
};

/// Bytes of output from which stores past the caches win. 2-core Xeon with AVX-512, one thread, copies: 16 MiB 13.9
/// against 13.4 GB/s, 64 MiB 6.7 against 9.7.
constexpr int64_t kPastCachesFrom = 24 << 20;

/// Operands 0 .. arity-1 are inputs, operand `arity` is the output.
struct MapState {
  MapFn fn;
  double param;
  int32_t arity;
  int32_t input[3];                     // operand k is the call's input[k]
  int32_t element[kMaxLayoutOperands];  // bytes, per operand
  int64_t total;                        // elements
  int64_t rows;                         // of the outer axes
  int64_t pieces;                       // that a row is cut into
  int64_t piece;                        // elements of one
  bool past_caches;                     // unless the call is in place
  Split split;                          // units are pieces
  Layout layout;
  MapRow one;  // run_one: the row without its addresses
};

/// Pieces [begin, end) of rows that are cut.
void run_pieces(const rayo_call &call, const MapState &s, MapRow row, int64_t begin, int64_t end) {
  const int32_t inner = s.layout.ndim - 1;
  const int64_t length = s.layout.shape[inner];
  LayoutWalk walk;
  walk_start(&walk, s.layout, inner, begin / s.pieces);
  int64_t first = begin % s.pieces * s.piece;
  for (int64_t p = begin; p < end; ++p) {
    for (int32_t k = 0; k < s.arity; ++k) {
      row.in[k] = advance(call.inputs[s.input[k]], walk.offset[k] + first * row.in_stride[k], s.element[k]);
    }
    row.out = advance(call.outputs[0], walk.offset[s.arity] + first * row.out_stride, s.element[s.arity]);
    row.n = min64(s.piece, length - first);
    s.fn(row);
    first += s.piece;
    if (first >= length) {
      first = 0;
      walk_next(&walk);
    }
  }
}

/// Whole rows [begin, end): those along the axis above in one go.
void run_whole_rows(const rayo_call &call, const MapState &s, MapRow row, int64_t begin, int64_t end) {
  const int32_t middle = s.layout.ndim - 2;
  const int64_t length = s.layout.shape[middle];
  for (int32_t k = 0; k < s.arity; ++k) row.in_step[k] = s.layout.strides[k][middle];
  row.out_step = s.layout.strides[s.arity][middle];
  row.n = s.layout.shape[middle + 1];
  LayoutWalk walk;
  walk_start(&walk, s.layout, middle, begin / length);
  int64_t first = begin % length;
  for (int64_t r = begin; r < end; r += row.rows) {
    for (int32_t k = 0; k < s.arity; ++k) {
      row.in[k] = advance(call.inputs[s.input[k]], walk.offset[k] + first * row.in_step[k], s.element[k]);
    }
    row.out = advance(call.outputs[0], walk.offset[s.arity] + first * row.out_step, s.element[s.arity]);
    row.rows = min64(end - r, length - first);
    s.fn(row);
    first = 0;
    walk_next(&walk);
  }
}

void run_task(void *ctx, uint64_t task, uint32_t) {
  const rayo_call &call = *static_cast<const rayo_call *>(ctx);
  const MapState &s = *static_cast<const MapState *>(call.state);
  const int64_t begin = static_cast<int64_t>(task) * s.split.group;
  const int64_t end = min64(begin + s.split.group, s.split.units);
  MapRow row = s.one;
  row.past_caches = s.past_caches;
  for (int32_t k = 0; k < s.arity; ++k) row.past_caches &= call.inputs[s.input[k]] != call.outputs[0];
  (s.pieces > 1 || s.layout.ndim == 1 ? run_pieces : run_whole_rows)(call, s, row, begin, end);
}

rayo_status run_rows(const rayo_call *call) {
  const MapState &s = *static_cast<const MapState *>(call->state);
  run_tasks(*call, s.split, run_task, const_cast<rayo_call *>(call));
  return RAYO_OK;
}

/// One row and one task: the path of small eager calls.
rayo_status run_one(const rayo_call *call) {
  const MapState &s = *static_cast<const MapState *>(call->state);
  MapRow row = s.one;
  for (int32_t k = 0; k < s.arity; ++k) row.in[k] = call->inputs[s.input[k]];
  row.out = call->outputs[0];
  s.fn(row);
  return RAYO_OK;
}

MapRow make_one(const MapState &s) {
  MapRow row = {};
  const int32_t inner = s.layout.ndim - 1;
  for (int32_t k = 0; k < s.arity; ++k) row.in_stride[k] = s.layout.strides[k][inner];
  row.out_stride = s.layout.strides[s.arity][inner];
  row.n = s.total;
  row.param = s.param;
  return row;
}

rayo_status run_nothing(const rayo_call *) { return RAYO_OK; }

void read_layout(const rayo_op_desc &desc, int arity, const int32_t *input, Layout *l) {
  const rayo_tensor_desc &y = *desc.outputs[0];
  l->operands = arity + 1;
  for (int32_t axis = 0; axis < y.ndim; ++axis) {
    int64_t strides[kMaxLayoutOperands] = {};
    for (int k = 0; k < arity; ++k) strides[k] = desc.inputs[input[k]]->strides[axis];
    strides[arity] = y.strides[axis];
    layout_push(l, y.shape[axis], strides);
  }
  layout_coalesce(l);
  layout_sort(l, arity);
  layout_coalesce(l);
  if (l->ndim == 0) {
    constexpr int64_t kUnit[kMaxLayoutOperands] = {1, 1, 1, 1};
    layout_push(l, 1, kUnit);
  }
}

void split_rows(const rayo_op_desc &desc, const Cost &cost, MapState *s) {
  const int64_t length = s->layout.shape[s->layout.ndim - 1];
  s->rows = layout_count(s->layout, 0, s->layout.ndim - 1);
  s->total = s->rows * length;
  s->piece = min64(length, cost.task);
  if (s->piece < 1) s->piece = 1;
  s->pieces = ceil_div(length, s->piece);
  s->split = make_split(desc, s->rows * s->pieces, s->piece, cost.task, cost.parallel_from);
}

/// Kernel `op` on the call's inputs from `second` on, behind input 0.
rayo_status prepare_map(rayo_instance *instance, const rayo_op_desc *desc, rayo_prepared *out, rayo_error *error,
                        int op, int32_t second) {
  MapState *s = make_state<MapState>(instance, error);
  if (s == nullptr) return RAYO_OUT_OF_MEMORY;
  const OpRow &row = kOps[op];
  const bool f64 = desc->outputs[0]->dtype.bits == 64;
  const ElementwiseTable &table = *instance->tables->elementwise;
  s->fn = f64 ? table.f64[op] : table.f32[op];
  s->param = row.param[0] != '\0' ? float_attr(*desc, row.param) : 0.0;
  s->arity = row.arity;
  for (int32_t k = 1; k < row.arity; ++k) s->input[k] = second + k - 1;
  for (int32_t &element : s->element) element = f64 ? 8 : 4;
  if (row.first == kFirst_byte) s->element[0] = 1;
  read_layout(*desc, s->arity, s->input, &s->layout);
  split_rows(*desc, kCosts[row.cost], s);
  s->one = make_one(*s);
  s->past_caches = s->total >= kPastCachesFrom / (f64 ? 8 : 4);
  out->state = s;
  out->threads = s->split.threads;
  out->fn = s->total == 0 ? run_nothing : (s->rows == 1 && s->pieces == 1 ? run_one : run_rows);
  return RAYO_OK;
}

bool has_input(const rayo_op_desc &desc, uint32_t k) {
  return k < desc.input_count && desc.inputs[k] != nullptr && desc.inputs[k]->dtype.bits != 0;
}

template <int kOp>
rayo_status prepare(rayo_instance *instance, const rayo_op_desc *desc, rayo_prepared *out, rayo_error *error) {
  int op = kOp;
  int32_t second = 1;
  if constexpr (kOp == kMap_gelu_none) {
    if (string_attr_is(*desc, "approximate", "tanh")) op = kMap_gelu_tanh;
  }
  if constexpr (kOp == kMap_clip) {
    const bool low = has_input(*desc, 1), high = has_input(*desc, 2);
    if (!low) second = 2;
    if (!low || !high) op = low ? kMap_clip_below : (high ? kMap_clip_above : kMap_copy);
  }
  return prepare_map(instance, desc, out, error, op, second);
}

constexpr rayo_kernel kKernels[] = {
#define MAP_OP(ident, op, arity, first, attr, cost) \
  make_kernel(#ident, op, "T=f32,f64", RAYO_KERNEL_IN_PLACE, checked<prepare<kMap_##ident>>),
#include <kernels/elementwise_ops.def>
#undef MAP_OP
};

/// Pointers to the rows that are kernels of their own; the variants of others have no op name.
struct KernelPointers {
  const rayo_kernel *at[kMapOpCount];
  uint32_t count;
};
constexpr KernelPointers list_kernels() {
  KernelPointers list{};
  for (const rayo_kernel &k : kKernels) {
    if (k.op[0] != '\0') list.at[list.count++] = &k;
  }
  return list;
}
constexpr KernelPointers kList = list_kernels();

}  // namespace

const KernelList elementwise_kernels = {kList.at, kList.count};

}  // namespace rayo
