// SPDX-License-Identifier: Apache-2.0
//
// The schema's small texts ("A:T B:T [C:T]", "T=f32,f64") as lists, for JSON and for messages.
#pragma once

#include <string>
#include <vector>

namespace rayo::tools {

struct OperandText {
  std::string name;
  std::string type;  // a type variable or a dtype
  bool optional = false;
};

// "A:T [C:T]" -> {A, T}, {C, T, optional}.
std::vector<OperandText> parse_operands(const std::string &text);

struct TypeVariable {
  std::string name;
  std::vector<std::string> dtypes;
};

// "T=f32,f64 U=i8" -> {T, {f32, f64}}, {U, {i8}}.
std::vector<TypeVariable> parse_types(const std::string &text);

// All dtypes of all variables, each once, in their order.
std::vector<std::string> all_dtypes(const std::string &text);

}  // namespace rayo::tools
