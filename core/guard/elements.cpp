// SPDX-License-Identifier: Apache-2.0
#include "guard/elements.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "dispatch/overlap.hpp"

namespace rayo {
namespace {

int64_t item_size(DLDataType dtype) { return dtype.bits / 8; }

// Calls row(offset in elements, count, stride) for each run along the last axis, in logical order.
template <class Row>
void for_each_row(const OperandDesc &operand, Row &&row) {
  if (operand.absent() || operand.elements() == 0) return;
  if (operand.compact()) {
    row(int64_t{0}, operand.elements(), int64_t{1});
    return;
  }
  const int32_t last = operand.ndim - 1;  // a rank of 0 is compact
  int64_t index[RAYO_MAX_NDIM] = {};
  int64_t offset = 0;
  while (true) {
    row(offset, operand.shape[last], operand.strides[last]);
    int32_t axis = last - 1;
    for (; axis >= 0; --axis) {
      offset += operand.strides[axis];
      if (++index[axis] < operand.shape[axis]) break;
      offset -= operand.strides[axis] * operand.shape[axis];
      index[axis] = 0;
    }
    if (axis < 0) return;
  }
}

template <class U>
U read(const char *at) noexcept {
  U value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

// A binary floating type by its bits.
template <class U, int kMantissa>
struct FloatBits {
  using Word = U;
  static constexpr U kAbs = static_cast<U>(std::numeric_limits<U>::max() >> 1);
  static constexpr U kInf = static_cast<U>(kAbs >> kMantissa << kMantissa);
  static bool is_nan(U bits) { return (bits & kAbs) > kInf; }
  static bool is_inf(U bits) { return (bits & kAbs) == kInf; }
};
using F64 = FloatBits<uint64_t, 52>;
using F32 = FloatBits<uint32_t, 23>;
using F16 = FloatBits<uint16_t, 10>;
using BF16 = FloatBits<uint16_t, 7>;

// Runs body with the FloatBits of a type; false for types that are not floating.
template <class Body>
bool with_float(DLDataType dtype, Body &&body) {
  if (dtype.code == kDLBfloat && dtype.bits == 16) return body(BF16()), true;
  if (dtype.code != kDLFloat) return false;
  if (dtype.bits == 32) return body(F32()), true;
  if (dtype.bits == 64) return body(F64()), true;
  if (dtype.bits == 16) return body(F16()), true;
  return false;
}

float half_value(uint16_t bits) noexcept {
  const int exponent = (bits >> 10) & 31;
  const int mantissa = bits & 1023;
  float value = 0;
  if (exponent == 31) {
    value = mantissa == 0 ? std::numeric_limits<float>::infinity() : std::numeric_limits<float>::quiet_NaN();
  } else {
    value = exponent == 0 ? std::ldexp(static_cast<float>(mantissa), -24)
                          : std::ldexp(static_cast<float>(mantissa + 1024), exponent - 25);
  }
  return (bits & 0x8000u) != 0 ? -value : value;
}

}  // namespace

void copy_elements(const OperandDesc &from_desc, const void *from, const OperandDesc &to_desc, void *to) {
  // One side is compact wherever the core calls this; otherwise by way of a compact copy.
  const int64_t item = item_size(from_desc.dtype);
  const auto *source = static_cast<const char *>(from);
  auto *target = static_cast<char *>(to);
  if (to_desc.compact()) {
    for_each_row(from_desc, [&](int64_t offset, int64_t count, int64_t stride) {
      const char *at = source + offset * item;
      if (stride == 1) {
        std::memcpy(target, at, static_cast<size_t>(count * item));
      } else {
        for (int64_t i = 0; i < count; ++i)
          std::memcpy(target + i * item, at + i * stride * item, static_cast<size_t>(item));
      }
      target += count * item;
    });
    return;
  }
  std::vector<char> dense;
  if (!from_desc.compact()) {
    dense = dense_copy(from_desc, from);
    source = dense.data();
  }
  for_each_row(to_desc, [&](int64_t offset, int64_t count, int64_t stride) {
    char *at = target + offset * item;
    for (int64_t i = 0; i < count; ++i)
      std::memcpy(at + i * stride * item, source + i * item, static_cast<size_t>(item));
    source += count * item;
  });
}

std::vector<char> dense_copy(const OperandDesc &operand, const void *data) {
  OperandDesc compact = operand;
  compact.set_compact_strides();
  std::vector<char> out(static_cast<size_t>(operand.elements() * item_size(operand.dtype)));
  if (!out.empty()) copy_elements(operand, data, compact, out.data());
  return out;
}

Specials find_specials(const OperandDesc &operand, const void *data) {
  Specials found;
  with_float(operand.dtype, [&](auto bits) {
    using Bits = decltype(bits);
    using Word = typename Bits::Word;
    for_each_row(operand, [&](int64_t offset, int64_t count, int64_t stride) {
      const char *at = static_cast<const char *>(data) + offset * static_cast<int64_t>(sizeof(Word));
      unsigned nan = 0;
      unsigned inf = 0;
      if (stride == 1) {
        for (int64_t i = 0; i < count; ++i) {
          const Word word = read<Word>(at + i * static_cast<int64_t>(sizeof(Word)));
          nan |= static_cast<unsigned>(Bits::is_nan(word));
          inf |= static_cast<unsigned>(Bits::is_inf(word));
        }
      } else {
        for (int64_t i = 0; i < count; ++i) {
          const Word word = read<Word>(at + i * stride * static_cast<int64_t>(sizeof(Word)));
          nan |= static_cast<unsigned>(Bits::is_nan(word));
          inf |= static_cast<unsigned>(Bits::is_inf(word));
        }
      }
      found.nan = found.nan || nan != 0;
      found.inf = found.inf || inf != 0;
    });
  });
  return found;
}

bool first_special(DLDataType dtype, const std::vector<char> &dense, bool nan, uint64_t *out_index,
                   uint64_t *out_count) {
  *out_count = 0;
  with_float(dtype, [&](auto bits) {
    using Bits = decltype(bits);
    using Word = typename Bits::Word;
    for (size_t i = 0; i < dense.size() / sizeof(Word); ++i) {
      const Word word = read<Word>(dense.data() + i * sizeof(Word));
      if (!(nan ? Bits::is_nan(word) : Bits::is_inf(word))) continue;
      if (*out_count == 0) *out_index = i;
      ++*out_count;
    }
  });
  return *out_count != 0;
}

void poison(const OperandDesc &operand, void *data) {
  const int64_t item = item_size(operand.dtype);
  char value[16];
  std::memset(value, 0xff, sizeof value);  // a NaN in every floating type, the largest unsigned value
  if (operand.dtype.code == kDLInt && item > 0) {
    std::memset(value, 0, sizeof value);
    value[std::endian::native == std::endian::little ? item - 1 : 0] = static_cast<char>(0x80);
  }
  for_each_row(operand, [&](int64_t offset, int64_t count, int64_t stride) {
    char *at = static_cast<char *>(data) + offset * item;
    for (int64_t i = 0; i < count; ++i) std::memcpy(at + i * stride * item, value, static_cast<size_t>(item));
  });
}

double element_value(DLDataType dtype, const char *at) noexcept {
  switch (dtype.code) {
    case kDLFloat:
      if (dtype.bits == 64) return read<double>(at);
      return dtype.bits == 32 ? static_cast<double>(read<float>(at))
                              : static_cast<double>(half_value(read<uint16_t>(at)));
    case kDLBfloat:
      return static_cast<double>(std::bit_cast<float>(static_cast<uint32_t>(read<uint16_t>(at)) << 16));
    case kDLInt:
      if (dtype.bits == 8) return read<int8_t>(at);
      if (dtype.bits == 16) return read<int16_t>(at);
      return dtype.bits == 32 ? read<int32_t>(at) : static_cast<double>(read<int64_t>(at));
    default:
      if (dtype.bits == 8) return read<uint8_t>(at);
      if (dtype.bits == 16) return read<uint16_t>(at);
      return dtype.bits == 32 ? read<uint32_t>(at) : static_cast<double>(read<uint64_t>(at));
  }
}

void make_absolute(const OperandDesc &operand, void *data) {
  with_float(operand.dtype, [&](auto bits) {
    using Word = typename decltype(bits)::Word;
    for_each_row(operand, [&](int64_t offset, int64_t count, int64_t stride) {
      char *at = static_cast<char *>(data) + offset * static_cast<int64_t>(sizeof(Word));
      for (int64_t i = 0; i < count; ++i) {
        char *element = at + i * stride * static_cast<int64_t>(sizeof(Word));
        const Word word = static_cast<Word>(read<Word>(element) & decltype(bits)::kAbs);
        std::memcpy(element, &word, sizeof word);
      }
    });
  });
}

Shadow::Shadow(const OperandDesc &operand, const void *original) {
  constexpr uintptr_t kCongruent = 64;
  const ByteSpan span = byte_span(operand);
  const auto size = static_cast<size_t>(span.high - span.low);
  memory_ = std::make_unique_for_overwrite<char[]>(size + 2 * kCongruent);
  const uintptr_t want = (reinterpret_cast<uintptr_t>(original) + static_cast<uintptr_t>(span.low)) % kCongruent;
  const uintptr_t have = reinterpret_cast<uintptr_t>(memory_.get()) % kCongruent;
  origin_ = memory_.get() + (want + kCongruent - have) % kCongruent - span.low;
}

}  // namespace rayo
