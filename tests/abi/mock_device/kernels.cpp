// SPDX-License-Identifier: Apache-2.0
//
// Kernels of the mock device: the catalogue's add, and an op of its own that fails on the device, after submit has
// long returned: mock.checked_sqrt.
#include <cmath>

#include <rayo/plugin_loop.hpp>

#include "mock.h"

namespace mock {
namespace {

void require_device(const rayo_op_desc &desc) {
  rayo::plugin::check_extensions(desc.next);
  if (desc.device == nullptr) throw Error(RAYO_UNSUPPORTED, "this kernel runs on mock devices only");
}

template <class Run>
void answer(rayo_prepared *out, uint32_t inputs, Run run) {
  rayo_prepared result{};
  result.threads = 1;
  result.state = new State{std::move(run), inputs};
  rayo::plugin::fill(out, result);
}

rayo_status prepare_add(rayo_instance *, const rayo_op_desc *desc, rayo_prepared *out, rayo_error *error) {
  return fence(error, [&] {
    require_device(*desc);
    const rayo::plugin::StridedLoop<3> loop({desc->outputs[0], desc->inputs[0], desc->inputs[1]});
    answer(out, 2, [loop](const std::vector<View> &in, const std::vector<View> &result) {
      const auto s = loop.strides();
      for (uint64_t task = 0; task < loop.tasks(); ++task)
        loop.run(task, [&](const auto &at, int64_t count) {
          for (int64_t i = 0; i < count; ++i)
            result[0].first[at[0] + i * s[0]] = in[0].first[at[1] + i * s[1]] + in[1].first[at[2] + i * s[2]];
        });
    });
  });
}

rayo_status prepare_sqrt(rayo_instance *, const rayo_op_desc *desc, rayo_prepared *out, rayo_error *error) {
  return fence(error, [&] {
    require_device(*desc);
    const rayo::plugin::StridedLoop<2> loop({desc->outputs[0], desc->inputs[0]});
    answer(out, 1, [loop](const std::vector<View> &in, const std::vector<View> &result) {
      const auto s = loop.strides();
      for (uint64_t task = 0; task < loop.tasks(); ++task)
        loop.run(task, [&](const auto &at, int64_t count) {
          for (int64_t i = 0; i < count; ++i) {
            const float x = in[0].first[at[1] + i * s[1]];
            if (x < 0) throw Error(RAYO_INVALID_ARGUMENT, "mock.checked_sqrt met " + std::to_string(x) + ", below 0");
            result[0].first[at[0] + i * s[0]] = std::sqrt(x);
          }
        });
    });
  });
}

void release(rayo_instance *, void *state) { delete static_cast<State *>(state); }

rayo_status infer_same(const rayo_op_desc *desc, rayo_shape *out, rayo_error *) {
  const rayo_tensor_desc &x = *desc->inputs[0];
  out[0].ndim = x.ndim;
  out[0].dtype = x.dtype;
  for (int32_t axis = 0; axis < x.ndim; ++axis) out[0].extents[axis] = x.shape[axis];
  return RAYO_OK;
}

constexpr rayo_kernel make_kernel(const char *name, const char *op, decltype(rayo_kernel::prepare) prepare) {
  rayo_kernel k{};
  k.struct_size = sizeof(rayo_kernel);
  k.struct_type = RAYO_TYPE_KERNEL;
  k.name = name;
  k.op = op;
  k.types = "T=f32";
  k.schema_min = k.schema_max = 1;
  k.numerics = RAYO_NUMERICS_REPRODUCIBLE;
  k.flags = RAYO_KERNEL_IN_PLACE | RAYO_KERNEL_DEVICE;
  k.layouts = RAYO_LAYOUT_STRIDED;
  k.alignment = 4;
  k.prepare = prepare;
  k.release = release;
  return k;
}

constexpr rayo_op_schema make_schema() {
  rayo_op_schema s{};
  s.struct_size = sizeof(rayo_op_schema);
  s.struct_type = RAYO_TYPE_OP_SCHEMA;
  s.name = "mock.checked_sqrt";
  s.version = 1;
  s.family = "unary";
  s.inputs = "X:T";
  s.outputs = "Y:T";
  s.types = "T=f32";
  s.in_place = 1;
  s.numerics = RAYO_NUMERICS_REPRODUCIBLE;
  s.infer_shape = infer_same;
  s.doc = "Y = sqrt(X); an error where X < 0";
  return s;
}

constexpr rayo_kernel kAdd = make_kernel("add_f32", "add", prepare_add);
constexpr rayo_kernel kSqrt = make_kernel("checked_sqrt_f32", "mock.checked_sqrt", prepare_sqrt);
constexpr rayo_op_schema kSchema = make_schema();

}  // namespace

constexpr const rayo_kernel *kKernels[2] = {&kAdd, &kSqrt};
constexpr const rayo_op_schema *kSchemas[1] = {&kSchema};

}  // namespace mock
