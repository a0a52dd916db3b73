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

struct OpInfo {
  std::string name;
  std::string family;
  std::string shape_rule;
  std::string types;  // "T=f32,f64"
  std::uint32_t in_place = 0;
  std::size_t required_inputs = 0;
  std::size_t total_inputs = 0;  // with the optional ones
  std::vector<AttrInfo> attrs;
};

std::span<const OpInfo> catalogue();
const OpInfo *find_op(std::string_view name);    // NULL if unknown
std::vector<Dtype> op_dtypes(const OpInfo &op);  // values of its first type variable

// Does "T=f32,f64 Q=i8" allow `dtype` for its first variable? "" allows everything.
bool types_allow(std::string_view types, Dtype dtype);

}  // namespace rayo::conform
