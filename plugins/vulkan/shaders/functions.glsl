// SPDX-License-Identifier: Apache-2.0
//
// exp, log and what is built from them, from the formulas of plugin-api/doc/numerics.md. Where that text has a fused
// multiply-add these have a product and a sum: Vulkan promises no fusion. The products by the leading part of ln 2 are
// exact either way.

// x = k ln 2 + r, and (e^r - 1 - r) / r^2.
void exp_core(float x, out int k, out float r, out float tail) {
  float n = roundEven(x * uintBitsToFloat(0x3fb8aa3bu));
  k = int(n);
  r = x - n * uintBitsToFloat(0x3f317200u);
  r = r - n * uintBitsToFloat(0x35bfbe8eu);
  tail = uintBitsToFloat(0x3ab4a562u);
  tail = tail * r + uintBitsToFloat(0x3c091cc7u);
  tail = tail * r + uintBitsToFloat(0x3d2aad14u);
  tail = tail * r + uintBitsToFloat(0x3e2aaa49u);
  tail = tail * r + uintBitsToFloat(0x3efffffdu);
}
float exp_of(float x) {
  if (is_nan(x)) return x;
  int k;
  float r, tail;
  exp_core(clamp(x, -104.0, 89.0), k, r, tail);
  return scale(1.0 + (r * r * tail + r), k);
}

float log_of(float x) {
  uint u = magnitude(x);
  if (u == 0u) return uintBitsToFloat(kSign | kInf);
  if (u > kInf || (bits(x) & kSign) != 0u) return nan_value();
  if (u == kInf) return x;
  int e;
  uint m24 = normalise(u, e);
  uint m = 0x3f800000u | (m24 & 0x7fffffu);
  int j = e + 23;
  if (m >= 0x3fb504f3u) {  // sqrt 2
    m -= 0x800000u;
    ++j;
  }
  float f = uintBitsToFloat(m) - 1.0;
  float q = uintBitsToFloat(0xbd9537bcu);
  q = q * f + uintBitsToFloat(0x3e00acbau);
  q = q * f + uintBitsToFloat(0xbe074b66u);
  q = q * f + uintBitsToFloat(0x3e11ce71u);
  q = q * f + uintBitsToFloat(0xbe2a337fu);
  q = q * f + uintBitsToFloat(0x3e4cca27u);
  q = q * f + uintBitsToFloat(0xbe80011au);
  q = q * f + uintBitsToFloat(0x3eaaaab8u);
  q = q * f - 0.5;
  float k = float(j);
  float w = f * f * q + k * uintBitsToFloat(0x35bfbe8eu);
  return k * uintBitsToFloat(0x3f317200u) + (f + w);
}

float tanh_of(float x) {
  float a = absolute(x);
  if (is_nan(x) || a < 0.0001220703125) return x;
  float y;
  if (a < 0.60000002384185791015625) {
    float z = a * a;
    float q = uintBitsToFloat(0xbbbac7d6u);
    q = q * z + uintBitsToFloat(0x3ca908e2u);
    q = q * z + uintBitsToFloat(0xbd5c1c50u);
    q = q * z + uintBitsToFloat(0x3e088382u);
    q = q * z + uintBitsToFloat(0xbeaaaa99u);
    y = a * z * q + a;
  } else {
    int k;
    float r, tail, b = min(a, 9.5);
    exp_core(b + b, k, r, tail);
    y = 1.0 - divide(2.0, scale(1.0 + (r * r * tail + r), k) + 1.0);
  }
  return uintBitsToFloat(bits(y) | (bits(x) & kSign));
}

// |x| >= 2^-60 or the caller does not mind a lost subnormal.
float erf_of(float x) {
  float a = absolute(x), y;
  if (is_nan(x)) return x;
  if (a < 0.9375) {
    float z = a * a;
    float q = uintBitsToFloat(0x38ad3842u);
    q = q * z + uintBitsToFloat(0xba54c000u);
    q = q * z + uintBitsToFloat(0x3baa58aau);
    q = q * z + uintBitsToFloat(0xbcdc0604u);
    q = q * z + uintBitsToFloat(0x3de716f3u);
    q = q * z + uintBitsToFloat(0xbec093a1u);
    q = q * z + uintBitsToFloat(0x3e0375d4u);
    y = a * q + a;
  } else {
    float b = min(a, 4.0);
    float s = uintBitsToFloat(0xb5d71cdbu);
    s = s * b + uintBitsToFloat(0x383e4022u);
    s = s * b + uintBitsToFloat(0xba1add06u);
    s = s * b + uintBitsToFloat(0x3b9b0237u);
    s = s * b + uintBitsToFloat(0xbcd7bef0u);
    s = s * b + uintBitsToFloat(0x3de12111u);
    s = s * b + uintBitsToFloat(0x3f21ca5cu);
    s = s * b + uintBitsToFloat(0x3f90a82du);
    s = s * b + uintBitsToFloat(0xb99a65ccu);
    y = 1.0 - exp_of(negate(s));
  }
  return uintBitsToFloat(bits(y) | (bits(x) & kSign));
}

// b / (1 + e^-v)
float logistic(float v, float b) {
  float e = exp_of(uintBitsToFloat(bits(v) | kSign));
  return divide((bits(v) & kSign) == 0u ? b : mul(b, e), 1.0 + e);
}
float sigmoid_of(float x) {
  if (is_nan(x)) return x;
  float e = exp_of(negate(clamp(x, -89.0, 104.0)));
  return divide(1.0, 1.0 + e);
}
float swish_of(float x) {
  if (is_nan(x)) return x;
  float b = max(x, -104.0);
  if (magnitude(x) < 0x800000u) b = x;
  return logistic(b, b);
}
float gelu_tanh_of(float x) {
  if (is_nan(x)) return x;
  float b = magnitude(x) < 0x800000u ? x : max(x, -16.0);
  float v = b * (b * b * uintBitsToFloat(0x3d922279u) + uintBitsToFloat(0x3fcc422au));
  return logistic(uintBitsToFloat(magnitude(v) | (bits(b) & kSign)), b);
}
float gelu_of(float x) {
  if (is_nan(x)) return x;
  if (magnitude(x) < 0x21800000u) return mul(0.5, x);  // 2^-60
  float b = max(x, -16.0);
  float h = 0.5 * b;
  return h * erf_of(b * 0.707106769084930419921875) + h;
}
