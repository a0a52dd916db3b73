// SPDX-License-Identifier: Apache-2.0
//
// The op catalogue as the suite sees it: plugin-api/ops/catalogue.def turned into a table. Generators, oracles and
// bounds are keyed by these names; a test fails on an op that lacks one.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "suites/dtype.hpp"

namespace rayo::conform {

enum class AttrKind { integer, real, text, axis, axes, integers };

struct AttrInfo {
  std::string name;
  AttrKind kind;
  std::string default_text;  // as on a case line; empty list = ""
};

struct OperandInfo {
  std::string name;
  std::string type;  // a variable of `types`, or a dtype
};

struct OpInfo {
  std::string name;
  std::string family;
  std::string shape_rule;
  std::string types;  // "T=f32,f64", "P=u8,i8 Q=u8,i8"
  std::uint32_t in_place = 0;
  std::size_t required_inputs = 0;
  std::size_t total_inputs = 0;  // with the optional ones
  std::vector<OperandInfo> inputs;
  std::size_t outputs = 1;
  std::vector<AttrInfo> attrs;
};

std::span<const OpInfo> catalogue();
const OpInfo *find_op(std::string_view name);  // NULL if unknown
// Values of its type variable number `variable`, counted among those that inputs bind; empty if there are fewer.
std::vector<Dtype> op_dtypes(const OpInfo &op, std::size_t variable = 0);
// Type variables that inputs bind, in the order of the schema's types: what the dtype field of a case line lists.
std::vector<std::string> bound_variables(const OpInfo &op);

// Does "T=f32,f64 Q=i8" allow `dtype` for its first variable? "" allows everything.
bool types_allow(std::string_view types, Dtype dtype);
bool types_allow(std::string_view types, std::string_view variable, Dtype dtype);

}  // namespace rayo::conform
