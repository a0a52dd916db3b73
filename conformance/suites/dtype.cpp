// SPDX-License-Identifier: Apache-2.0
#include "suites/dtype.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace rayo::conform {
namespace {

struct Row {
  std::string_view name;
  Dtype dtype;
  std::size_t size;
  std::uint8_t code;
};

constexpr std::array<Row, 8> kRows = {{{"f32", Dtype::f32, 4, kDLFloat},
                                       {"f64", Dtype::f64, 8, kDLFloat},
                                       {"f16", Dtype::f16, 2, kDLFloat},
                                       {"bf16", Dtype::bf16, 2, kDLBfloat},
                                       {"i8", Dtype::i8, 1, kDLInt},
                                       {"u8", Dtype::u8, 1, kDLUInt},
                                       {"i32", Dtype::i32, 4, kDLInt},
                                       {"i64", Dtype::i64, 8, kDLInt}}};

const Row &row(Dtype dtype) {
  return *std::find_if(kRows.begin(), kRows.end(), [dtype](const Row &r) { return r.dtype == dtype; });
}

// Binary16-like formats: `fraction` bits of mantissa, exponent bias `bias`, from and to double.
double decode_small(std::uint16_t bits, int fraction, int bias) {
  const int exponent = (bits & 0x7fff) >> fraction;
  const double mantissa = bits & ((1 << fraction) - 1);
  const int top = (0x7fff >> fraction);
  double v = 0;
  if (exponent == top) {
    v = mantissa != 0 ? std::numeric_limits<double>::quiet_NaN() : std::numeric_limits<double>::infinity();
  } else if (exponent == 0) {
    v = std::ldexp(mantissa, 1 - bias - fraction);
  } else {
    v = std::ldexp(mantissa + (1 << fraction), exponent - bias - fraction);
  }
  return (bits & 0x8000) != 0 ? -v : v;
}

std::uint16_t encode_small(double v, int fraction, int bias) {
  const auto sign = static_cast<std::uint16_t>(std::signbit(v) ? 0x8000 : 0);
  const auto top = static_cast<std::uint16_t>(0x7fff >> fraction << fraction);
  if (std::isnan(v)) return static_cast<std::uint16_t>(sign | top | (1 << (fraction - 1)));
  if (std::isinf(v)) return static_cast<std::uint16_t>(sign | top);
  if (v == 0) return sign;
  int exponent = 0;
  (void)std::frexp(std::fabs(v), &exponent);
  const int scale = std::max(exponent - 1, 1 - bias) - fraction;
  const double steps = std::nearbyint(std::ldexp(std::fabs(v), -scale));  // exact scaling, half to even
  // Consecutive encodings are consecutive integers, so a carry out of the mantissa is right by itself.
  const double code = steps + std::ldexp(static_cast<double>(scale + bias + fraction - 1), fraction);
  const double limited = std::min(code, static_cast<double>(top));
  return static_cast<std::uint16_t>(sign | static_cast<std::uint16_t>(limited));
}

template <class T>
T load_as(const void *address) {
  T v;
  std::memcpy(&v, address, sizeof v);
  return v;
}

template <class T>
void store_as(void *address, T v) {
  std::memcpy(address, &v, sizeof v);
}

template <class T>
T saturate(double v) {
  if (std::isnan(v)) return 0;
  const double low = static_cast<double>(std::numeric_limits<T>::min());
  const double high = static_cast<double>(std::numeric_limits<T>::max());
  if (v <= low) return std::numeric_limits<T>::min();
  if (v >= high) return std::numeric_limits<T>::max();
  return static_cast<T>(std::nearbyint(v));
}

}  // namespace

std::string_view dtype_name(Dtype dtype) { return row(dtype).name; }

std::optional<Dtype> parse_dtype(std::string_view name) {
  for (const Row &r : kRows) {
    if (r.name == name) return r.dtype;
  }
  return std::nullopt;
}

std::size_t dtype_size(Dtype dtype) { return row(dtype).size; }

DLDataType dtype_dl(Dtype dtype) { return RAYO_DTYPE(row(dtype).code, row(dtype).size * 8); }

std::optional<Dtype> dtype_of(DLDataType type) {
  for (const Row &r : kRows) {
    if (r.code == type.code && r.size * 8 == type.bits && type.lanes == 1) return r.dtype;
  }
  return std::nullopt;
}

bool dtype_is_float(Dtype dtype) { return row(dtype).code == kDLFloat || row(dtype).code == kDLBfloat; }

double load_element(Dtype dtype, const void *address) {
  switch (dtype) {
    case Dtype::f32:
      return load_as<float>(address);
    case Dtype::f64:
      return load_as<double>(address);
    case Dtype::f16:
      return decode_small(load_as<std::uint16_t>(address), 10, 15);
    case Dtype::bf16:
      return decode_small(load_as<std::uint16_t>(address), 7, 127);
    case Dtype::i8:
      return load_as<std::int8_t>(address);
    case Dtype::u8:
      return load_as<std::uint8_t>(address);
    case Dtype::i32:
      return load_as<std::int32_t>(address);
    case Dtype::i64:
      return static_cast<double>(load_as<std::int64_t>(address));
  }
  return 0;
}

void store_element(Dtype dtype, void *address, double value) {
  switch (dtype) {
    case Dtype::f32:
      return store_as(address, static_cast<float>(value));
    case Dtype::f64:
      return store_as(address, value);
    case Dtype::f16:
      return store_as(address, encode_small(value, 10, 15));
    case Dtype::bf16:
      return store_as(address, encode_small(value, 7, 127));
    case Dtype::i8:
      return store_as(address, saturate<std::int8_t>(value));
    case Dtype::u8:
      return store_as(address, saturate<std::uint8_t>(value));
    case Dtype::i32:
      return store_as(address, saturate<std::int32_t>(value));
    case Dtype::i64:
      return store_as(address, saturate<std::int64_t>(value));
  }
}

void load_elements(Dtype dtype, const void *first, std::span<double> out) {
  const auto *at = static_cast<const std::byte *>(first);
  if (dtype == Dtype::f64) {
    std::memcpy(out.data(), at, out.size_bytes());
  } else if (dtype == Dtype::f32) {
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = load_as<float>(at + 4 * i);
  } else {
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = load_element(dtype, at + dtype_size(dtype) * i);
  }
}

void store_elements(Dtype dtype, void *first, std::span<const double> values) {
  auto *at = static_cast<std::byte *>(first);
  if (dtype == Dtype::f64) {
    std::memcpy(at, values.data(), values.size_bytes());
  } else if (dtype == Dtype::f32) {
    for (std::size_t i = 0; i < values.size(); ++i) store_as(at + 4 * i, static_cast<float>(values[i]));
  } else {
    for (std::size_t i = 0; i < values.size(); ++i) store_element(dtype, at + dtype_size(dtype) * i, values[i]);
  }
}

std::int64_t element_count(const Shape &shape) {
  std::int64_t n = 1;
  for (const std::int64_t extent : shape) n *= extent;
  return n;
}

bool advance(Shape &index, const Shape &shape) {
  for (std::size_t d = shape.size(); d-- > 0;) {
    if (++index[d] < shape[d]) return true;
    index[d] = 0;
  }
  return false;
}

}  // namespace rayo::conform
