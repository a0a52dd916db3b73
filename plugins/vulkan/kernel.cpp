// SPDX-License-Identifier: Apache-2.0
//
// The kernel table, and supports, prepare and release, which all kernels share.
#include "kernel.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <string_view>

namespace rayo::vulkan {
namespace {

// The class of an op follows from its arithmetic on a device with rounding to nearest even: operations that are exact
// here on every such device give the contract's bits; what is built from the functions of functions.glsl, or on fma,
// which Vulkan may or may not fuse, keeps the strict bound.
constexpr uint32_t kExact = RAYO_NUMERICS_REPRODUCIBLE;
constexpr uint32_t kStrict = RAYO_NUMERICS_STRICT;
constexpr const char *kF32 = "T=f32";
constexpr const char *kQuantised = "Q=u8,i8";

// A kernel's identity at compile time.
struct Row {
  const char *name;
  const char *op;
  const Family *family;
  uint32_t code;
  uint32_t numerics;
  bool in_place;
  const char *types = kF32;
  bool rounds = true;  // needs rounding to nearest even
};

constexpr Row kTable[] = {
    {"transpose_f32", "transpose", &kUnary, 0, kExact, false, kF32, false},
    {"neg_f32", "neg", &kUnary, 1, kExact, true, kF32, false},
    {"abs_f32", "abs", &kUnary, 2, kExact, true, kF32, false},
    {"sqrt_f32", "sqrt", &kUnary, 3, kExact, true},
    {"exp_f32", "exp", &kUnary, 4, kStrict, true},
    {"log_f32", "log", &kUnary, 5, kStrict, true},
    {"tanh_f32", "tanh", &kUnary, 6, kStrict, true},
    {"sigmoid_f32", "sigmoid", &kUnary, 7, kStrict, true},
    {"relu_f32", "relu", &kUnary, 8, kExact, true, kF32, false},
    {"gelu_f32", "gelu", &kUnary, 9, kStrict, true},
    {"swish_f32", "swish", &kUnary, 11, kStrict, true},
    {"add_f32", "add", &kBinary, 0, kExact, true},
    {"sub_f32", "sub", &kBinary, 1, kExact, true},
    {"mul_f32", "mul", &kBinary, 2, kExact, true},
    {"div_f32", "div", &kBinary, 3, kExact, true},
    {"max_f32", "max", &kBinary, 4, kExact, true, kF32, false},
    {"min_f32", "min", &kBinary, 5, kExact, true, kF32, false},
    {"reduce_sum_f32", "reduce_sum", &kReduce, 0, kExact, false},
    {"reduce_mean_f32", "reduce_mean", &kReduce, 1, kExact, false},
    {"reduce_max_f32", "reduce_max", &kReduce, 2, kExact, false, kF32, false},
    {"reduce_min_f32", "reduce_min", &kReduce, 3, kExact, false, kF32, false},
    {"dot_f32", "dot", &kReduce, 4, kStrict, false},
    {"softmax_f32", "softmax", &kRows, 0, kStrict, true},
    {"layer_norm_f32", "layer_norm", &kRows, 1, kStrict, true},
    {"matmul_f32", "matmul", &kMatmul, 0, kStrict, false},
    {"gemm_f32", "gemm", &kMatmul, 1, kStrict, true},
    {"quantize_linear", "quantize_linear", &kQuantise, 0, kExact, false, kQuantised},
    {"dequantize_linear", "dequantize_linear", &kQuantise, 1, kExact, false, kQuantised},
};
static_assert(std::size(kTable) == kKernelCount);

template <size_t I>
uint32_t supports(rayo_instance *, const rayo_op_desc *desc) noexcept {
  constexpr const Row &row = kTable[I];
  if (desc->device == nullptr) return RAYO_WHY_OTHER;
  if (row.rounds && !desc->device->device->physical().floats.round_to_even) return RAYO_WHY_NUMERICS;
  uint32_t why = RAYO_WHY_OTHER;
  fence(static_cast<rayo_error *>(nullptr), [&] { why = row.family->supports(*desc); });
  return why;
}

template <size_t I>
rayo_status prepare(rayo_instance *instance, const rayo_op_desc *desc, rayo_prepared *out, rayo_error *error) noexcept {
  constexpr const Row &row = kTable[I];
  return fence(error, [&] {
    plugin::check_extensions(desc->next);
    if (desc->device == nullptr)
      throw Error(RAYO_UNSUPPORTED, std::string(row.op) + ": this kernel of plugin vulkan runs on Vulkan devices only");
    Device &device = *desc->device->device;
    device.enter(row.op);
    if (const uint32_t why = supports<I>(instance, desc); why != RAYO_WHY_SUPPORTED)
      device.fail(RAYO_UNSUPPORTED, row.op, "the descriptor is not supported (reason " + std::to_string(why) + ")",
                  "take another kernel");
    auto state = std::make_unique<State>();
    state->device = desc->device->device;
    state->op = row.op;
    for (uint32_t i = 0; i < desc->input_count; ++i) state->inputs.push_back(reach_of(*desc->inputs[i]));
    for (uint32_t i = 0; i < desc->output_count; ++i) state->outputs.push_back(reach_of(*desc->outputs[i]));
    if (element_count(*desc->outputs[0]) > 0) row.family->build(state.get(), *desc, row.code);
    rayo_prepared result{};
    result.threads = 1;
    result.workspace_size = state->workspace;
    result.workspace_alignment = 64;
    result.state = state.release();
    plugin::fill(out, result);
  });
}

void release(rayo_instance *, void *state) noexcept { delete static_cast<State *>(state); }

// By name: under -fsanitize=undefined two families' addresses are not compared at compile time.
constexpr bool accumulates(std::string_view op) {
  return op.starts_with("reduce_") || op == "dot" || op == "matmul" || op == "gemm";
}

template <size_t I>
constexpr rayo_kernel make_kernel() {
  constexpr const Row &row = kTable[I];
  rayo_kernel k{};
  k.struct_size = sizeof(rayo_kernel);
  k.struct_type = RAYO_TYPE_KERNEL;
  k.name = row.name;
  k.op = row.op;
  k.types = row.types;
  k.schema_min = k.schema_max = 1;
  k.numerics = row.numerics;
  k.flags = RAYO_KERNEL_DEVICE | (row.in_place ? RAYO_KERNEL_IN_PLACE : 0u);
  k.layouts = RAYO_LAYOUT_STRIDED;
  k.alignment = std::string_view(row.types) == kF32 ? 4 : 1;
  if (accumulates(row.op)) k.accumulator = {kDLFloat, 32, 1};
  k.supports = supports<I>;
  k.prepare = prepare<I>;
  k.release = release;
  return k;
}

template <size_t I>
constexpr rayo_kernel kKernel = make_kernel<I>();

template <size_t... I>
constexpr KernelList make_list(std::index_sequence<I...>) {
  return {{&kKernel<I>...}};
}

}  // namespace

constexpr KernelList kKernels = make_list(std::make_index_sequence<kKernelCount>());

bool is_ours(const rayo_kernel *kernel) {
  return std::find(std::begin(kKernels.list), std::end(kKernels.list), kernel) != std::end(kKernels.list);
}

int64_t element_count(const rayo_tensor_desc &operand) {
  int64_t count = 1;
  for (int32_t axis = 0; axis < operand.ndim; ++axis) count *= operand.shape[axis];
  return count;
}

Reach reach_of(const rayo_tensor_desc &operand) {
  Reach reach;
  reach.bytes = operand.dtype.bits / 8u;
  if (operand.dtype.bits == 0 || element_count(operand) == 0) return reach;
  reach.high = 0;
  for (int32_t axis = 0; axis < operand.ndim; ++axis) {
    const int64_t far = (operand.shape[axis] - 1) * operand.strides[axis];
    (far < 0 ? reach.low : reach.high) += far;
  }
  return reach;
}

bool fits_32_bits(const rayo_op_desc &desc) {
  constexpr int64_t kMost = std::numeric_limits<int32_t>::max();
  const auto fits = [](const rayo_tensor_desc &t) {
    const Reach reach = reach_of(t);
    return element_count(t) <= kMost && reach.low >= -kMost && reach.high <= kMost;
  };
  for (uint32_t i = 0; i < desc.input_count; ++i)
    if (!fits(*desc.inputs[i])) return false;
  for (uint32_t i = 0; i < desc.output_count; ++i)
    if (!fits(*desc.outputs[i])) return false;
  return true;
}

uint32_t word(int64_t value) { return static_cast<uint32_t>(static_cast<int32_t>(value)); }
uint32_t word(float value) { return std::bit_cast<uint32_t>(value); }

uint32_t group_count(const Device &device, uint64_t items, uint32_t per_group) {
  const uint64_t groups = (items + per_group - 1) / per_group;
  const uint64_t most = std::min<uint64_t>(device.physical().limits.maxComputeWorkGroupCount[0], 65535);
  return static_cast<uint32_t>(std::clamp<uint64_t>(groups, 1, most));
}

uint32_t group_size(const Device &device, uint32_t wanted) {
  const VkPhysicalDeviceLimits &limits = device.physical().limits;
  const uint32_t most = std::min(limits.maxComputeWorkGroupInvocations, limits.maxComputeWorkGroupSize[0]);
  while (wanted > most) wanted /= 2;
  return wanted;
}

}  // namespace rayo::vulkan
