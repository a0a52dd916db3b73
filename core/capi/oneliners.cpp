// SPDX-License-Identifier: Apache-2.0
//
// One line per op: contiguous f32 operands wrapped as tensors and run eagerly.
#include <rayo/rayo.h>

#include "base/error.hpp"
#include "capi/runtime.hpp"
#include "dispatch/eager.hpp"

namespace {

struct Tensor {
  Tensor(const void *data, DLDataType dtype, std::initializer_list<int64_t> extents) {
    int32_t ndim = 0;
    for (const int64_t extent : extents) shape[ndim++] = extent;
    tensor = rayo_tensor_make(const_cast<void *>(data), dtype, ndim, shape, nullptr);
  }
  Tensor(const Tensor &) = delete;
  Tensor &operator=(const Tensor &) = delete;

  int64_t shape[2] = {};
  rayo_tensor tensor;
};

rayo_status run(rayo_runtime *runtime, rayo_op op, std::initializer_list<const Tensor *> inputs, const Tensor &output,
                const rayo_attr *attrs = nullptr) noexcept {
  if (runtime == nullptr) {
    rayo::set_last_error("runtime is NULL: create one with rayo_runtime_create");
    return RAYO_INVALID_ARGUMENT;
  }
  const rayo_tensor *in[3] = {};
  uint32_t count = 0;
  for (const Tensor *input : inputs) in[count++] = &input->tensor;
  const rayo_tensor *out = &output.tensor;
  return rayo::run_eager(*runtime, op, in, count, &out, 1, attrs, nullptr);
}

rayo_attr int_attr(const char *name, const int64_t *value) { return {name, RAYO_ATTR_INT, 1, value}; }
rayo_attr float_attr(const char *name, const double *value) { return {name, RAYO_ATTR_FLOAT, 1, value}; }

constexpr int64_t kZero = 0;

}  // namespace

// The id of an op of the catalogue, looked up once.
#define RAYO_OP_ID(name)                              \
  [] {                                                \
    static const rayo_op kOp = rayo::intern_op(name); \
    return kOp;                                       \
  }()

#define RAYO_UNARY_F32(op)                                                                  \
  rayo_status rayo_##op##_f32(rayo_runtime *runtime, int64_t n, const float *x, float *y) { \
    const Tensor in(x, RAYO_F32, {n});                                                      \
    const Tensor out(y, RAYO_F32, {n});                                                     \
    return run(runtime, RAYO_OP_ID(#op), {&in}, out);                                       \
  }

#define RAYO_BINARY_F32(op)                                                                                 \
  rayo_status rayo_##op##_f32(rayo_runtime *runtime, int64_t n, const float *a, const float *b, float *y) { \
    const Tensor in_a(a, RAYO_F32, {n});                                                                    \
    const Tensor in_b(b, RAYO_F32, {n});                                                                    \
    const Tensor out(y, RAYO_F32, {n});                                                                     \
    return run(runtime, RAYO_OP_ID(#op), {&in_a, &in_b}, out);                                              \
  }

#define RAYO_REDUCE_F32(op)                                                                   \
  rayo_status rayo_##op##_f32(rayo_runtime *runtime, int64_t n, const float *x, float *out) { \
    const rayo_attr attrs[] = {int_attr("keepdims", &kZero), {nullptr, 0, 0, nullptr}};       \
    const Tensor in(x, RAYO_F32, {n});                                                        \
    const Tensor result(out, RAYO_F32, {});                                                   \
    return run(runtime, RAYO_OP_ID(#op), {&in}, result, attrs);                               \
  }

extern "C" {

RAYO_BINARY_F32(add)
RAYO_BINARY_F32(sub)
RAYO_BINARY_F32(mul)
RAYO_BINARY_F32(div)
RAYO_BINARY_F32(max)
RAYO_BINARY_F32(min)
RAYO_UNARY_F32(neg)
RAYO_UNARY_F32(abs)
RAYO_UNARY_F32(sqrt)
RAYO_UNARY_F32(exp)
RAYO_UNARY_F32(log)
RAYO_UNARY_F32(tanh)
RAYO_UNARY_F32(sigmoid)
RAYO_UNARY_F32(relu)
RAYO_UNARY_F32(gelu)
RAYO_UNARY_F32(swish)
RAYO_REDUCE_F32(reduce_sum)
RAYO_REDUCE_F32(reduce_mean)
RAYO_REDUCE_F32(reduce_max)
RAYO_REDUCE_F32(reduce_min)

rayo_status rayo_argmax_f32(rayo_runtime *runtime, int64_t n, const float *x, int64_t *out) {
  const rayo_attr attrs[] = {int_attr("keepdims", &kZero), {nullptr, 0, 0, nullptr}};
  const Tensor in(x, RAYO_F32, {n});
  const Tensor result(out, RAYO_I64, {});
  return run(runtime, RAYO_OP_ID("argmax"), {&in}, result, attrs);
}

rayo_status rayo_dot_f32(rayo_runtime *runtime, int64_t n, const float *a, const float *b, float *out) {
  const Tensor in_a(a, RAYO_F32, {n});
  const Tensor in_b(b, RAYO_F32, {n});
  const Tensor result(out, RAYO_F32, {});
  return run(runtime, RAYO_OP_ID("dot"), {&in_a, &in_b}, result);
}

rayo_status rayo_softmax_f32(rayo_runtime *runtime, int64_t rows, int64_t cols, const float *x, float *y) {
  const Tensor in(x, RAYO_F32, {rows, cols});
  const Tensor out(y, RAYO_F32, {rows, cols});
  return run(runtime, RAYO_OP_ID("softmax"), {&in}, out);
}

rayo_status rayo_matmul_f32(rayo_runtime *runtime, int64_t m, int64_t n, int64_t k, const float *a, const float *b,
                            float *c) {
  const Tensor in_a(a, RAYO_F32, {m, k});
  const Tensor in_b(b, RAYO_F32, {k, n});
  const Tensor out(c, RAYO_F32, {m, n});
  return run(runtime, RAYO_OP_ID("matmul"), {&in_a, &in_b}, out);
}

rayo_status rayo_gemm_f32(rayo_runtime *runtime, int32_t trans_a, int32_t trans_b, int64_t m, int64_t n, int64_t k,
                          float alpha, const float *a, const float *b, float beta, float *c) {
  const int64_t ta = trans_a;
  const int64_t tb = trans_b;
  const double alpha_value = alpha;
  const double beta_value = beta;
  const rayo_attr attrs[] = {float_attr("alpha", &alpha_value),
                             float_attr("beta", &beta_value),
                             int_attr("transA", &ta),
                             int_attr("transB", &tb),
                             {nullptr, 0, 0, nullptr}};
  const Tensor in_a(a, RAYO_F32, {trans_a != 0 ? k : m, trans_a != 0 ? m : k});
  const Tensor in_b(b, RAYO_F32, {trans_b != 0 ? n : k, trans_b != 0 ? k : n});
  const Tensor out(c, RAYO_F32, {m, n});
  return run(runtime, RAYO_OP_ID("gemm"), {&in_a, &in_b, &out}, out, attrs);
}

rayo_status rayo_transpose_f32(rayo_runtime *runtime, int64_t rows, int64_t cols, const float *x, float *y) {
  const Tensor in(x, RAYO_F32, {rows, cols});
  const Tensor out(y, RAYO_F32, {cols, rows});
  return run(runtime, RAYO_OP_ID("transpose"), {&in}, out);
}

}  // extern "C"
