// SPDX-License-Identifier: Apache-2.0
//
// quantize_linear (kOp bit 0 clear) and dequantize_linear (set), with 8-bit operands that are signed where bit 1 is set
// and a zero point where bit 2 is.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_shader_8bit_storage : require
#include "arith.glsl"
#include "strided.glsl"

layout(binding = 0) readonly buffer Real { uint real[]; };
layout(binding = 0) readonly buffer Code { uint8_t code[]; };
layout(binding = 1) readonly buffer Scale { float scales[]; };
layout(binding = 2) readonly buffer Zero { uint8_t zeros[]; };
layout(binding = 3) writeonly buffer RealOut { uint real_out[]; };
layout(binding = 3) writeonly buffer CodeOut { uint8_t code_out[]; };

const bool kDequantize = (kOp & 1u) != 0u;
const bool kSigned = (kOp & 2u) != 0u;
const bool kZeroPoint = (kOp & 4u) != 0u;

int widen(uint u) { return kSigned ? bitfieldExtract(int(u), 0, 8) : int(u); }

int quantize(float x, float step, int zero) {
  float q = divide(x, step);
  if (is_nan(q)) return zero;
  int low = kSigned ? -128 : 0;
  return clamp(int(roundEven(clamp(q, -1024.0, 1024.0))) + zero, low, low + 255);
}

void main() {
  FOR_EACH(i) {
    ivec4 at = locate(i);
    int zero = 0;
    if (kZeroPoint) zero = widen(uint(zeros[at.z]));
    if (kDequantize) {
      real_out[at.w] = bits(mul(float(widen(uint(code[at.x])) - zero), scales[at.y]));
    } else {
      code_out[at.w] = uint8_t(uint(quantize(uintBitsToFloat(real[at.x]), scales[at.y], zero)) & 0xffu);
    }
  }
}
