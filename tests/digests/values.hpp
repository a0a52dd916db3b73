// SPDX-License-Identifier: Apache-2.0
//
// The inputs that digests are taken over. They must be the same bytes on every machine and for ever, so nothing here
// calls the math library: PCG32's bits become numbers by shifts and by conversions that IEEE 754 rounds one way only.
#pragma once

#include <rayo/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rayo::digests {

enum class Fill {
  mixed,     // a quarter any bits, the rest log-uniform in 2^-20 to 2^20 or uniform in (-8, 8)
  uniform,   // (-1, 1)
  positive,  // 2^-6 to 2^2, for scales
  special,   // zeros, subnormals, limits, infinities, NaN, thresholds of the usual formulas; repeated
  finite,    // the same without infinities and NaN
  halves,    // k/2 for small k, and the neighbourhood of the limits of integer types
  ties,      // few distinct small integers
};

// Number of values in the special list.
int64_t special_count();

// Bytes of `count` elements, `index`-th input of call `call` of `key` (an op and its types). Integer types know only
// ties (0 to 3) and, for every other fill, any bits.
std::vector<uint8_t> make_values(DLDataType dtype, Fill fill, int64_t count, std::string_view key, uint32_t call,
                                 uint32_t index);

// Every NaN becomes the one with all exponent bits, the first fraction bit and nothing else: NaN compares by class.
void canonicalise_nans(DLDataType dtype, std::vector<uint8_t> *bytes);

// "f32" to DLPack's terms; throws std::runtime_error for an unknown name.
DLDataType parse_type(std::string_view name);

}  // namespace rayo::digests
