// SPDX-License-Identifier: Apache-2.0
//
// softmax, log_softmax, layer_norm, rms_norm.
#include "bind.h"

namespace rayo::cuda {
namespace {

constexpr int64_t kRowShared = 8192;  // of kernels/rows.cuh: a row that fits into shared memory
constexpr unsigned kRowThreads = 256, kColumnThreads = 128;
constexpr int64_t kMostRowBlocks = 65536;  // kernels loop beyond

struct SoftmaxNames {
  KernelName rows, longer, columns;
};
#define NAMES(ident)                                                                                \
  {                                                                                                 \
    {kImageRows, #ident "_rows_f32", kRowThreads}, {kImageRows, #ident "_long_f32", kRowThreads}, { \
      kImageRows, #ident "_columns_f32", kColumnThreads                                             \
    }                                                                                               \
  }
constexpr SoftmaxNames kSoftmax = NAMES(softmax);
constexpr SoftmaxNames kLogSoftmax = NAMES(log_softmax);
#undef NAMES

class Softmax : public State {
 public:
  Softmax(Shared &shared, const rayo_op_desc &desc, const SoftmaxNames &names) {
    const rayo_tensor_desc &x = *desc.inputs[0], &y = *desc.outputs[0];
    // A rank-0 tensor is a sequence of one element along its (missing) last axis.
    const auto axis = static_cast<int32_t>(x.ndim == 0 ? 0 : plugin::attr_int(desc, "axis"));
    p_.rows = p_.length = 1;
    for (int32_t i = 0; i < x.ndim; ++i) {
      if (i == axis) {
        p_.length = x.shape[i];
        p_.sx = x.strides[i];
        p_.sy = y.strides[i];
      } else {
        p_.rows *= x.shape[i];
        push_axis(p_.outer, x.shape[i], {x.strides[i], y.strides[i]});
      }
    }
    close_layout(p_.outer);
    const bool last = x.ndim == 0 || axis == x.ndim - 1;
    const int64_t blocks = ceil_div(p_.length, last ? kLaneBlock : kChainBlock);
    const bool fits = last && p_.length <= kRowShared;
    if (!fits && (last || blocks > 1)) workspace_size = static_cast<uint64_t>(p_.rows * blocks) * sizeof(float);
    kernel_.emplace(shared, last ? (fits ? names.rows : names.longer) : names.columns);
    blocks_ = last ? std::min(p_.rows, kMostRowBlocks) : grid_for(shared, p_.rows, kColumnThreads);
  }
  void enqueue(Work &work) const override {
    if (p_.rows == 0 || p_.length == 0) return;
    SoftmaxParams p = p_;
    p.x = static_cast<const float *>(work.in[0]);
    p.y = static_cast<float *>(work.out[0]);
    p.partial = static_cast<float *>(work.workspace);
    (*kernel_)(work, p, blocks_);
  }

 private:
  SoftmaxParams p_{};
  std::optional<BoundKernel> kernel_;
  int64_t blocks_;
};

template <const SoftmaxNames &kNames>
class SoftmaxOf final : public Softmax {
 public:
  SoftmaxOf(Shared &shared, const rayo_op_desc &desc) : Softmax(shared, desc, kNames) {}
};

/// Stride of axis `axis` of X in scale or bias, which is broadcast to the normalised axes, aligned at the right.
int64_t parameter_stride(const rayo_tensor_desc &parameter, int32_t ndim, int32_t axis) {
  const int32_t own = axis - (ndim - parameter.ndim);
  return own < 0 || parameter.shape[own] == 1 ? 0 : parameter.strides[own];
}

class Norm : public State {
 public:
  Norm(Shared &shared, const rayo_op_desc &desc, const KernelName &rows, const KernelName &longer) {
    const rayo_tensor_desc &x = *desc.inputs[0], &y = *desc.outputs[0], &scale = *desc.inputs[1];
    const rayo_tensor_desc *bias = has_input(desc, 2) ? desc.inputs[2] : nullptr;
    const auto first = static_cast<int32_t>(x.ndim == 0 ? 0 : plugin::attr_int(desc, "axis"));
    p_.rows = p_.length = 1;
    for (int32_t i = 0; i < x.ndim; ++i) {
      if (i < first) {
        p_.rows *= x.shape[i];
        push_axis(p_.outer, x.shape[i], {x.strides[i], y.strides[i]});
      } else {
        p_.length *= x.shape[i];
        push_axis(p_.inner, x.shape[i],
                  {x.strides[i], y.strides[i], parameter_stride(scale, x.ndim, i),
                   bias != nullptr ? parameter_stride(*bias, x.ndim, i) : 0});
      }
    }
    close_layout(p_.outer);
    close_layout(p_.inner);
    has_bias_ = bias != nullptr;
    p_.epsilon = static_cast<float>(plugin::attr_float(desc, "epsilon"));
    const bool fits = p_.length <= kRowShared;
    if (!fits) workspace_size = static_cast<uint64_t>(p_.rows * ceil_div(p_.length, kLaneBlock)) * sizeof(float);
    kernel_.emplace(shared, fits ? rows : longer);
    blocks_ = std::min(p_.rows, kMostRowBlocks);
  }
  void enqueue(Work &work) const override {
    if (p_.rows == 0 || p_.length == 0) return;
    NormParams p = p_;
    p.x = static_cast<const float *>(work.in[0]);
    p.scale = static_cast<const float *>(work.in[1]);
    p.bias = has_bias_ ? static_cast<const float *>(work.in[2]) : nullptr;
    p.y = static_cast<float *>(work.out[0]);
    p.partial = static_cast<float *>(work.workspace);
    (*kernel_)(work, p, blocks_);
  }

 private:
  NormParams p_{};
  bool has_bias_;
  std::optional<BoundKernel> kernel_;
  int64_t blocks_;
};

constexpr KernelName kLayerRows = {kImageRows, "layer_norm_rows_f32", kRowThreads};
constexpr KernelName kLayerLong = {kImageRows, "layer_norm_long_f32", kRowThreads};
constexpr KernelName kRmsRows = {kImageRows, "rms_norm_rows_f32", kRowThreads};
constexpr KernelName kRmsLong = {kImageRows, "rms_norm_long_f32", kRowThreads};

template <const KernelName &kRows, const KernelName &kLonger>
class NormOf final : public Norm {
 public:
  NormOf(Shared &shared, const rayo_op_desc &desc) : Norm(shared, desc, kRows, kLonger) {}
};

constexpr KernelTraits kInPlace = {.flags = RAYO_KERNEL_IN_PLACE};
constexpr rayo_kernel kKernels[] = {
    device_kernel<SoftmaxOf<kSoftmax>>("softmax_f32", "softmax", "T=f32", kInPlace),
    device_kernel<SoftmaxOf<kLogSoftmax>>("log_softmax_f32", "log_softmax", "T=f32", kInPlace),
    device_kernel<NormOf<kLayerRows, kLayerLong>>("layer_norm_f32", "layer_norm", "T=f32", kInPlace),
    device_kernel<NormOf<kRmsRows, kRmsLong>>("rms_norm_f32", "rms_norm", "T=f32", kInPlace),
};
constexpr const rayo_kernel *kList[] = {&kKernels[0], &kKernels[1], &kKernels[2], &kKernels[3]};

}  // namespace

constexpr KernelList kRowKernels = {kList, 4};

}  // namespace rayo::cuda
