// SPDX-License-Identifier: Apache-2.0
//
// What prepare binds: the dispatches of a call, complete but for its buffers. One file per family builds them.
#pragma once

#include "device.h"
#include "layout.h"

namespace rayo::vulkan {

using Push = std::array<uint32_t, kPushBytes / sizeof(uint32_t)>;

// One dispatch. The first four words of `push` are element offsets of the bindings, relative to the operands' own.
struct Pass {
  VkPipeline pipeline = VK_NULL_HANDLE;
  std::array<uint32_t, 3> groups{1, 1, 1};
  Push push{};
  bool after_all = false;  // needs the results of the passes before it
  double work = 0;         // element operations, roughly: long work is cut into pieces for the watchdog's sake
};

inline constexpr int kNoOperand = -1;
inline constexpr int kOutput = 8;  // + index of the output; inputs are 0 to 7
inline constexpr int kWorkspace = 16;

// Elements that the passes reach, relative to element 0.
struct Reach {
  uint32_t bytes = 4;  // of an element
  int64_t low = 0;
  int64_t high = -1;  // below low: no element
};

struct State {
  std::shared_ptr<Device> device;
  const char *op = "";
  std::array<int, kBindings> bindings{kNoOperand, kNoOperand, kNoOperand, kNoOperand};
  std::vector<Reach> inputs;
  std::vector<Reach> outputs;
  uint64_t workspace = 0;
  std::vector<Pass> passes;
};

// Empty if the descriptor can be taken; else RAYO_WHY_*.
using SupportsFn = uint32_t (*)(const rayo_op_desc &desc);
// Fills bindings and passes; reaches and device are there already. Not called for outputs without elements.
using BuildFn = void (*)(State *state, const rayo_op_desc &desc, uint32_t code);

// A kernel's row: its op, and what its family makes of it.
struct Family {
  SupportsFn supports;
  BuildFn build;
};

extern const Family kUnary, kBinary, kQuantise, kReduce, kRows, kMatmul;
inline constexpr uint32_t kKernelCount = 28;
struct KernelList {
  const rayo_kernel *list[kKernelCount];
};
extern const KernelList kKernels;
bool is_ours(const rayo_kernel *kernel);

// ---- For the families ----

Reach reach_of(const rayo_tensor_desc &operand);
bool fits_32_bits(const rayo_op_desc &desc);
int64_t element_count(const rayo_tensor_desc &operand);
uint32_t word(int64_t value);  // two's complement
uint32_t word(float value);
// Invocations in one dimension for `count` items, within the device's limits; shaders loop over the rest.
uint32_t group_count(const Device &device, uint64_t items, uint32_t per_group);
// A workgroup size that the device allows, at most `wanted`, a power of two.
uint32_t group_size(const Device &device, uint32_t wanted);
inline constexpr uint32_t kSoftConstant = 3;  // arith.glsl

}  // namespace rayo::vulkan
