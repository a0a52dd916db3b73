// SPDX-License-Identifier: Apache-2.0
//
// Elementwise ops of two operands. kOp's numbers are elementwise.cpp's.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "arith.glsl"
#include "strided.glsl"

layout(binding = 0) readonly buffer A { uint a[]; };
layout(binding = 1) readonly buffer B { uint b[]; };
layout(binding = 2) writeonly buffer C { uint c[]; };

float apply(float v, float w) {
  switch (kOp) {
    case 0: return add(v, w);
    case 1: return sub(v, w);
    case 2: return mul(v, w);
    case 3: return divide(v, w);
    case 4: return maximum(v, w);
    default: return minimum(v, w);
  }
}

void main() {
  FOR_EACH(i) {
    ivec4 at = locate(i);
    c[at.z] = bits(apply(uintBitsToFloat(a[at.x]), uintBitsToFloat(b[at.y])));
  }
}
