// SPDX-License-Identifier: Apache-2.0
#include "values.hpp"

#include <array>
#include <bit>
#include <cstring>
#include <stdexcept>

#include "suites/pcg32.hpp"

namespace rayo::digests {
namespace {

using conform::Pcg32;

// Layout of a binary float.
struct Format {
  int bits, fraction, bias;
};
constexpr Format kF64 = {64, 52, 1023};

Format format_of(DLDataType dtype) {
  if (dtype.code == kDLBfloat) return {16, 7, 127};
  if (dtype.bits == 64) return kF64;
  return dtype.bits == 32 ? Format{32, 23, 127} : Format{16, 10, 15};
}

// A double in another format, by truncating its fraction: exact for short numbers, and the same everywhere for others.
// Beyond the range: infinity, or a zero.
uint64_t encode(double value, const Format &to) {
  const auto bits = std::bit_cast<uint64_t>(value);
  const uint64_t sign = (bits >> 63) << (to.bits - 1);
  const auto exponent = static_cast<int>(bits >> 52 & 0x7ff);
  const uint64_t infinity = ((UINT64_C(1) << (to.bits - 1 - to.fraction)) - 1) << to.fraction;
  if (exponent == 0x7ff) return sign | infinity | ((bits << 12) != 0 ? UINT64_C(1) << (to.fraction - 1) : 0);
  const int target = exponent - kF64.bias + to.bias;
  if (target <= 0) return to.bits == 64 ? bits : sign;
  const uint64_t fraction = (bits & ((UINT64_C(1) << 52) - 1)) >> (52 - to.fraction);
  const uint64_t whole = static_cast<uint64_t>(target) << to.fraction | fraction;
  return sign | (whole > infinity ? infinity : whole);
}

// Positive values; their negatives follow each. Zero, then numbers at which formulas change branch.
constexpr std::array kPlain = {
    0.0,  1.0,       0x1.000002p0, 0.5,        2.0,          3.0,    10.0,   0.1,   0.25,          1e-3,      1e-10,
    17.0, 87.5,      88.375,       89.0,       103.5,        105.0,  709.5,  746.0, 3.140625,      1.5703125, 100.5,
    1e5,  8388607.5, 8388609.0,    16777217.0, 2147483648.0, 0x1p52, 0x1p63, 1e30,  0x1.fffffep-1, 6.5};

// Format-dependent ones: the smallest and largest subnormal, the smallest and largest normal, then infinity and NaN.
std::array<uint64_t, 6> edges(const Format &f) {
  const uint64_t normal = UINT64_C(1) << f.fraction;
  const uint64_t infinity = ((UINT64_C(1) << (f.bits - 1 - f.fraction)) - 1) << f.fraction;
  return {1, normal - 1, normal, infinity - 1, infinity, infinity | normal >> 1};
}

uint64_t special(const Format &f, uint64_t index, bool finite) {
  const std::array<uint64_t, 6> edge = edges(f);
  const uint64_t count = 2 * (kPlain.size() + edge.size() - (finite ? 2 : 0));
  index %= count;
  const uint64_t sign = (index & 1) << (f.bits - 1);
  index /= 2;
  return sign ^ (index < kPlain.size() ? encode(kPlain[index], f) : edge[index - kPlain.size()]);
}

uint64_t log_uniform(Pcg32 &random, const Format &f) {
  const uint64_t sign = static_cast<uint64_t>(random.next() & 1) << (f.bits - 1);
  const int reach = f.bits == 16 && f.fraction == 10 ? 14 : 20;
  const int exponent = static_cast<int>(random.below(static_cast<uint32_t>(2 * reach))) - reach + f.bias;
  const uint64_t fraction = random.next64() >> (64 - f.fraction);
  return sign | static_cast<uint64_t>(exponent) << f.fraction | fraction;
}

// (-1, 1) on the grid of 2^-52; narrower formats truncate.
double symmetric(Pcg32 &random) {
  const double magnitude = static_cast<double>(random.next64() >> 12) * 0x1p-52;
  return (random.next() & 1) != 0 ? -magnitude : magnitude;
}

double half_step(Pcg32 &random) {
  constexpr std::array kCentres = {0.0, 0.0, 0.0, 127.0, 255.0, -128.0, 32767.0, 2147483647.0, -2147483648.0, 0x1p62};
  const double centre = kCentres[random.below(kCentres.size())];
  return centre + (static_cast<double>(random.below(64)) - 32) * 0.5;
}

uint64_t float_bits(Pcg32 &random, const Format &f, Fill fill, uint64_t index) {
  switch (fill) {
    case Fill::mixed:
      switch (random.next() & 3) {
        case 0:
          return random.next64() >> (64 - f.bits);
        case 1:
          return encode(symmetric(random) * 8, f);
        default:
          return log_uniform(random, f);
      }
    case Fill::uniform:
      return encode(symmetric(random), f);
    case Fill::positive: {
      const double scale = 0x1p-6 * static_cast<double>(1 << random.below(8));
      return encode((1 + random.unit24()) * scale, f);
    }
    case Fill::special:
      return special(f, index, false);
    case Fill::finite:
      return special(f, index, true);
    case Fill::halves:
      return encode(half_step(random), f);
    case Fill::ties:
      return encode(static_cast<double>(random.below(4)), f);
  }
  return 0;
}

// FNV-1a, so that every op has inputs of its own.
uint64_t hash(std::string_view text) {
  uint64_t h = UINT64_C(14695981039346656037);
  for (const char c : text) h = (h ^ static_cast<uint8_t>(c)) * UINT64_C(1099511628211);
  return h;
}

bool is_float(DLDataType dtype) { return dtype.code == kDLFloat || dtype.code == kDLBfloat; }

}  // namespace

int64_t special_count() { return static_cast<int64_t>(2 * (kPlain.size() + edges(kF64).size())); }

std::vector<uint8_t> make_values(DLDataType dtype, Fill fill, int64_t count, std::string_view key, uint32_t call,
                                 uint32_t index) {
  Pcg32 random(hash(key), static_cast<uint64_t>(call) * RAYO_MAX_OPERANDS + index);
  const std::size_t size = dtype.bits / 8;
  std::vector<uint8_t> bytes(static_cast<std::size_t>(count) * size);
  for (int64_t i = 0; i < count; ++i) {
    uint64_t bits = 0;
    if (is_float(dtype)) {
      bits = float_bits(random, format_of(dtype), fill, static_cast<uint64_t>(i));
    } else {
      bits = fill == Fill::ties ? random.below(4) : random.next64() >> (64 - dtype.bits);
    }
    std::memcpy(bytes.data() + static_cast<std::size_t>(i) * size, &bits, size);  // little-endian, as all we run on
  }
  return bytes;
}

void canonicalise_nans(DLDataType dtype, std::vector<uint8_t> *bytes) {
  if (!is_float(dtype)) return;
  const std::array<uint64_t, 6> edge = edges(format_of(dtype));
  const uint64_t infinity = edge[4], nan = edge[5], magnitude = (UINT64_C(1) << (dtype.bits - 1)) - 1;
  const std::size_t size = dtype.bits / 8;
  for (std::size_t at = 0; at < bytes->size(); at += size) {
    uint64_t bits = 0;
    std::memcpy(&bits, bytes->data() + at, size);
    if ((bits & magnitude) > infinity) std::memcpy(bytes->data() + at, &nan, size);
  }
}

DLDataType parse_type(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, DLDataType>, 8> kTypes = {{{"f32", RAYO_F32},
                                                                              {"f64", RAYO_F64},
                                                                              {"f16", RAYO_F16},
                                                                              {"bf16", RAYO_BF16},
                                                                              {"i8", RAYO_I8},
                                                                              {"u8", RAYO_U8},
                                                                              {"i32", RAYO_I32},
                                                                              {"i64", RAYO_I64}}};
  for (const auto &[known, dtype] : kTypes)
    if (known == name) return dtype;
  throw std::runtime_error("no input generator for dtype '" + std::string(name) + "'");
}

}  // namespace rayo::digests
