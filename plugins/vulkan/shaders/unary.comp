// SPDX-License-Identifier: Apache-2.0
//
// Elementwise ops of one operand. kOp's numbers are elementwise.cpp's.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "arith.glsl"
#include "functions.glsl"
#include "strided.glsl"

layout(binding = 0) readonly buffer X { uint x[]; };
layout(binding = 1) writeonly buffer Y { uint y[]; };

float apply(float v) {
  switch (kOp) {
    case 1: return negate(v);
    case 2: return absolute(v);
    case 3: return square_root(v);
    case 4: return exp_of(v);
    case 5: return log_of(v);
    case 6: return tanh_of(v);
    case 7: return sigmoid_of(v);
    case 8: return maximum(v, 0.0);
    case 9: return gelu_of(v);
    case 10: return gelu_tanh_of(v);
    case 11: return swish_of(v);
    default: return v;
  }
}

void main() {
  FOR_EACH(i) {
    ivec4 at = locate(i);
    if (kOp == 0u) {
      y[at.y] = x[at.x];  // transpose: bits, not numbers
    } else {
      y[at.y] = bits(apply(uintBitsToFloat(x[at.x])));
    }
  }
}
