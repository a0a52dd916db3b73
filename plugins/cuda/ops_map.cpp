// SPDX-License-Identifier: Apache-2.0
//
// Elementwise ops: a kernel per row of kernels/elementwise_ops.def.
#include "bind.h"

#include <kernels/elementwise_table.h>

namespace rayo::cuda {
namespace {

constexpr unsigned kThreads = 256;  // kMapThreads of kernels/map.cuh
constexpr int64_t kPerThread = 4;

struct Row {
  const char *op;
  int arity;
  const char *attr;
  KernelName compact, strided;
};
constexpr Row kRows[] = {
#define MAP_OP(ident, op, arity, first, attr, cost) \
  {op, arity, attr, {kImageMap, "map_" #ident "_f32", kThreads}, {kImageMap, "map_strided_" #ident "_f32", kThreads}},
#include <kernels/elementwise_ops.def>
#undef MAP_OP
};

/// Which row a descriptor's op takes, and which input is its second operand.
struct Choice {
  int row;
  uint32_t second;
};
Choice choose(int row, const rayo_op_desc &desc) {
  if (row == kMap_gelu_none && plugin::attr_string(desc, "approximate") == "tanh") return {kMap_gelu_tanh, 1};
  if (row != kMap_clip) return {row, 1};
  const bool low = has_input(desc, 1), high = has_input(desc, 2);
  if (low && high) return {row, 1};
  if (low) return {kMap_clip_below, 1};
  return high ? Choice{kMap_clip_above, 2} : Choice{kMap_copy, 1};
}

class MapState : public State {
 public:
  MapState(Shared &shared, const rayo_op_desc &desc, const Choice &choice) : second_(choice.second) {
    const Row &row = kRows[choice.row];
    arity_ = row.arity;
    const rayo_tensor_desc &y = *desc.outputs[0];
    p_.count = count_of(y);
    p_.param = row.attr[0] != '\0' ? static_cast<float>(plugin::attr_float(desc, row.attr)) : 0.0f;
    for (int32_t axis = 0; axis < y.ndim; ++axis) {
      int64_t stride[4] = {0, 0, 0, y.strides[axis]};
      for (int k = 0; k < arity_; ++k) stride[k] = desc.inputs[input_of(k)]->strides[axis];
      push_axis(p_.layout, y.shape[axis], stride);
    }
    const auto step = [&](int k) { return p_.layout.ndim == 0 ? 0 : p_.layout.stride[k][0]; };
    compact_ = p_.layout.ndim == 0 || (p_.layout.ndim == 1 && step(3) == 1);
    for (int k = 0; k < 3; ++k) {
      compact_ = compact_ && (step(k) == 0 || step(k) == 1);
      p_.step[k] = static_cast<int32_t>(step(k));
    }
    bytes_first_ = desc.inputs[0]->dtype.bits == 8;
    close_layout(p_.layout);
    kernel_.emplace(shared, compact_ ? row.compact : row.strided);
    blocks_ = grid_for(shared, p_.count, compact_ ? kThreads * kPerThread : kThreads);
  }

  void enqueue(Work &work) const override {
    if (p_.count == 0) return;
    MapParams p = p_;
    bool aligned = p_.count >= kPerThread && is_aligned(work.out[0]);
    for (int k = 0; k < arity_; ++k) {
      p.in[k] = work.in[input_of(k)];
      aligned = aligned && (p.step[k] == 0 || (k == 0 && bytes_first_) || is_aligned(p.in[k]));
    }
    p.out = work.out[0];
    p.vector = compact_ && aligned ? 1 : 0;
    (*kernel_)(work, p, blocks_);
  }

 private:
  static bool is_aligned(const void *p) { return reinterpret_cast<uintptr_t>(p) % 16 == 0; }
  uint32_t input_of(int k) const { return k == 0 ? 0 : second_ + static_cast<uint32_t>(k) - 1; }

  MapParams p_{};
  uint32_t second_;
  int arity_;
  bool compact_, bytes_first_;
  std::optional<BoundKernel> kernel_;
  int64_t blocks_;
};

template <int kRow>
class Map final : public MapState {
 public:
  Map(Shared &shared, const rayo_op_desc &desc) : MapState(shared, desc, choose(kRow, desc)) {}
};

constexpr rayo_kernel kKernels[] = {
#define MAP_OP(ident, op, arity, first, attr, cost) \
  device_kernel<Map<kMap_##ident>>(#ident "_f32", op, "T=f32", {.flags = RAYO_KERNEL_IN_PLACE}),
#include <kernels/elementwise_ops.def>
#undef MAP_OP
};

/// Rows without an op are variants that another row's prepare chooses.
struct Pointers {
  const rayo_kernel *at[kMapOpCount];
  uint32_t count;
};
constexpr Pointers list_kernels() {
  Pointers list{};
  for (const rayo_kernel &k : kKernels) {
    if (k.op[0] != '\0') list.at[list.count++] = &k;
  }
  return list;
}
constexpr Pointers kList = list_kernels();

}  // namespace

constexpr KernelList kMapKernels = {kList.at, kList.count};

}  // namespace rayo::cuda
