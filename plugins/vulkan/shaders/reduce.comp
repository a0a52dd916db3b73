// SPDX-License-Identifier: Apache-2.0
//
// Sums, extrema and dot in the orders of plugin-api/doc/numerics.md, section 3: 64 lanes in blocks of 16384 where the
// last axis is reduced, chains of 256 elsewhere, block results combined pairwise. One pass makes the blocks' results,
// a second combines them where there is more than one.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "arith.glsl"

const uint kLanes = 64u;
const uint kLaneBlock = 16384u;
const uint kChainBlock = 256u;

layout(local_size_x = 64, local_size_y_id = 0) in;
layout(constant_id = 0) const uint kRows = 1;
layout(constant_id = 1) const uint kOp = 0;    // 0 sum, 1 mean, 2 max, 3 min, 4 dot
layout(constant_id = 2) const uint kPass = 0;  // 0 lanes, 1 chains, 2 combine

layout(push_constant, std430) uniform Push {
  ivec4 offset;  // of x, the second operand of dot, the result, the workspace
  uvec4 kept;
  ivec4 kept_x;
  ivec4 kept_y;
  uvec4 reduced;
  ivec4 reduced_x;
  uint outputs;
  uint count;
  uint blocks;
  int stride_b;
  float divisor;
} push;

layout(binding = 0) readonly buffer X { uint x[]; };
layout(binding = 1) readonly buffer B { uint b[]; };
layout(binding = 2) writeonly buffer Y { uint y[]; };
layout(binding = 3) buffer W { uint partial[]; };

shared float lanes[kRows * kLanes];

float identity() {
  if (kOp == 2u) return uintBitsToFloat(kSign | kInf);
  if (kOp == 3u) return uintBitsToFloat(kInf);
  return 0.0;
}
float combine(float v, float w) {
  if (kOp == 2u) return maximum(v, w);
  if (kOp == 3u) return minimum(v, w);
  return add(v, w);
}
int along(uvec4 shape, ivec4 stride, uint i) {
  int at = 0;
  for (int axis = 0; axis < 4; ++axis) {
    uint extent = shape[axis];
    at += int(axis == 3 ? i : i % extent) * stride[axis];
    i /= extent;
  }
  return at;
}
float take(float acc, int base, uint i) {
  float v = uintBitsToFloat(x[base + along(push.reduced, push.reduced_x, i)]);
  if (kOp == 4u) return add(mul(v, uintBitsToFloat(b[push.offset.y + int(i) * push.stride_b])), acc);
  return combine(acc, v);
}
void finish(uint i, float v) {
  if (kOp == 1u) v = push.count == 0u ? nan_value() : divide(v, push.divisor);
  y[push.offset.z + along(push.kept, push.kept_y, i)] = bits(v);
}
void deliver(uint i, uint block, float v) {
  if (push.blocks == 1u) {
    finish(i, v);
  } else {
    partial[push.offset.w + int(i * push.blocks + block)] = bits(v);
  }
}

// A row of 64 invocations takes one block of one output.
void by_lanes() {
  uint lane = gl_LocalInvocationID.x, row = gl_LocalInvocationID.y;
  uint work = push.outputs * push.blocks, step = gl_NumWorkGroups.x * kRows;
  for (uint first = gl_WorkGroupID.x * kRows; first < work; first += step) {
    uint item = first + row;
    float acc = identity();
    if (item < work) {
      int base = push.offset.x + along(push.kept, push.kept_x, item / push.blocks);
      uint start = (item % push.blocks) * kLaneBlock;
      uint end = min(push.count, start + kLaneBlock);
      for (uint i = start + lane; i < end; i += kLanes) acc = take(acc, base, i);
    }
    uint self = row * kLanes + lane;
    lanes[self] = acc;
    barrier();
    for (uint half_width = kLanes / 2u; half_width >= 1u; half_width /= 2u) {
      if (lane < half_width) lanes[self] = combine(lanes[self], lanes[self + half_width]);
      barrier();
    }
    if (lane == 0u && item < work) deliver(item / push.blocks, item % push.blocks, lanes[self]);
    barrier();
  }
}

// An invocation takes one block of one output; neighbours take neighbouring outputs.
void by_chains() {
  uint work = push.outputs * push.blocks, step = gl_NumWorkGroups.x * kRows * kLanes;
  for (uint item = gl_WorkGroupID.x * kRows * kLanes + gl_LocalInvocationIndex; item < work; item += step) {
    uint i = item % push.outputs, block = item / push.outputs;
    int base = push.offset.x + along(push.kept, push.kept_x, i);
    uint start = block * kChainBlock, end = min(push.count, start + kChainBlock);
    float acc = identity();
    for (uint at = start; at < end; ++at) acc = take(acc, base, at);
    deliver(i, block, acc);
  }
}

// Level by level with an odd last one carried: the trees on the stack are those of the bits of the number of blocks
// taken in, so each new block completes as many trees as that number has trailing zeros.
void pairwise() {
  uint step = gl_NumWorkGroups.x * kRows * kLanes;
  for (uint i = gl_WorkGroupID.x * kRows * kLanes + gl_LocalInvocationIndex; i < push.outputs; i += step) {
    float stack[32];
    int depth = 0;
    for (uint block = 0u; block < push.blocks; ++block) {
      float v = uintBitsToFloat(partial[push.offset.w + int(i * push.blocks + block)]);
      for (uint taken = block; (taken & 1u) == 1u; taken >>= 1) v = combine(stack[--depth], v);
      stack[depth++] = v;
    }
    float v = stack[--depth];
    while (depth > 0) v = combine(stack[--depth], v);
    finish(i, v);
  }
}

void main() {
  if (kPass == 0u) {
    by_lanes();
  } else if (kPass == 1u) {
    by_chains();
  } else {
    pairwise();
  }
}
