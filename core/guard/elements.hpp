// SPDX-License-Identifier: Apache-2.0
//
// Elements of strided operands for the guards: copied, looked at, overwritten. Only elements are touched, never what
// lies between them.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "dispatch/shape_rules.hpp"

namespace rayo {

// Compact bytes of all elements in logical order.
std::vector<char> dense_copy(const OperandDesc &operand, const void *data);

struct Specials {
  bool nan = false;
  bool inf = false;
};
// Of floating types; {} for the others.
Specials find_specials(const OperandDesc &operand, const void *data);
// The same over dense bytes; *out_index is the first NaN's (or, without `nan`, infinity's) place.
bool first_special(DLDataType dtype, const std::vector<char> &dense, bool nan, uint64_t *out_index,
                   uint64_t *out_count);

// Overwrites every element so that nobody takes it for a result: NaN, the smallest signed or the largest unsigned
// value.
void poison(const OperandDesc &operand, void *data);

// A number of any type; exact for all but large i64.
double element_value(DLDataType dtype, const char *at) noexcept;
// Writes |x|, for types that have a sign.
void make_absolute(const OperandDesc &operand, void *data);

// Memory of its own with an operand's strides, at an address that is congruent to the original's (mod 64), so that a
// kernel takes the same path. The elements' contents are undefined until copied. Throws bad_alloc.
class Shadow {
 public:
  Shadow(const OperandDesc &operand, const void *original);
  void *data() const noexcept { return origin_; }

 private:
  std::unique_ptr<char[]> memory_;
  char *origin_ = nullptr;
};

// Element by element; equal type and shape, any strides.
void copy_elements(const OperandDesc &from_desc, const void *from, const OperandDesc &to_desc, void *to);

}  // namespace rayo
