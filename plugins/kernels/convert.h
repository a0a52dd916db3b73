// SPDX-License-Identifier: Apache-2.0
//
// Conversions between element types, one value at a time and without branches on data, so that loops over them
// vectorise. Each rounds once, half to even: what is narrowed by two steps goes through a value rounded to odd, which
// keeps both the side and the inexactness (enough where the step keeps two bits more than the target).
#ifndef RAYO_KERNELS_CONVERT_H
#define RAYO_KERNELS_CONVERT_H

#include <simd/vec.h>
#include <stdint.h>

RAYO_ISA_BEGIN

/// Storage of the 16-bit types.
struct F16 {
  uint16_t bits;
};
struct Bf16 {
  uint16_t bits;
};

RAYO_INLINE uint32_t bits_of(float x) { return __builtin_bit_cast(uint32_t, x); }
RAYO_INLINE float float_of(uint32_t b) { return __builtin_bit_cast(float, b); }

/// Exact. The exponent is moved by a multiplication, which also makes f16's subnormals normal.
RAYO_INLINE float widen(F16 h) {
  const uint32_t a = h.bits & 0x7fffu;
  const uint32_t finite = bits_of(float_of(a << 13) * 0x1p112f);
  const uint32_t magnitude = a >= 0x7c00u ? (a << 13) | 0x7f800000u : finite;
  return float_of(magnitude | (static_cast<uint32_t>(h.bits & 0x8000u) << 16));
}
RAYO_INLINE float widen(Bf16 b) { return float_of(static_cast<uint32_t>(b.bits) << 16); }

RAYO_INLINE F16 to_f16(float x) {
  const uint32_t b = bits_of(x);
  const uint32_t a = b & 0x7fffffffu;
  const uint32_t moved = a - 0x38000000u;  // the exponent's bias less 112
  const uint32_t normal = (moved + 0xfffu + ((moved >> 13) & 1u)) >> 13;
  // 0.5's last place is 2^-24, the unit of f16's subnormals: the addition rounds.
  const uint32_t small = bits_of(float_of(a) + 0.5f) - bits_of(0.5f);
  uint32_t h = a < 0x38800000u ? small : normal;
  h = a >= 0x47800000u ? 0x7c00u : h;  // from 2^16 on; [65520, 2^16) carries into infinity by itself
  h = a > 0x7f800000u ? 0x7e00u : h;
  return {static_cast<uint16_t>(h | ((b >> 16) & 0x8000u))};
}
RAYO_INLINE Bf16 to_bf16(float x) {
  const uint32_t b = bits_of(x);
  const uint32_t rounded = (b + 0x7fffu + ((b >> 16) & 1u)) >> 16;
  const bool nan = (b & 0x7fffffffu) > 0x7f800000u;
  return {static_cast<uint16_t>(nan ? (b >> 16) | 0x40u : rounded)};
}

/// To f32 towards zero, the last bit set where that is inexact.
RAYO_INLINE float round_to_odd(double x) {
  const float nearest = static_cast<float>(x);
  const double back = static_cast<double>(nearest);
  const uint32_t b = bits_of(nearest);
  const uint32_t truncated = __builtin_fabs(back) > __builtin_fabs(x) ? b - 1u : b;
  return float_of(back != x ? truncated | 1u : b);
}
/// To f64: exact below 2^53; above, at least 53 bits and the last one set where that is inexact.
RAYO_INLINE double round_to_odd(int64_t x) {
  const uint64_t m = x < 0 ? uint64_t{0} - static_cast<uint64_t>(x) : static_cast<uint64_t>(x);
  const bool wide = (m >> 53) != 0;
  const uint64_t sticky = (m >> 11) | static_cast<uint64_t>((m & 0x7ffu) != 0);
  const double magnitude = static_cast<double>(static_cast<int64_t>(wide ? sticky : m)) * (wide ? 2048.0 : 1.0);
  return x < 0 ? -magnitude : magnitude;
}

/// Largest and smallest value of an integer type.
template <class D>
inline constexpr int64_t kIntMax = 0;
template <class D>
inline constexpr int64_t kIntMin = 0;
template <>
inline constexpr int64_t kIntMax<int8_t> = 127;
template <>
inline constexpr int64_t kIntMin<int8_t> = -128;
template <>
inline constexpr int64_t kIntMax<uint8_t> = 255;
template <>
inline constexpr int64_t kIntMax<int32_t> = INT32_MAX;
template <>
inline constexpr int64_t kIntMin<int32_t> = INT32_MIN;
template <>
inline constexpr int64_t kIntMax<int64_t> = INT64_MAX;
template <>
inline constexpr int64_t kIntMin<int64_t> = INT64_MIN;

/// Towards zero, saturating; NaN gives 0. 2^63 and 2^31 are exact in both types, and one above the largest value.
template <class D, class S>
RAYO_INLINE D real_to_int(S x) {
  if constexpr (sizeof(D) == 1) {  // capped as a real: two instructions of any vector, and the type fits an int
    constexpr S kLowest = static_cast<S>(kIntMin<D>);
    constexpr S kHighest = static_cast<S>(kIntMax<D>);
    const S raised = x > kLowest ? x : kLowest;  // NaN too
    const auto n = static_cast<int32_t>(raised < kHighest ? raised : kHighest);
    return static_cast<D>(__builtin_isnan(x) ? 0 : n);
  }
  constexpr D kHalf = kIntMax<D> / 2 + 1;
  constexpr S kAbove = static_cast<S>(kHalf) * S(2);
  constexpr S kLow = static_cast<S>(kIntMin<D>);
  const bool high = x >= kAbove;
  const bool low = x < kLow;
  const D inside = static_cast<D>(high || low || __builtin_isnan(x) ? S(0) : x);
  return high ? static_cast<D>(kIntMax<D>) : (low ? static_cast<D>(kIntMin<D>) : inside);
}
template <class D, class S>
RAYO_INLINE D int_to_int(S x) {
  const int64_t v = static_cast<int64_t>(x);
  const int64_t capped = v > kIntMax<D> ? kIntMax<D> : v;
  return static_cast<D>(capped < kIntMin<D> ? kIntMin<D> : capped);
}

template <class T>
inline constexpr bool kIsReal = false;
template <>
inline constexpr bool kIsReal<float> = true;
template <>
inline constexpr bool kIsReal<double> = true;

/// x in another type. Sources of 16 bits have been widened.
template <class D, class S>
RAYO_INLINE D convert_real_or_int(S x) {
  if constexpr (__is_same(D, F16) || __is_same(D, Bf16)) {
    float f;
    if constexpr (__is_same(S, float)) {
      f = x;
    } else if constexpr (__is_same(S, double)) {
      f = round_to_odd(x);
    } else if constexpr (sizeof(S) == 1) {
      f = static_cast<float>(x);
    } else {
      f = round_to_odd(round_to_odd(static_cast<int64_t>(x)));
    }
    if constexpr (__is_same(D, F16)) {
      return to_f16(f);
    } else {
      return to_bf16(f);
    }
  } else if constexpr (kIsReal<D>) {
    return static_cast<D>(x);
  } else if constexpr (kIsReal<S>) {
    return real_to_int<D>(x);
  } else {
    return int_to_int<D>(x);
  }
}

template <class D, class S>
RAYO_INLINE D convert(S x) {
  if constexpr (__is_same(D, S)) {
    return x;
  } else if constexpr (__is_same(S, F16) || __is_same(S, Bf16)) {
    return convert_real_or_int<D>(widen(x));
  } else {
    return convert_real_or_int<D>(x);
  }
}

RAYO_ISA_END

#endif  // RAYO_KERNELS_CONVERT_H
