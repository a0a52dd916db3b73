// SPDX-License-Identifier: Apache-2.0
#include "probe/elements.hpp"

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

namespace rayo::probe {
namespace {

template <class T>
void put(T value, unsigned char *out) {
  std::memcpy(out, &value, sizeof value);
}

template <class T>
T get(const unsigned char *in) {
  T value;
  std::memcpy(&value, in, sizeof value);
  return value;
}

// A normal value without bits below f16's.
uint16_t f16_of(double value) {
  if (value == 0) return 0;
  const auto bits = std::bit_cast<uint32_t>(static_cast<float>(value));
  const uint32_t exponent = ((bits >> 23) & 0xffu) - 127 + 15;
  return static_cast<uint16_t>(((bits >> 16) & 0x8000u) | (exponent << 10) | ((bits >> 13) & 0x3ffu));
}

double f16_value(uint16_t bits) {
  const int exponent = (bits >> 10) & 0x1f;
  const int mantissa = bits & 0x3ff;
  double value = 0;
  if (exponent == 0x1f) {
    value = mantissa == 0 ? HUGE_VAL : NAN;
  } else {
    value = exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(mantissa + 1024, exponent - 25);
  }
  return (bits & 0x8000) != 0 ? -value : value;
}

}  // namespace

void store_element(DLDataType dtype, double value, unsigned char *out) {
  const auto integer = static_cast<int64_t>(value);
  switch (dtype.code) {
    case kDLFloat:
      if (dtype.bits == 64) put(value, out);
      if (dtype.bits == 32) put(static_cast<float>(value), out);
      if (dtype.bits == 16) put(f16_of(value), out);
      return;
    case kDLBfloat:
      put(static_cast<uint16_t>(std::bit_cast<uint32_t>(static_cast<float>(value)) >> 16), out);
      return;
    case kDLUInt: {
      const auto magnitude = static_cast<uint64_t>(std::abs(integer));
      std::memcpy(out, &magnitude, dtype.bits / 8u);  // little-endian, as every machine that Rayo runs on
      return;
    }
    default:
      std::memcpy(out, &integer, dtype.bits / 8u);
  }
}

double load_element(DLDataType dtype, const unsigned char *in) {
  switch (dtype.code) {
    case kDLFloat:
      return dtype.bits == 64   ? get<double>(in)
             : dtype.bits == 32 ? static_cast<double>(get<float>(in))
                                : f16_value(get<uint16_t>(in));
    case kDLBfloat:
      return static_cast<double>(std::bit_cast<float>(static_cast<uint32_t>(get<uint16_t>(in)) << 16));
    case kDLUInt: {
      uint64_t value = 0;
      std::memcpy(&value, in, dtype.bits / 8u);
      return static_cast<double>(value);
    }
    default: {
      int64_t value = 0;
      std::memcpy(&value, in, dtype.bits / 8u);
      const int unused = 64 - dtype.bits;
      return static_cast<double>(static_cast<int64_t>(static_cast<uint64_t>(value) << unused) >> unused);
    }
  }
}

}  // namespace rayo::probe
