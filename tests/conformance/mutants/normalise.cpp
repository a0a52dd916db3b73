// SPDX-License-Identifier: Apache-2.0
//
// softmax and layer_norm.
#include "mutant.hpp"

namespace mutant {
namespace {

class Softmax {
 public:
  explicit Softmax(const rayo_op_desc &desc) {
    const rayo_tensor_desc &x = *desc.inputs[0];
    const rayo_tensor_desc &y = *desc.outputs[0];
    int64_t axis = rayo::plugin::attr_int(desc, "axis");
    if (has(Bug::softmax_ignores_axis)) axis = x.ndim - 1;
    lanes_ = axis == x.ndim - 1;
    for (int32_t d = 0; d < x.ndim; ++d) {
      (d == axis ? inner_ : outer_).add(x.shape[d], {x.strides[d], y.strides[d]});
    }
  }

  void operator()(const rayo_call &call) const {
    const int64_t n = inner_.size();
    for (int64_t o = 0; n > 0 && o < outer_.size(); ++o) {
      const float *x = static_cast<const float *>(call.inputs[0]) + outer_.at(0, o);
      float *y = static_cast<float *>(call.outputs[0]) + outer_.at(1, o);
      const auto in = [&](int64_t i) { return x[inner_.at(0, i)]; };
      const auto largest = [&](float acc, int64_t i) { return max_f32(acc, in(i)); };
      float m = accumulate(n, lanes_, -kInfinity, largest, max_f32);
      if (has(Bug::softmax_without_maximum)) m = 0;
      const auto add_exp = [&](float acc, int64_t i) { return acc + exp_f32(in(i)-m); };
      const float s = accumulate(n, lanes_, 0, add_exp, plus);
      const float r = 1 / s;
      for (int64_t i = 0; i < n; ++i) {
        const float e = exp_f32(in(i)-m);
        y[inner_.at(1, i)] = has(Bug::softmax_divides) ? e / s : e * r;
      }
    }
  }

 private:
  Space<2> outer_, inner_;
  bool lanes_;
};

class LayerNorm {
 public:
  explicit LayerNorm(const rayo_op_desc &desc) : bias_(desc.input_count > 2) {
    const rayo_tensor_desc &x = *desc.inputs[0];
    const rayo_tensor_desc &y = *desc.outputs[0];
    const rayo_tensor_desc &scale = *desc.inputs[1];
    const rayo_tensor_desc &bias = *desc.inputs[bias_ ? 2 : 1];
    const int64_t axis = rayo::plugin::attr_int(desc, "axis");
    for (int32_t d = 0; d < x.ndim; ++d) {
      (d < axis ? outer_ : inner_)
          .add(x.shape[d],
               {x.strides[d], y.strides[d], broadcast_stride(scale, d, x.ndim), broadcast_stride(bias, d, x.ndim)});
    }
    epsilon_ = static_cast<float>(rayo::plugin::attr_float(desc, "epsilon"));
    if (has(Bug::layer_norm_ignores_epsilon)) epsilon_ = 1e-5f;
  }

  void operator()(const rayo_call &call) const {
    const auto *scale = static_cast<const float *>(call.inputs[1]);
    const auto *bias = bias_ ? static_cast<const float *>(call.inputs[2]) : nullptr;
    const int64_t n = inner_.size();
    for (int64_t o = 0; n > 0 && o < outer_.size(); ++o) {
      const float *x = static_cast<const float *>(call.inputs[0]) + outer_.at(0, o);
      float *y = static_cast<float *>(call.outputs[0]) + outer_.at(1, o);
      const auto in = [&](int64_t i) { return x[inner_.at(0, i)]; };
      const auto size = static_cast<float>(n);
      const auto sum = [&](float acc, int64_t i) { return acc + in(i); };
      const float mean = accumulate(n, true, 0, sum, plus) / size;
      const auto square = [&](float acc, int64_t i) { return std::fmaf(in(i)-mean, in(i)-mean, acc); };
      const float var = accumulate(n, true, 0, square, plus) / size;
      const float r = 1 / std::sqrt(var + epsilon_);
      for (int64_t i = 0; i < n; ++i) {
        const float unit = (in(i)-mean) * r;
        const float g = scale[inner_.at(2, i)];
        y[inner_.at(1, i)] = bias_ ? std::fmaf(unit, g, bias[inner_.at(3, i)]) : unit * g;
      }
    }
  }

 private:
  Space<4> outer_, inner_;
  bool bias_;
  float epsilon_;
};

constexpr rayo_kernel kSoftmax = reproducible<Softmax>("softmax_f32", "softmax", "T=f32", RAYO_KERNEL_IN_PLACE);
constexpr rayo_kernel kLayerNorm =
    reproducible<LayerNorm>("layer_norm_f32", "layer_norm", "T=f32", RAYO_KERNEL_IN_PLACE);
constexpr const rayo_kernel *kKernels[] = {&kSoftmax, &kLayerNorm};

}  // namespace

std::span<const rayo_kernel *const> normalise_kernels() { return kKernels; }

}  // namespace mutant
