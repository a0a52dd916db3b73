// SPDX-License-Identifier: Apache-2.0
//
// IEEE arithmetic that does not trust the driver beyond correctly rounded add, sub and mul of normal numbers: division
// and roots are settled in integers, and where the device may flush subnormals (kSoft) whatever touches one is done in
// integers too. The formulas are those of plugin-api/doc/numerics.md. The host decorates every float operation of a
// shader NoContraction when it loads it.

layout(constant_id = 3) const bool kSoft = true;

const uint kInf = 0x7f800000u;
const uint kSign = 0x80000000u;

uint bits(float x) { return floatBitsToUint(x); }
uint magnitude(float x) { return floatBitsToUint(x) & 0x7fffffffu; }
bool is_nan(float x) { return magnitude(x) > kInf; }
float nan_value() { return uintBitsToFloat(0x7fc00000u); }
float negate(float x) { return uintBitsToFloat(bits(x) ^ kSign); }
float absolute(float x) { return uintBitsToFloat(magnitude(x)); }

// Order of the numbers by value, -0 below +0.
int order(float x) {
  int b = floatBitsToInt(x);
  return b < 0 ? b ^ 0x7fffffff : b;
}
float maximum(float a, float b) {
  if (is_nan(a) || is_nan(b)) return nan_value();
  return order(a) > order(b) ? a : b;
}
float minimum(float a, float b) {
  if (is_nan(a) || is_nan(b)) return nan_value();
  return order(a) < order(b) ? a : b;
}

// magnitude = m * 2^e with m in [2^23, 2^24). Not for 0, infinity, NaN.
uint normalise(uint u, out int e) {
  uint field = u >> 23;
  if (field == 0u) {
    int shift = 23 - findMSB(u);
    e = -149 - shift;
    return u << shift;
  }
  e = int(field) - 150;
  return (u & 0x7fffffu) | 0x800000u;
}

// m * 2^e rounded once to the nearest, ties to even; m > 0, its lowest bit may stand for all that is below it.
float pack(uint sign, uint m, int e) {
  int unit = max(findMSB(m) + e - 23, -149);
  int shift = unit - e;
  uint kept;
  if (shift <= 0) {
    kept = m << -shift;
  } else if (shift > 31) {
    kept = shift == 32 && m > 0x80000000u ? 1u : 0u;
  } else {
    kept = m >> shift;
    uint rest = m & ((1u << shift) - 1u);
    uint middle = 1u << (shift - 1);
    if (rest > middle || (rest == middle && (kept & 1u) == 1u)) ++kept;
  }
  uint field = uint(clamp(unit + 149, 0, 254));
  return uintBitsToFloat(sign | min((field << 23) + kept, kInf));
}

// x * 2^100 for |x| < 2^-100, exactly, and its inverse for what a sum of two such can be.
float raise(float x) {
  uint u = magnitude(x);
  float y = u < 0x800000u ? float(u) * uintBitsToFloat(0x27000000u) : uintBitsToFloat(u) * uintBitsToFloat(0x71800000u);
  return uintBitsToFloat(bits(y) | (bits(x) & kSign));
}
float lower(float x) {
  float y = absolute(x);
  uint u = y < uintBitsToFloat(0x32800000u) ? uint(y * uintBitsToFloat(0x58000000u)) : bits(y) - (100u << 23);
  return uintBitsToFloat(u | (bits(x) & kSign));
}

float add(float a, float b) {
  const uint kTiny = 0x0d800000u;  // 2^-100: no sum with a larger term is, or is decided by, a subnormal
  if (kSoft && magnitude(a) < kTiny && magnitude(b) < kTiny) return lower(raise(a) + raise(b));
  return a + b;
}
float sub(float a, float b) { return add(a, negate(b)); }

float mul(float a, float b) {
  float y = a * b;
  if (!kSoft) return y;
  uint ua = magnitude(a), ub = magnitude(b);
  bool tiny = (ua - 1u < 0x7fffffu) || (ub - 1u < 0x7fffffu) || magnitude(y) < 0x01000000u;
  if (!tiny || ua == 0u || ub == 0u || ua > kInf || ub > kInf) return y;
  uint sign = (bits(a) ^ bits(b)) & kSign;
  if (ua == kInf || ub == kInf) return uintBitsToFloat(sign | kInf);
  int ea, eb;
  uint ma = normalise(ua, ea), mb = normalise(ub, eb), high, low;
  umulExtended(ma, mb, high, low);
  uint m = (high << 16) | (low >> 16) | ((low & 0xffffu) != 0u ? 1u : 0u);
  return pack(sign, m, ea + eb + 16);
}

float divide(float a, float b) {
  uint sign = (bits(a) ^ bits(b)) & kSign;
  uint ua = magnitude(a), ub = magnitude(b);
  if (ua > kInf || ub > kInf || (ua == kInf && ub == kInf) || (ua == 0u && ub == 0u)) return nan_value();
  if (ua == kInf || ub == 0u) return uintBitsToFloat(sign | kInf);
  if (ua == 0u || ub == kInf) return uintBitsToFloat(sign);
  int ea, eb;
  uint ma = normalise(ua, ea), mb = normalise(ub, eb);
  int e = ea - eb;
  if (ma < mb) {
    ma <<= 1;
    --e;
  }
  // floor(ma * 2^25 / mb): an estimate, good to some units, whose remainder modulo 2^32 is exact.
  uint q = uint(float(ma) / float(mb) * 33554432.0);
  int rest = int((ma << 25) - q * mb);
  for (; rest < 0; rest += int(mb)) --q;
  for (; rest >= int(mb); rest -= int(mb)) ++q;
  return pack(sign, (q << 1) | (rest != 0 ? 1u : 0u), e - 26);
}

float square_root(float x) {
  uint u = magnitude(x);
  if (u == 0u) return x;
  if (u > kInf || (bits(x) & kSign) != 0u) return nan_value();
  if (u == kInf) return x;
  int e;
  uint m = normalise(u, e);
  if ((e & 1) != 0) {
    m <<= 1;
    --e;
  }
  // floor(sqrt(m * 2^24)), settled as in divide; the next bit is 1 where the remainder exceeds the root.
  uint s = uint(sqrt(float(m)) * 4096.0);
  int rest = int((m << 24) - s * s);
  for (; rest < 0; rest += int(2u * s + 1u)) --s;
  for (; rest > int(2u * s); ++s) rest -= int(2u * s + 1u);
  return pack(0u, (s << 2) | (rest > int(s) ? 2u : 0u) | (rest != 0 ? 1u : 0u), ((e - 24) >> 1) - 2);
}

// p * 2^k rounded once; p normal.
float scale(float p, int k) {
  int field = int(magnitude(p) >> 23) + k;
  if (field >= 1 && field <= 254) return uintBitsToFloat(bits(p) + (uint(k) << 23));
  int e;
  uint m = normalise(magnitude(p), e);
  return pack(bits(p) & kSign, m, e + k);
}
