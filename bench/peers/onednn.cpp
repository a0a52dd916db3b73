// SPDX-License-Identifier: Apache-2.0
//
// oneDNN: primitives made once, executed with the caller's memory. Threads are OpenMP's.
#include <omp.h>

#include <oneapi/dnnl/dnnl.hpp>
#include <string>
#include <unordered_map>
#include <vector>

#include "peer.hpp"

namespace {

using dnnl::memory;
using Type = memory::data_type;
using Dims = memory::dims;
using Args = std::unordered_map<int, memory>;

const dnnl::engine &engine() {
  static const dnnl::engine cpu(dnnl::engine::kind::cpu, 0);
  return cpu;
}

int set_threads(uint32_t threads) {
  omp_set_num_threads(static_cast<int>(threads));
  return 1;
}

bool type_of(const DLTensor &t, Type *out) {
  const int bits = t.dtype.bits;
  if (t.dtype.code == kDLFloat && bits == 32) {
    *out = Type::f32;
  } else if (t.dtype.code == kDLFloat && bits == 16) {
    *out = Type::f16;
  } else if (t.dtype.code == kDLBfloat) {
    *out = Type::bf16;
  } else if (t.dtype.code == kDLInt && (bits == 8 || bits == 32)) {
    *out = bits == 8 ? Type::s8 : Type::s32;
  } else if (t.dtype.code == kDLUInt && bits == 8) {
    *out = Type::u8;
  } else {
    return false;
  }
  return true;
}

Dims dims_of(const DLTensor &t) { return t.ndim == 0 ? Dims{1} : Dims(t.shape, t.shape + t.ndim); }

Dims compact(const Dims &dims) {
  Dims strides(dims.size());
  int64_t stride = 1;
  for (size_t i = dims.size(); i-- > 0; stride *= dims[i]) strides[i] = stride;
  return strides;
}

memory::desc desc_of(const DLTensor &t, const Dims &dims) {
  Type type = Type::undef;
  if (!type_of(t, &type)) throw std::exception();
  return {dims, type, compact(dims)};
}
memory::desc desc_of(const DLTensor &t) { return desc_of(t, dims_of(t)); }

// Dims of a broadcast operand, with ones in front.
Dims padded(const DLTensor &t, int32_t ndim) {
  Dims dims = dims_of(t);
  if (t.ndim == 0) dims = {};
  dims.insert(dims.begin(), static_cast<size_t>(ndim) - dims.size(), 1);
  return dims;
}

// A primitive with its arguments; only the output's address changes.
struct Primitive final : Work {
  Primitive(dnnl::primitive made, Args given, const memory::desc &out)
      : primitive(std::move(made)), args(std::move(given)), stream(engine()), output(out, engine(), nullptr) {
    args.insert({DNNL_ARG_DST, output});
  }
  bool run(void *const *outputs) override {
    if (outputs[0] != address) output.set_data_handle(address = outputs[0]);
    primitive.execute(stream, args);
    return true;
  }
  dnnl::primitive primitive;
  Args args;
  dnnl::stream stream;
  memory output;
  void *address = nullptr;
};

memory bound(const memory::desc &desc, const DLTensor &t) { return {desc, engine(), t.data}; }

Work *eltwise(const Call &call, dnnl::algorithm algorithm, float alpha = 0, float beta = 0) {
  const memory::desc md = desc_of(call.in(0));
  const dnnl::eltwise_forward::desc desc(dnnl::prop_kind::forward_inference, algorithm, md, alpha, beta);
  return new Primitive(dnnl::eltwise_forward({desc, engine()}), {{DNNL_ARG_SRC, bound(md, call.in(0))}}, md);
}

Work *unary(const Call &call) {
  using A = dnnl::algorithm;
  if (!Call::is_f32(call.in(0))) return nullptr;
  if (call.is("exp")) return eltwise(call, A::eltwise_exp);
  if (call.is("log")) return eltwise(call, A::eltwise_log);
  if (call.is("tanh")) return eltwise(call, A::eltwise_tanh);
  if (call.is("sigmoid")) return eltwise(call, A::eltwise_logistic);
  if (call.is("relu")) return eltwise(call, A::eltwise_relu);
  if (call.is("leaky_relu")) return eltwise(call, A::eltwise_relu, static_cast<float>(call.real("alpha", 0.01)));
  if (call.is("elu")) return eltwise(call, A::eltwise_elu, static_cast<float>(call.real("alpha", 1)));
  if (call.is("swish")) return eltwise(call, A::eltwise_swish, 1);
  if (call.is("sqrt")) return eltwise(call, A::eltwise_sqrt);
  if (call.is("abs")) return eltwise(call, A::eltwise_abs);
  if (call.is("round")) return eltwise(call, A::eltwise_round);
  if (call.is("gelu")) {
    return eltwise(call, call.text("approximate", "none") == "tanh" ? A::eltwise_gelu_tanh : A::eltwise_gelu_erf);
  }
  if (call.is("clip") && call.inputs() == 3)
    return eltwise(call, A::eltwise_clip, *call.data<float>(1), *call.data<float>(2));
  return nullptr;
}

Work *binary(const Call &call) {
  using A = dnnl::algorithm;
  constexpr std::pair<std::string_view, A> kOps[] = {{"add", A::binary_add}, {"sub", A::binary_sub},
                                                     {"mul", A::binary_mul}, {"div", A::binary_div},
                                                     {"max", A::binary_max}, {"min", A::binary_min}};
  for (const auto &[name, algorithm] : kOps) {
    if (!call.is(name) || !call.all<float>()) continue;
    const int32_t ndim = call.out().ndim;
    const memory::desc a = desc_of(call.in(0), padded(call.in(0), ndim)),
                       b = desc_of(call.in(1), padded(call.in(1), ndim)), y = desc_of(call.out());
    return new Primitive(dnnl::binary({{algorithm, a, b, y}, engine()}),
                         {{DNNL_ARG_SRC_0, bound(a, call.in(0))}, {DNNL_ARG_SRC_1, bound(b, call.in(1))}}, y);
  }
  return nullptr;
}

Work *reduction(const Call &call) {
  using A = dnnl::algorithm;
  constexpr std::pair<std::string_view, A> kOps[] = {{"reduce_sum", A::reduction_sum},
                                                     {"reduce_mean", A::reduction_mean},
                                                     {"reduce_max", A::reduction_max},
                                                     {"reduce_min", A::reduction_min},
                                                     {"reduce_l1", A::reduction_norm_lp_power_p_sum},
                                                     {"reduce_l2", A::reduction_norm_lp_sum}};
  for (const auto &[name, algorithm] : kOps) {
    if (!call.is(name) || !call.all<float>()) continue;
    Dims dims = dims_of(call.in(0));
    const memory::desc x = desc_of(call.in(0));
    const rayo_attr *const axes = call.attr("axes");
    for (size_t i = 0; i < dims.size(); ++i) {
      const bool reduced =
          axes == nullptr || axes->count == 0 || *static_cast<const int64_t *>(axes->data) == static_cast<int64_t>(i);
      if (reduced) dims[i] = 1;
    }
    const memory::desc y = desc_of(call.out(), dims);
    const dnnl::reduction::desc desc(algorithm, x, y, call.is("reduce_l2") ? 2.F : 1.F, 0.F);
    return new Primitive(dnnl::reduction({desc, engine()}), {{DNNL_ARG_SRC, bound(x, call.in(0))}}, y);
  }
  return nullptr;
}

Work *normalise(const Call &call) {
  if (!call.all<float>()) return nullptr;
  const memory::desc x = desc_of(call.in(0));
  if (call.is("softmax") || call.is("log_softmax")) {
    const auto axis = call.integer("axis", -1);
    const dnnl::softmax_v2_forward::desc desc(
        dnnl::prop_kind::forward_inference,
        call.is("softmax") ? dnnl::algorithm::softmax_accurate : dnnl::algorithm::softmax_log, x, x,
        static_cast<int>(axis < 0 ? axis + call.in(0).ndim : axis));
    return new Primitive(dnnl::softmax_v2_forward({desc, engine()}), {{DNNL_ARG_SRC, bound(x, call.in(0))}}, x);
  }
  if (!call.is("layer_norm") || call.integer("axis", -1) != -1 || call.inputs() != 3 || call.in(0).ndim < 2)
    return nullptr;
  const auto flags = dnnl::normalization_flags::use_scale | dnnl::normalization_flags::use_shift;
  const dnnl::layer_normalization_forward::desc desc(dnnl::prop_kind::forward_inference, x,
                                                     static_cast<float>(call.real("epsilon", 1e-5)), flags);
  return new Primitive(dnnl::layer_normalization_forward({desc, engine()}),
                       {{DNNL_ARG_SRC, bound(x, call.in(0))},
                        {DNNL_ARG_SCALE, bound(desc_of(call.in(1)), call.in(1))},
                        {DNNL_ARG_SHIFT, bound(desc_of(call.in(2)), call.in(2))}},
                       x);
}

Dims transposed(Dims dims) {
  std::swap(dims[dims.size() - 1], dims[dims.size() - 2]);
  return dims;
}

// `trans`: the operand is stored transposed; its logical dims are given, its strides swapped.
memory::desc factor(const DLTensor &t, bool trans) {
  Type type = Type::undef;
  if (!type_of(t, &type)) throw std::exception();
  const Dims dims = dims_of(t);
  if (!trans) return {dims, type, compact(dims)};
  return {transposed(dims), type, transposed(compact(dims))};
}

Work *matmul(const Call &call) {
  if (!call.is("matmul") && !call.is("gemm")) return nullptr;
  Product p;
  if (!read_product(call, &p) || !call.all<float>() || p.alpha != 1) return nullptr;
  const memory::desc a = factor(call.in(0), p.trans_a), b = factor(call.in(1), p.trans_b), y = desc_of(call.out());
  Args args = {{DNNL_ARG_SRC, bound(a, call.in(0))}, {DNNL_ARG_WEIGHTS, bound(b, call.in(1))}};
  if (!p.bias_row) return new Primitive(dnnl::matmul({dnnl::matmul::desc(a, b, y), engine()}), std::move(args), y);
  const memory::desc bias = desc_of(call.in(2), {1, p.n});
  args.insert({DNNL_ARG_BIAS, bound(bias, call.in(2))});
  return new Primitive(dnnl::matmul({dnnl::matmul::desc(a, b, bias, y), engine()}), std::move(args), y);
}

// One zero point for each operand, as the work items have them.
int32_t zero_point(const Call &call, uint32_t input) {
  if (call.inputs() <= input || Call::count(call.in(input)) != 1) throw std::exception();
  const DLTensor &t = call.in(input);
  return t.dtype.code == kDLUInt ? *static_cast<const uint8_t *>(t.data) : *static_cast<const int8_t *>(t.data);
}

Work *matmul_integer(const Call &call) {
  if (!call.is("matmul_integer") || call.in(0).ndim != call.in(1).ndim) return nullptr;
  const memory::desc a = desc_of(call.in(0)), b = desc_of(call.in(1)), y = desc_of(call.out());
  dnnl::primitive_attr attr;
  attr.set_zero_points(DNNL_ARG_SRC, 0, {DNNL_RUNTIME_S32_VAL});
  attr.set_zero_points(DNNL_ARG_WEIGHTS, 0, {DNNL_RUNTIME_S32_VAL});
  const memory::desc scalar({1}, Type::s32, memory::format_tag::a);
  memory za(scalar, engine()), zb(scalar, engine());
  *static_cast<int32_t *>(za.get_data_handle()) = zero_point(call, 2);
  *static_cast<int32_t *>(zb.get_data_handle()) = zero_point(call, 3);
  return new Primitive(dnnl::matmul({dnnl::matmul::desc(a, b, y), attr, engine()}),
                       {{DNNL_ARG_SRC, bound(a, call.in(0))},
                        {DNNL_ARG_WEIGHTS, bound(b, call.in(1))},
                        {DNNL_ARG_ATTR_ZERO_POINTS | DNNL_ARG_SRC, za},
                        {DNNL_ARG_ATTR_ZERO_POINTS | DNNL_ARG_WEIGHTS, zb}},
                       y);
}

Work *reorder(const Call &call, const memory::desc &x, const memory::desc &y, const dnnl::primitive_attr &attr = {}) {
  return new Primitive(dnnl::reorder({engine(), x, engine(), y, attr}), {{DNNL_ARG_FROM, bound(x, call.in(0))}}, y);
}

Work *transpose(const Call &call) {
  const DLTensor &in = call.in(0), &out = call.out();
  if (!call.is("transpose") || !call.all<float>()) return nullptr;
  const rayo_attr *const perm = call.attr("perm");
  const Dims out_strides = compact(dims_of(out));
  Dims strides(static_cast<size_t>(in.ndim));  // of the output, by the input's axes
  for (int32_t i = 0; i < in.ndim; ++i) {
    const int64_t from = perm == nullptr ? in.ndim - 1 - i : static_cast<const int64_t *>(perm->data)[i];
    strides[static_cast<size_t>(from)] = out_strides[static_cast<size_t>(i)];
  }
  return reorder(call, desc_of(in), memory::desc(dims_of(in), Type::f32, strides));
}

Work *convert(const Call &call) {
  if (call.is("cast")) return reorder(call, desc_of(call.in(0)), desc_of(call.out()));
  const bool quantize = call.is("quantize_linear");
  if ((!quantize && !call.is("dequantize_linear")) || Call::count(call.in(1)) != 1) return nullptr;
  const float scale = *call.data<float>(1);
  dnnl::primitive_attr attr;
  attr.set_output_scales(0, {quantize ? 1 / scale : scale});
  attr.set_zero_points(quantize ? DNNL_ARG_DST : DNNL_ARG_SRC, 0, {zero_point(call, 2)});
  return reorder(call, desc_of(call.in(0)), desc_of(call.out()), attr);
}

Work *prepare(const Call &call) {
  for (Work *(*const kind)(const Call &) :
       {unary, binary, reduction, normalise, matmul, matmul_integer, transpose, convert}) {
    try {
      if (Work *const work = kind(call)) return work;
    } catch (const std::exception &) {  // oneDNN has no implementation for it
    }
  }
  return nullptr;
}

const std::string &version() {
  static const std::string text = [] {
    if (isa_limit() == "avx2") dnnl::set_max_cpu_isa(dnnl::cpu_isa::avx2);
    if (isa_limit() == "baseline") dnnl::set_max_cpu_isa(dnnl::cpu_isa::sse41);
    const dnnl_version_t *const v = dnnl_version();
    return "oneDNN " + std::to_string(v->major) + "." + std::to_string(v->minor) + "." + std::to_string(v->patch) +
           (isa_limit() == "native" ? "" : " limited to " + std::string(isa_limit()));
  }();
  return text;
}

}  // namespace

// libgomp's threads spin for a while after a region (GOMP_SPINCOUNT's default).
RAYO_PEERS(true, make_peer<prepare>("onednn", version().c_str(), set_threads, 20'000))
