// SPDX-License-Identifier: Apache-2.0
//
// A complete plugin to start from: one op of a vendor's own, acme.scale_shift, on the host tier, f32, any strides,
// in place, on as many threads as a call offers. Copy the folder, rename acme, put your kernel in.
#include <rayo/plugin.hpp>

#include <algorithm>
#include <cmath>

namespace {

using rayo::plugin::attr_float;

// Y = fma(scale, X, shift). Bound once by prepare; then immutable, so many threads may call it at once.
class ScaleShift {
 public:
  explicit ScaleShift(const rayo_op_desc &desc)
      : scale_(static_cast<float>(attr_float(desc, "scale"))),
        shift_(static_cast<float>(attr_float(desc, "shift"))),
        loop_({desc.inputs[0], desc.outputs[0]}) {}

  uint32_t threads() const { return static_cast<uint32_t>(std::clamp<uint64_t>(loop_.tasks(), 1, 64)); }

  void operator()(const rayo_call &call) const {
    const auto *x = static_cast<const float *>(call.inputs[0]);
    auto *y = static_cast<float *>(call.outputs[0]);
    const int64_t sx = loop_.strides()[0], sy = loop_.strides()[1];
    rayo::plugin::parallel_for(call, loop_.tasks(), [&](uint64_t task, uint32_t) {
      loop_.run(task, [&](const auto &at, int64_t count) {
        for (int64_t i = 0; i < count; ++i) y[at[1] + i * sy] = std::fma(scale_, x[at[0] + i * sx], shift_);
      });
    });
  }

 private:
  float scale_, shift_;
  rayo::plugin::StridedLoop<2> loop_;
};

void same_shape(const rayo_op_desc &desc, std::span<rayo_shape> out) {
  out[0].ndim = desc.inputs[0]->ndim;
  out[0].dtype = desc.inputs[0]->dtype;
  for (int32_t axis = 0; axis < out[0].ndim; ++axis) out[0].extents[axis] = desc.inputs[0]->shape[axis];
}

constexpr double kOne = 1, kZero = 0;
constexpr rayo_attr_def kScale = rayo::plugin::attr_def("scale", &kOne, nullptr, "factor, rounded to f32");
constexpr rayo_attr_def kShift = rayo::plugin::attr_def("shift", &kZero, nullptr, "summand, rounded to f32");
constexpr const rayo_attr_def *kAttrs[] = {&kScale, &kShift};
constexpr rayo_op_schema kSchema = rayo::plugin::schema<same_shape>({.name = "acme.scale_shift",
                                                                     .inputs = "X:T",
                                                                     .outputs = "Y:T",
                                                                     .types = "T=f32",
                                                                     .in_place = 1,
                                                                     .numerics = RAYO_NUMERICS_REPRODUCIBLE,
                                                                     .doc = "Y = fma(scale, X, shift)"},
                                                                    kAttrs);
constexpr const rayo_op_schema *kSchemas[] = {&kSchema};

constexpr rayo_kernel kKernel = rayo::plugin::kernel<ScaleShift>({.name = "scale_shift_f32",
                                                                  .op = "acme.scale_shift",
                                                                  .types = "T=f32",
                                                                  .numerics = RAYO_NUMERICS_REPRODUCIBLE,
                                                                  .flags = RAYO_KERNEL_IN_PLACE,
                                                                  .layouts = RAYO_LAYOUT_STRIDED,
                                                                  .alignment = alignof(float)});
constexpr const rayo_kernel *kKernels[] = {&kKernel};

constexpr rayo_plugin kPlugin = rayo::plugin::plugin({.name = "acme",
                                                      .vendor = "Acme Inc.",
                                                      .version = "0.1.0",
                                                      .description = "scale and shift, as an example",
                                                      .preference = 100},
                                                     kKernels, kSchemas);

}  // namespace

RAYO_PLUGIN_NOTE("acme", "Acme Inc.", RAYO_TIER_HOST, 0, RAYO_THREADS_NONE, RAYO_FORK_SAFE, 0);
RAYO_PLUGIN(acme, kPlugin)
