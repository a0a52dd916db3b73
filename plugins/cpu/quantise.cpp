// SPDX-License-Identifier: Apache-2.0
//
// quantize_linear, dequantize_linear and cast: descriptors, prepare, driver. All are elementwise over operands of
// different types; scale and zero point are operands with stride 0 wherever they do not vary.
#include <cpu/layout.h>
#include <cpu/plugin.h>

namespace rayo {
namespace {

constexpr int64_t kParallelFrom = 1 << 19;  // elements; bound by memory or a few cycles each
constexpr int64_t kTask = 1 << 17;

/// Operands 0 .. inputs-1 are inputs, operand `inputs` is the output.
struct ConvertState {
  MapFn fn;
  int32_t inputs;
  bool zero_absent;                     // no zero point was given: a 0 stands in for input 2
  int64_t element[kMaxLayoutOperands];  // bytes
  Layout layout;
  int64_t piece;   // elements of one
  int64_t pieces;  // that a row is cut into
  Split split;     // units are pieces
};

constexpr int64_t kZeroPoint = 0;

void convert_task(void *ctx, uint64_t task, uint32_t) {
  const rayo_call &call = *static_cast<const rayo_call *>(ctx);
  const ConvertState &s = *static_cast<const ConvertState *>(call.state);
  const int32_t inner = s.layout.ndim - 1;
  const int64_t length = s.layout.shape[inner];
  const int64_t begin = static_cast<int64_t>(task) * s.split.group;
  const int64_t end = min64(begin + s.split.group, s.split.units);
  LayoutWalk walk;
  walk_start(&walk, s.layout, inner, begin / s.pieces);
  for (int64_t p = begin; p < end; ++p) {
    const int64_t first = (p % s.pieces) * s.piece;
    MapRow row;
    for (int32_t k = 0; k < s.inputs; ++k) {
      const int64_t stride = s.layout.strides[k][inner];
      const void *base = k == 2 && s.zero_absent ? &kZeroPoint : call.inputs[k];
      row.in_stride[k] = stride;
      row.in[k] = advance(base, walk.offset[k] + first * stride, s.element[k]);
    }
    row.out_stride = s.layout.strides[s.inputs][inner];
    row.out = advance(call.outputs[0], walk.offset[s.inputs] + first * row.out_stride, s.element[s.inputs]);
    row.n = min64(s.piece, length - first);
    s.fn(row);
    if (first + s.piece >= length) walk_next(&walk);
  }
}

rayo_status run_convert(const rayo_call *call) {
  run_tasks(*call, static_cast<const ConvertState *>(call->state)->split, convert_task, const_cast<rayo_call *>(call));
  return RAYO_OK;
}

/// Canonical form, split, and what goes back to the core.
void finish_prepare(const rayo_op_desc &desc, ConvertState *s, rayo_prepared *out) {
  Layout &l = s->layout;
  layout_coalesce(&l);
  layout_sort(&l, s->inputs);
  layout_coalesce(&l);
  if (l.ndim == 0) {
    constexpr int64_t kUnit[kMaxLayoutOperands] = {1, 1, 1, 1};
    layout_push(&l, 1, kUnit);
  }
  const int64_t length = l.shape[l.ndim - 1];
  s->piece = max64(1, min64(length, kTask));
  s->pieces = ceil_div(length, s->piece);
  s->split = make_split(desc, layout_count(l, 0, l.ndim - 1) * s->pieces, s->piece, kTask, kParallelFrom);
  out->fn = run_convert;
  out->state = s;
  out->threads = s->split.threads;
}

// ---- quantize_linear and dequantize_linear ----

rayo_status prepare_linear(rayo_instance *instance, const rayo_op_desc *desc, rayo_prepared *out, rayo_error *error,
                           bool quantize) {
  ConvertState *s = make_state<ConvertState>(instance, error);
  if (s == nullptr) return RAYO_OUT_OF_MEMORY;
  const rayo_tensor_desc &x = *desc->inputs[0];
  const rayo_tensor_desc &y = *desc->outputs[0];
  const QuantiseTable &table = *instance->tables->quantise;
  const bool is_signed = (quantize ? y : x).dtype.code == kDLInt;
  s->fn = quantize ? (is_signed ? table.quantize_i8 : table.quantize_u8)
                   : (is_signed ? table.dequantize_i8 : table.dequantize_u8);
  s->inputs = 3;
  s->zero_absent = desc->input_count < 3 || desc->inputs[2]->dtype.bits == 0;
  s->element[0] = quantize ? 4 : 1;
  s->element[1] = 4;
  s->element[2] = 1;
  s->element[3] = quantize ? 1 : 4;
  s->layout.operands = 4;
  const int64_t axis = int_attr(*desc, "axis");
  for (int32_t i = 0; i < x.ndim; ++i) {
    int64_t strides[kMaxLayoutOperands] = {x.strides[i], 0, 0, y.strides[i]};
    for (uint32_t k = 1; k < (s->zero_absent ? 2u : 3u) && i == axis; ++k) {
      const rayo_tensor_desc &parameter = *desc->inputs[k];
      if (parameter.ndim == 1 && parameter.shape[0] != 1) strides[k] = parameter.strides[0];
    }
    layout_push(&s->layout, x.shape[i], strides);
  }
  finish_prepare(*desc, s, out);
  return RAYO_OK;
}

template <bool kQuantize>
rayo_status prepare(rayo_instance *instance, const rayo_op_desc *desc, rayo_prepared *out, rayo_error *error) {
  return prepare_linear(instance, desc, out, error, kQuantize);
}

// ---- cast ----

CastType cast_type(DLDataType t) {
  if (t.code == kDLBfloat) return kCastBf16;
  if (t.code == kDLFloat) return t.bits == 64 ? kCastF64 : (t.bits == 32 ? kCastF32 : kCastF16);
  if (t.code == kDLUInt) return kCastU8;
  return t.bits == 64 ? kCastI64 : (t.bits == 32 ? kCastI32 : kCastI8);
}

rayo_status prepare_cast(rayo_instance *instance, const rayo_op_desc *desc, rayo_prepared *out, rayo_error *error) {
  ConvertState *s = make_state<ConvertState>(instance, error);
  if (s == nullptr) return RAYO_OUT_OF_MEMORY;
  const rayo_tensor_desc &x = *desc->inputs[0];
  const rayo_tensor_desc &y = *desc->outputs[0];
  s->fn = instance->tables->quantise->cast[cast_type(x.dtype)][cast_type(y.dtype)];
  s->inputs = 1;
  s->element[0] = x.dtype.bits / 8;
  s->element[1] = y.dtype.bits / 8;
  s->layout.operands = 2;
  for (int32_t i = 0; i < x.ndim; ++i) {
    const int64_t strides[2] = {x.strides[i], y.strides[i]};
    layout_push(&s->layout, x.shape[i], strides);
  }
  finish_prepare(*desc, s, out);
  return RAYO_OK;
}

constexpr rayo_kernel kQuantize =
    make_kernel("quantize_linear", "quantize_linear", "Q=u8,i8", 0, checked<prepare<true>>);
constexpr rayo_kernel kDequantize =
    make_kernel("dequantize_linear", "dequantize_linear", "Q=u8,i8", 0, checked<prepare<false>>);
constexpr rayo_kernel kCast = make_kernel(
    "cast", "cast", "S=f32,f64,f16,bf16,i8,u8,i32,i64 D=f32,f64,f16,bf16,i8,u8,i32,i64", 0, checked<prepare_cast>);
constexpr const rayo_kernel *kList[] = {&kQuantize, &kDequantize, &kCast};

}  // namespace

const KernelList quantise_kernels = {kList, 3};

}  // namespace rayo
