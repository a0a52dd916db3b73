// SPDX-License-Identifier: Apache-2.0
//
// The table of element type names, and reading one element of any of them.
#include "dtypes.hpp"

#include <cmath>
#include <cstring>
#include <limits>

#include <fmt/core.h>

namespace rayo::tools {
namespace {

struct NamedType {
  const char *name;
  DLDataType dtype;
};

constexpr NamedType kTypes[] = {
    {"f16", {kDLFloat, 16, 1}}, {"bf16", {kDLBfloat, 16, 1}}, {"f32", {kDLFloat, 32, 1}}, {"f64", {kDLFloat, 64, 1}},
    {"i8", {kDLInt, 8, 1}},     {"u8", {kDLUInt, 8, 1}},      {"i32", {kDLInt, 32, 1}},   {"i64", {kDLInt, 64, 1}},
};

template <typename T>
T load(const void *data) {
  T value;
  std::memcpy(&value, data, sizeof value);
  return value;
}

double half_to_double(uint16_t bits) {
  const int exponent = (bits >> 10) & 0x1f;
  const int mantissa = bits & 0x3ff;
  double value = 0;
  if (exponent == 0x1f) {
    value = mantissa != 0 ? std::numeric_limits<double>::quiet_NaN() : std::numeric_limits<double>::infinity();
  } else if (exponent == 0) {
    value = std::ldexp(mantissa, -24);
  } else {
    value = std::ldexp(mantissa + 1024, exponent - 25);
  }
  return (bits & 0x8000) != 0 ? -value : value;
}

}  // namespace

bool same_dtype(DLDataType a, DLDataType b) { return a.code == b.code && a.bits == b.bits && a.lanes == b.lanes; }

std::string dtype_name(DLDataType dtype) {
  for (const NamedType &type : kTypes) {
    if (same_dtype(type.dtype, dtype)) return type.name;
  }
  return fmt::format("code{}/bits{}", dtype.code, dtype.bits);
}

std::optional<DLDataType> dtype_from_name(std::string_view name) {
  for (const NamedType &type : kTypes) {
    if (name == type.name) return type.dtype;
  }
  return std::nullopt;
}

const std::string &dtype_names() {
  static const std::string names = [] {
    std::string text;
    for (const NamedType &type : kTypes) text += (text.empty() ? "" : ", ") + std::string(type.name);
    return text;
  }();
  return names;
}

double element_as_double(const void *data, DLDataType dtype) {
  if (dtype.code == kDLFloat && dtype.bits == 32) return load<float>(data);
  if (dtype.code == kDLFloat && dtype.bits == 64) return load<double>(data);
  if (dtype.code == kDLFloat && dtype.bits == 16) return half_to_double(load<uint16_t>(data));
  if (dtype.code == kDLBfloat) {
    const uint32_t bits = uint32_t{load<uint16_t>(data)} << 16;
    return load<float>(&bits);
  }
  if (dtype.code == kDLInt && dtype.bits == 64) return static_cast<double>(load<int64_t>(data));
  if (dtype.code == kDLInt && dtype.bits == 32) return load<int32_t>(data);
  if (dtype.code == kDLInt && dtype.bits == 8) return load<int8_t>(data);
  return load<uint8_t>(data);
}

}  // namespace rayo::tools
