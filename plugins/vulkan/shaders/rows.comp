// SPDX-License-Identifier: Apache-2.0
//
// Ops that normalise a row at a time: softmax, layer_norm. A workgroup of kLanes invocations takes a row; sums and
// maxima are lane by lane, then by halving.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "arith.glsl"
#include "functions.glsl"

layout(local_size_x_id = 0) in;
layout(constant_id = 0) const uint kLanes = 64;
layout(constant_id = 1) const uint kOp = 0;  // 0 softmax, 1 layer_norm, 2 layer_norm with a bias

layout(push_constant, std430) uniform Push {
  ivec4 offset;  // of x, scale, bias, y
  uint kept[3];
  int kept_x[3];
  int kept_y[3];
  uint inner[3];
  int inner_x[3];
  int inner_scale[3];
  int inner_bias[3];
  int inner_y[3];
  uint rows;
  uint count;
  float epsilon;
} push;

layout(binding = 0) readonly buffer X { uint x[]; };
layout(binding = 1) readonly buffer S { uint factor[]; };
layout(binding = 2) readonly buffer B { uint bias[]; };
layout(binding = 3) writeonly buffer Y { uint y[]; };

shared float lanes[kLanes];

int along(uint shape[3], int stride[3], uint i) {
  return int(i % shape[0]) * stride[0] + int(i / shape[0] % shape[1]) * stride[1] +
         int(i / shape[0] / shape[1]) * stride[2];
}

// All lanes' values combined; every invocation gets the result.
float gather(float v, bool largest) {
  uint lane = gl_LocalInvocationID.x;
  lanes[lane] = v;
  barrier();
  for (uint half_width = kLanes / 2u; half_width >= 1u; half_width /= 2u) {
    if (lane < half_width) {
      float other = lanes[lane + half_width];
      lanes[lane] = largest ? maximum(lanes[lane], other) : add(lanes[lane], other);
    }
    barrier();
  }
  float all = lanes[0];
  barrier();
  return all;
}

float element(int base, uint i) { return uintBitsToFloat(x[base + along(push.inner, push.inner_x, i)]); }

void softmax(int base_x, int base_y) {
  uint lane = gl_LocalInvocationID.x;
  float top = uintBitsToFloat(kSign | kInf);
  for (uint i = lane; i < push.count; i += kLanes) top = maximum(top, element(base_x, i));
  top = gather(top, true);
  float sum = 0.0;
  for (uint i = lane; i < push.count; i += kLanes) sum = add(sum, exp_of(sub(element(base_x, i), top)));
  float inverse = divide(1.0, gather(sum, false));
  // Where the largest value is infinite the row becomes NaN as a difference or a quotient says.
  for (uint i = lane; i < push.count; i += kLanes) {
    float e = exp_of(sub(element(base_x, i), top));
    y[base_y + along(push.inner, push.inner_y, i)] = bits(mul(e, inverse));
  }
}

void layer_norm(int base_x, int base_y) {
  uint lane = gl_LocalInvocationID.x;
  float size = float(push.count);
  float sum = 0.0;
  for (uint i = lane; i < push.count; i += kLanes) sum = add(sum, element(base_x, i));
  float mean = divide(gather(sum, false), size);
  sum = 0.0;
  for (uint i = lane; i < push.count; i += kLanes) {
    float d = sub(element(base_x, i), mean);
    sum = add(mul(d, d), sum);
  }
  float variance = divide(gather(sum, false), size);
  float inverse = divide(1.0, square_root(add(variance, push.epsilon)));
  for (uint i = lane; i < push.count; i += kLanes) {
    float v = mul(sub(element(base_x, i), mean), inverse);
    v = mul(v, uintBitsToFloat(factor[push.offset.y + along(push.inner, push.inner_scale, i)]));
    if (kOp == 2u) v = add(v, uintBitsToFloat(bias[push.offset.z + along(push.inner, push.inner_bias, i)]));
    y[base_y + along(push.inner, push.inner_y, i)] = bits(v);
  }
}

void main() {
  for (uint row = gl_WorkGroupID.x; row < push.rows; row += gl_NumWorkGroups.x) {
    int base_x = push.offset.x + along(push.kept, push.kept_x, row);
    int base_y = push.offset.w + along(push.kept, push.kept_y, row);
    if (kOp == 0u) {
      softmax(base_x, base_y);
    } else {
      layer_norm(base_x, base_y);
    }
  }
}
