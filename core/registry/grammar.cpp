// SPDX-License-Identifier: Apache-2.0
//
// The three small grammars of op schemas and kernels: dtypes ("f32"), type bindings ("T=f32,f64 Q=i8,u8") and operand
// lists ("A:T B:T [C:T]").
#include <algorithm>

#include "base/env.hpp"
#include "base/error.hpp"
#include "registry/ops.hpp"

namespace rayo {
namespace {

struct DtypeName {
  const char *name;
  uint8_t code;
  uint8_t bits;
};
constexpr DtypeName kDtypes[] = {
    {"f32", kDLFloat, 32}, {"f64", kDLFloat, 64}, {"f16", kDLFloat, 16}, {"bf16", kDLBfloat, 16},
    {"i8", kDLInt, 8},     {"i16", kDLInt, 16},   {"i32", kDLInt, 32},   {"i64", kDLInt, 64},
    {"u8", kDLUInt, 8},    {"u16", kDLUInt, 16},  {"u32", kDLUInt, 32},  {"u64", kDLUInt, 64},
};

bool is_name(std::string_view text) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  return !text.empty() && letter(text.front()) &&
         std::all_of(text.begin(), text.end(), [&](char c) { return letter(c) || digit(c); });
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const size_t at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> parts = split(text, ' ');
  std::erase_if(parts, [](std::string_view part) { return part.empty(); });
  return parts;
}

}  // namespace

std::string dtype_name(DLDataType dtype) {
  for (const DtypeName &known : kDtypes) {
    if (dtype.lanes == 1 && dtype.code == known.code && dtype.bits == known.bits) return known.name;
  }
  return fmt::format("code {} bits {} lanes {}", dtype.code, dtype.bits, dtype.lanes);
}

bool parse_dtype(std::string_view name, DLDataType *out) noexcept {
  for (const DtypeName &known : kDtypes) {
    if (name != known.name) continue;
    *out = DLDataType{known.code, known.bits, 1};
    return true;
  }
  return false;
}

TypeBindings parse_bindings(std::string_view text) {
  TypeBindings bindings;
  for (const std::string_view word : words(text)) {
    const size_t equals = word.find('=');
    if (equals == std::string_view::npos || !is_name(word.substr(0, equals))) {
      fail(RAYO_INVALID_ARGUMENT, "types {}: {} is not VARIABLE=dtype,dtype (as in T=f32,f64)", quote(text),
           quote(word));
    }
    const std::string_view variable = word.substr(0, equals);
    DLDataType dtype{};
    if (parse_dtype(variable, &dtype)) {
      fail(RAYO_INVALID_ARGUMENT, "types {}: a variable cannot be called like a dtype ({})", quote(text),
           quote(variable));
    }
    std::vector<DLDataType> values;
    for (const std::string_view value : split(word.substr(equals + 1), ',')) {
      if (!parse_dtype(value, &dtype)) {
        fail(RAYO_INVALID_ARGUMENT, "types {}: unknown dtype {}; legal: f16 bf16 f32 f64 i8 i16 i32 i64 u8 u16 u32 u64",
             quote(text), quote(value));
      }
      values.push_back(dtype);
    }
    if (!bindings.emplace(std::string(variable), std::move(values)).second) {
      fail(RAYO_INVALID_ARGUMENT, "types {}: variable {} is bound twice", quote(text), quote(variable));
    }
  }
  return bindings;
}

std::vector<OperandSpec> parse_operands(std::string_view text) {
  std::vector<OperandSpec> operands;
  for (std::string_view word : words(text)) {
    const std::string_view whole = word;
    OperandSpec operand;
    if (word.size() >= 2 && word.front() == '[' && word.back() == ']') {
      operand.optional = true;
      word = word.substr(1, word.size() - 2);
    }
    const size_t colon = word.find(':');
    if (colon == std::string_view::npos || !is_name(word.substr(0, colon)) || !is_name(word.substr(colon + 1))) {
      fail(RAYO_INVALID_ARGUMENT, "operands {}: {} is neither name:type nor [name:type]", quote(text), quote(whole));
    }
    operand.name = word.substr(0, colon);
    operand.type = word.substr(colon + 1);
    for (const OperandSpec &other : operands) {
      if (other.name == operand.name) {
        fail(RAYO_INVALID_ARGUMENT, "operands {}: {} is named twice", quote(text), quote(operand.name));
      }
    }
    operands.push_back(std::move(operand));
  }
  if (operands.size() > RAYO_MAX_OPERANDS) {
    fail(RAYO_INVALID_ARGUMENT, "operands {}: {} of them; at most {} are legal", quote(text), operands.size(),
         RAYO_MAX_OPERANDS);
  }
  return operands;
}

}  // namespace rayo
