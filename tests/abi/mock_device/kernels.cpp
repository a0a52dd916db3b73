// SPDX-License-Identifier: Apache-2.0
//
// Kernels of the mock device: the catalogue's add, and an op of its own that fails on the device, after submit has
// long returned: mock.checked_sqrt.
#include <algorithm>
#include <cmath>

#include <rayo/plugin_loop.hpp>

#include "mock.h"

namespace mock {
namespace {

void require_device(const rayo_op_desc &desc) {
  rayo::plugin::check_extensions(desc.next);
  if (desc.device == nullptr) throw Error(RAYO_UNSUPPORTED, "this kernel runs on mock devices only");
}

double elements(const rayo_tensor_desc &tensor) {
  double count = 1;
  for (int32_t axis = 0; axis < tensor.ndim; ++axis) count *= static_cast<double>(tensor.shape[axis]);
  return count;
}

template <class Run>
void answer(rayo_prepared *out, uint32_t inputs, double cost_ns, Run run) {
  rayo_prepared result{};
  result.threads = 1;
  result.state = new State{std::move(run), inputs, cost_ns};
  rayo::plugin::fill(out, result);
}

rayo_status prepare_add(rayo_instance *, const rayo_op_desc *desc, rayo_prepared *out, rayo_error *error) {
  return fence(error, [&] {
    require_device(*desc);
    const rayo::plugin::StridedLoop<3> loop({desc->outputs[0], desc->inputs[0], desc->inputs[1]});
    answer(out, 2, kernel_cost(elements(*desc->outputs[0]), 1),
           [loop](const std::vector<View> &in, const std::vector<View> &result) {
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
    answer(out, 1, kernel_cost(elements(*desc->outputs[0]), 1),
           [loop](const std::vector<View> &in, const std::vector<View> &result) {
             const auto s = loop.strides();
             for (uint64_t task = 0; task < loop.tasks(); ++task)
               loop.run(task, [&](const auto &at, int64_t count) {
                 for (int64_t i = 0; i < count; ++i) {
                   const float x = in[0].first[at[1] + i * s[1]];
                   if (x < 0)
                     throw Error(RAYO_INVALID_ARGUMENT, "mock.checked_sqrt met " + std::to_string(x) + ", below 0");
                   result[0].first[at[0] + i * s[0]] = std::sqrt(x);
                 }
               });
           });
  });
}

#ifdef MOCK_LARGE
uint32_t supports_matmul(rayo_instance *, const rayo_op_desc *desc) {
  if (desc->inputs[0]->ndim != 2 || desc->inputs[1]->ndim != 2) return RAYO_WHY_RANK;
  return RAYO_WHY_SUPPORTED;
}

rayo_status prepare_matmul(rayo_instance *, const rayo_op_desc *desc, rayo_prepared *out, rayo_error *error) {
  return fence(error, [&] {
    require_device(*desc);
    const int64_t m = desc->inputs[0]->shape[0], k = desc->inputs[0]->shape[1], n = desc->inputs[1]->shape[1];
    const double cost = kernel_cost(static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k),
                                    static_cast<double>(std::min({m, n, k})));
    answer(out, 2, cost, [m, n, k](const std::vector<View> &in, const std::vector<View> &result) {
      for (int64_t i = 0; i < m; ++i) {
        float *row = result[0].first + i * n;
        std::fill_n(row, n, 0.0f);
        for (int64_t p = 0; p < k; ++p) {
          for (int64_t j = 0; j < n; ++j) row[j] += in[0].first[i * k + p] * in[1].first[p * n + j];
        }
      }
    });
  });
}
#endif

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
  s.name = MOCK_NAME ".checked_sqrt";
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
constexpr rayo_kernel kSqrt = make_kernel("checked_sqrt_f32", MOCK_NAME ".checked_sqrt", prepare_sqrt);
#ifdef MOCK_LARGE
constexpr rayo_kernel make_matmul() {
  rayo_kernel k = make_kernel("matmul_f32", "matmul", prepare_matmul);
  k.supports = supports_matmul;
  k.numerics = RAYO_NUMERICS_STRICT;
  k.flags = RAYO_KERNEL_DEVICE;
  k.layouts = RAYO_LAYOUT_CONTIGUOUS;
  return k;
}
constexpr rayo_kernel kMatmul = make_matmul();
#endif
constexpr rayo_op_schema kSchema = make_schema();

}  // namespace

constexpr const rayo_kernel *kKernels[kKernelCount] = {
    &kAdd,
    &kSqrt,
#ifdef MOCK_LARGE
    &kMatmul,
#endif
};
constexpr const rayo_op_schema *kSchemas[1] = {&kSchema};

}  // namespace mock
