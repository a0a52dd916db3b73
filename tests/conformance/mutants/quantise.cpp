// SPDX-License-Identifier: Apache-2.0
//
// quantize_linear to i8 and u8, cast from f32 to integers.
#include <algorithm>

#include "mutant.hpp"

namespace mutant {
namespace {

template <class Q>
class Quantize {
 public:
  explicit Quantize(const rayo_op_desc &desc) : zero_point_(desc.input_count > 2) {
    const rayo_tensor_desc &x = *desc.inputs[0];
    const rayo_tensor_desc &y = *desc.outputs[0];
    int64_t axis = rayo::plugin::attr_int(desc, "axis");
    const auto along = [&](const rayo_tensor_desc &p, int32_t d) {
      return p.ndim == 1 && p.shape[0] > 1 && d == axis ? p.strides[0] : 0;
    };
    for (int32_t d = 0; d < x.ndim; ++d) {
      space_.add(x.shape[d],
                 {x.strides[d], y.strides[d], along(*desc.inputs[1], d), zero_point_ ? along(*desc.inputs[2], d) : 0});
    }
  }

  void operator()(const rayo_call &call) const {
    const auto *x = static_cast<const float *>(call.inputs[0]);
    const auto *scale = static_cast<const float *>(call.inputs[1]);
    const auto *zero = zero_point_ ? static_cast<const Q *>(call.inputs[2]) : nullptr;
    auto *y = static_cast<Q *>(call.outputs[0]);
    for (int64_t i = 0; i < space_.size(); ++i) {
      const int64_t z = zero != nullptr ? zero[space_.at(3, i)] : 0;
      y[space_.at(1, i)] = of(x[space_.at(0, i)] / scale[space_.at(2, i)], z);
    }
  }

 private:
  static Q of(float q, int64_t z) {
    constexpr bool kSigned = std::numeric_limits<Q>::is_signed;
    if (q != q) return static_cast<Q>(z);
    const float bounded = std::clamp(q, -1e6f, 1e6f);
    const float rounded = has(Bug::quantize_half_away) ? std::roundf(bounded) : std::nearbyintf(bounded);
    const int64_t sum = static_cast<int64_t>(rounded) + z;
    if (has(Bug::quantize_wraps)) return static_cast<Q>(sum);
    const int64_t low = has(Bug::quantize_stops_at_minus_127) && kSigned ? -127 : std::numeric_limits<Q>::min();
    return static_cast<Q>(std::clamp<int64_t>(sum, low, std::numeric_limits<Q>::max()));
  }

  bool zero_point_;
  Space<4> space_;
};

template <class I>
class Cast {
 public:
  explicit Cast(const rayo_op_desc &desc) {
    const rayo_tensor_desc &x = *desc.inputs[0];
    for (int32_t d = 0; d < x.ndim; ++d) space_.add(x.shape[d], {x.strides[d], desc.outputs[0]->strides[d]});
  }

  void operator()(const rayo_call &call) const {
    const auto *x = static_cast<const float *>(call.inputs[0]);
    auto *y = static_cast<I *>(call.outputs[0]);
    for (int64_t i = 0; i < space_.size(); ++i) y[space_.at(1, i)] = of(x[space_.at(0, i)]);
  }

 private:
  static I of(float x) {
    const I low = std::numeric_limits<I>::min();
    if (x != x) return has(Bug::cast_nan_to_lowest) ? low : I{0};
    const double whole = has(Bug::cast_rounds) ? std::nearbyint(x) : std::trunc(x);
    return static_cast<I>(std::clamp<double>(whole, low, std::numeric_limits<I>::max()));
  }

  Space<2> space_;
};

constexpr rayo_kernel kQuantizeSigned = reproducible<Quantize<int8_t>>("quantize_i8", "quantize_linear", "Q=i8");
constexpr rayo_kernel kQuantizeUnsigned = reproducible<Quantize<uint8_t>>("quantize_u8", "quantize_linear", "Q=u8");
constexpr rayo_kernel kCastByte = reproducible<Cast<int8_t>>("cast_f32_i8", "cast", "S=f32 D=i8");
constexpr rayo_kernel kCastInt = reproducible<Cast<int32_t>>("cast_f32_i32", "cast", "S=f32 D=i32");
constexpr const rayo_kernel *kKernels[] = {&kQuantizeSigned, &kQuantizeUnsigned, &kCastByte, &kCastInt};

}  // namespace

std::span<const rayo_kernel *const> quantise_kernels() { return kKernels; }

}  // namespace mutant
