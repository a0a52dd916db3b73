// SPDX-License-Identifier: Apache-2.0
//
// Ops of this plugin's own, with their schemas: rayo.attention and rayo.matmul_bf16.
#include <cmath>
#include <span>

#include <rayo/plugin.hpp>

#include "ops_linear.h"

namespace rayo::cuda {
namespace {

constexpr int64_t kHeadSize = 128;  // kAttentionWidth of kernels/attention.cuh

// ---- rayo.attention ------------------------------------------------------------------------------------------------

/// Extent of an axis counted from the end; rank 3 has one head.
int64_t heads_of(const rayo_tensor_desc &t) { return t.ndim == 4 ? t.shape[1] : 1; }

void infer_attention(const rayo_op_desc &desc, std::span<rayo_shape> out) {
  const rayo_tensor_desc &q = *desc.inputs[0], &k = *desc.inputs[1], &v = *desc.inputs[2];
  const int32_t rank = q.ndim;
  const auto refuse = [](const std::string &text) { throw Error(RAYO_INVALID_ARGUMENT, "rayo.attention: " + text); };
  if ((rank != 3 && rank != 4) || k.ndim != rank || v.ndim != rank)
    refuse("Q, K and V must all have rank 3 (batch, rows, size) or rank 4 (batch, heads, rows, size)");
  if (k.shape[0] != q.shape[0] || v.shape[0] != q.shape[0]) refuse("Q, K and V must have the same batch");
  if (heads_of(k) != heads_of(v) || heads_of(k) == 0 || heads_of(q) % heads_of(k) != 0)
    refuse("Q's " + std::to_string(heads_of(q)) + " heads must be a multiple of the " + std::to_string(heads_of(k)) +
           " of K and V");
  if (k.shape[rank - 1] != q.shape[rank - 1]) refuse("rows of Q and K must have the same size");
  if (k.shape[rank - 2] != v.shape[rank - 2]) refuse("K and V must have the same number of rows");
  out[0].ndim = rank;
  out[0].dtype = q.dtype;
  for (int32_t i = 0; i < rank; ++i) out[0].extents[i] = q.shape[i];
  out[0].extents[rank - 1] = v.shape[rank - 1];
}

uint32_t attention_supports(rayo_instance *, const rayo_op_desc *desc) {
  const auto consecutive = [](const rayo_tensor_desc &t) {
    return t.shape[t.ndim - 1] <= 1 || t.strides[t.ndim - 1] == 1;
  };
  for (uint32_t i = 0; i < 3; ++i) {
    const rayo_tensor_desc &t = *desc->inputs[i];
    if (!consecutive(t)) return RAYO_WHY_LAYOUT;
    if (t.shape[t.ndim - 1] > kHeadSize) return RAYO_WHY_SIZE;
    if (count_of(t) / std::max<int64_t>(1, t.shape[t.ndim - 1]) > (1 << 30)) return RAYO_WHY_SIZE;
  }
  return consecutive(*desc->outputs[0]) ? RAYO_WHY_SUPPORTED : RAYO_WHY_LAYOUT;
}

void read_strides(const rayo_tensor_desc &t, int64_t (&out)[3]) {
  out[0] = t.strides[0];
  out[1] = t.ndim == 4 ? t.strides[1] : 0;
  out[2] = t.strides[t.ndim - 2];
}

class Attention final : public State {
 public:
  Attention(Shared &device, const rayo_op_desc &desc) {
    const rayo_tensor_desc &q = *desc.inputs[0], &k = *desc.inputs[1], &v = *desc.inputs[2], &y = *desc.outputs[0];
    const int32_t rank = q.ndim;
    read_strides(q, p_.q_stride);
    read_strides(k, p_.k_stride);
    read_strides(v, p_.v_stride);
    read_strides(y, p_.y_stride);
    p_.batches = static_cast<int32_t>(q.shape[0]);
    p_.heads = static_cast<int32_t>(heads_of(q));
    p_.group = static_cast<int32_t>(heads_of(q) / heads_of(k));
    p_.queries = static_cast<int32_t>(q.shape[rank - 2]);
    p_.keys = static_cast<int32_t>(k.shape[rank - 2]);
    p_.width = static_cast<int32_t>(q.shape[rank - 1]);
    p_.depth = static_cast<int32_t>(v.shape[rank - 1]);
    p_.tiles = static_cast<int32_t>(ceil_div(p_.queries, 32));
    p_.offset = p_.keys - p_.queries;
    const double scale = plugin::attr_float(desc, "scale");
    p_.scale = static_cast<float>(scale != 0.0 ? scale : 1.0 / std::sqrt(static_cast<double>(std::max(1, p_.width))));
    const bool causal = plugin::attr_int(desc, "causal") != 0;
    kernel_.emplace(device, KernelName{kImageAttention, causal ? "attention_f32_causal" : "attention_f32", 128});
  }
  void enqueue(Work &work) const override {
    const int64_t units = int64_t{p_.tiles} * p_.heads * p_.batches;
    if (units == 0 || p_.depth == 0) return;
    AttentionParams p = p_;
    p.q = static_cast<const float *>(work.in[0]);
    p.k = static_cast<const float *>(work.in[1]);
    p.v = static_cast<const float *>(work.in[2]);
    p.y = static_cast<float *>(work.out[0]);
    (*kernel_)(work, p, units);
  }

 private:
  AttentionParams p_{};
  std::optional<BoundKernel> kernel_;
};

constexpr int64_t kNotCausal = 0;
constexpr double kNoScale = 0.0;
constexpr rayo_attr_def kCausal =
    plugin::attr_def("causal", &kNotCausal, "0|1", "1: query i sees the keys up to i + rows of K - rows of Q");
constexpr rayo_attr_def kScale = plugin::attr_def("scale", &kNoScale, "", "factor of Q K'; 0 = 1 / sqrt(row size)");
constexpr const rayo_attr_def *kAttentionAttrs[] = {&kCausal, &kScale};
constexpr rayo_op_schema kAttentionSchema = plugin::schema<infer_attention>(
    {.name = "rayo.attention",
     .family = "attention",
     .inputs = "Q:T K:T V:T",
     .outputs = "Y:T",
     .types = "T=f32",
     .numerics = RAYO_NUMERICS_STRICT,
     .doc = "Y = softmax(scale Q K') V per batch and head; heads of Q may share those of K and V in groups"},
    kAttentionAttrs);

// ---- rayo.matmul_bf16 ----------------------------------------------------------------------------------------------

void infer_bf16(const rayo_op_desc &desc, std::span<rayo_shape> out) {
  const rayo_tensor_desc &a = *desc.inputs[0], &b = *desc.inputs[1];
  if (a.ndim < 2 || b.ndim < 2)
    throw Error(RAYO_INVALID_ARGUMENT, "rayo.matmul_bf16: A and B must have rank 2 or more");
  if (a.shape[a.ndim - 1] != b.shape[b.ndim - 2])
    throw Error(RAYO_INVALID_ARGUMENT, "rayo.matmul_bf16: rows of A have " + std::to_string(a.shape[a.ndim - 1]) +
                                           " elements, columns of B " + std::to_string(b.shape[b.ndim - 2]));
  const int32_t rank = std::max(a.ndim, b.ndim);
  out[0].ndim = rank;
  out[0].dtype = RAYO_F32;
  out[0].extents[rank - 2] = a.shape[a.ndim - 2];
  out[0].extents[rank - 1] = b.shape[b.ndim - 1];
  for (int32_t i = 0; i < rank - 2; ++i) {
    const int32_t ia = i - (rank - a.ndim), ib = i - (rank - b.ndim);
    const int64_t ea = ia < 0 ? 1 : a.shape[ia], eb = ib < 0 ? 1 : b.shape[ib];
    if (ea != eb && ea != 1 && eb != 1)
      throw Error(RAYO_INVALID_ARGUMENT, "rayo.matmul_bf16: batch axis " + std::to_string(i) + ": " +
                                             std::to_string(ea) + " and " + std::to_string(eb) + " do not broadcast");
    out[0].extents[i] = ea == 1 ? eb : ea;
  }
}

constexpr int64_t kNo = 0;
constexpr rayo_attr_def kInvariant =
    plugin::attr_def("batch_invariant", &kNo, "0|1", "as in matmul; every order here is the same");
constexpr const rayo_attr_def *kBf16Attrs[] = {&kInvariant};
constexpr rayo_op_schema kBf16Schema =
    plugin::schema<infer_bf16>({.name = "rayo.matmul_bf16",
                                .family = "linear",
                                .inputs = "A:bf16 B:bf16",
                                .outputs = "Y:f32",
                                .numerics = RAYO_NUMERICS_RELAXED,
                                .doc = "Y = A B in f32 sums on tensor cores, batched and broadcast as matmul"},
                               kBf16Attrs);

class MatmulBf16 final : public State {
 public:
  MatmulBf16(Shared &device, const rayo_op_desc &desc)
      : product_(read_product(desc, false)), kernel_(device, {kImageGemmMma, "gemm_bf16_64x64", 128}) {}
  void enqueue(Work &work) const override {
    if (product_.p.m > 0 && product_.p.n > 0 && product_.p.count > 0) enqueue_bf16(work, product_, kernel_);
  }

 private:
  Product product_;
  BoundKernel kernel_;
};

constexpr rayo_kernel kKernels[] = {
    device_kernel<Attention>("attention_f32", "rayo.attention", "T=f32",
                             {.numerics = RAYO_NUMERICS_STRICT, .supports = attention_supports}),
    device_kernel<MatmulBf16>("matmul_bf16", "rayo.matmul_bf16", "", {.numerics = RAYO_NUMERICS_RELAXED}),
};
constexpr const rayo_kernel *kList[] = {&kKernels[0], &kKernels[1]};

}  // namespace

constexpr KernelList kVendorKernels = {kList, 2};
constexpr const rayo_op_schema *const kVendorSchemas[] = {&kAttentionSchema, &kBf16Schema};
constexpr uint32_t kVendorSchemaCount = 2;

}  // namespace rayo::cuda
