// SPDX-License-Identifier: Apache-2.0
//
// ULP distances on the number line of bit patterns: a float's bits, sign-magnitude, become a monotone integer.
#include "compare.hpp"

#include <cstring>
#include <limits>
#include <type_traits>

#include "dtypes.hpp"

namespace rayo::tools {
namespace {

constexpr uint64_t kUnordered = std::numeric_limits<uint64_t>::max();

// Distance in units in the last place of two floats given as bits; `infinity` is the bits of +infinity. +0 and -0 have
// different bits and distance 0.
template <typename Bits>
uint64_t float_distance(Bits a, Bits b, Bits infinity) {
  constexpr Bits kSign = static_cast<Bits>(Bits{1} << (sizeof(Bits) * 8 - 1));
  const auto magnitude_a = static_cast<Bits>(a & ~kSign);
  const auto magnitude_b = static_cast<Bits>(b & ~kSign);
  if (magnitude_a > infinity || magnitude_b > infinity) return kUnordered;
  const uint64_t wide_a = magnitude_a;
  const uint64_t wide_b = magnitude_b;
  if ((a & kSign) != (b & kSign)) return wide_a + wide_b;
  return wide_a > wide_b ? wide_a - wide_b : wide_b - wide_a;
}

template <typename Bits, typename Same, typename Distance>
Comparison compare_as(const HostTensor &actual, const HostTensor &expected, Same same, Distance distance) {
  Comparison result;
  const auto *a_bytes = static_cast<const std::byte *>(actual.data.get());
  const auto *b_bytes = static_cast<const std::byte *>(expected.data.get());
  for (uint64_t i = 0; i < actual.count; ++i) {
    Bits a;
    Bits b;
    std::memcpy(&a, a_bytes + i * sizeof a, sizeof a);
    std::memcpy(&b, b_bytes + i * sizeof b, sizeof b);
    if (a == b || same(a, b)) continue;
    const uint64_t apart = distance(a, b);
    if (result.differing == 0 || apart > result.max_ulp) {
      result.max_ulp = apart;
      result.worst_element = i;
    }
    ++result.differing;
  }
  return result;
}

template <typename Bits>
Comparison compare_floats(const HostTensor &actual, const HostTensor &expected, Bits infinity) {
  constexpr auto kMagnitude = static_cast<Bits>(~(Bits{1} << (sizeof(Bits) * 8 - 1)));
  const auto both_nan = [=](Bits a, Bits b) { return (a & kMagnitude) > infinity && (b & kMagnitude) > infinity; };
  return compare_as<Bits>(actual, expected, both_nan,
                          [=](Bits a, Bits b) { return float_distance<Bits>(a, b, infinity); });
}

template <typename Int>
Comparison compare_integers(const HostTensor &actual, const HostTensor &expected) {
  return compare_as<Int>(
      actual, expected, [](Int, Int) { return false; },
      [](Int a, Int b) {
        const auto wide_a = static_cast<uint64_t>(static_cast<int64_t>(a));
        const auto wide_b = static_cast<uint64_t>(static_cast<int64_t>(b));
        return a > b ? wide_a - wide_b : wide_b - wide_a;
      });
}

}  // namespace

Comparison compare(const HostTensor &actual, const HostTensor &expected) {
  const DLDataType dtype = actual.dtype;
  if (dtype.code == kDLBfloat) return compare_floats<uint16_t>(actual, expected, 0x7f80);
  if (dtype.code == kDLFloat && dtype.bits == 16) return compare_floats<uint16_t>(actual, expected, 0x7c00);
  if (dtype.code == kDLFloat && dtype.bits == 32) return compare_floats<uint32_t>(actual, expected, 0x7f800000);
  if (dtype.code == kDLFloat) return compare_floats<uint64_t>(actual, expected, 0x7ff0000000000000);
  if (dtype.bits == 64) return compare_integers<int64_t>(actual, expected);
  if (dtype.bits == 32) return compare_integers<int32_t>(actual, expected);
  if (dtype.code == kDLInt) return compare_integers<int8_t>(actual, expected);
  return compare_integers<uint8_t>(actual, expected);
}

}  // namespace rayo::tools
