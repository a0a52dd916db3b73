// SPDX-License-Identifier: Apache-2.0
#include "suites/catalogue.hpp"

#include <algorithm>

namespace rayo::conform {
namespace {

std::vector<OpInfo> build() {
  std::vector<OpInfo> ops;
  const auto add = [&ops](std::string name, std::string family, std::string rule, std::string_view inputs,
                          std::string types, std::uint32_t in_place) {
    OpInfo op{std::move(name), std::move(family), std::move(rule), std::move(types), in_place, 0, 0, {}};
    op.total_inputs = static_cast<std::size_t>(std::count(inputs.begin(), inputs.end(), ':'));
    op.required_inputs = op.total_inputs - static_cast<std::size_t>(std::count(inputs.begin(), inputs.end(), '['));
    ops.push_back(std::move(op));
  };
  const auto attr = [&ops](std::string name, AttrKind kind, std::string text) {
    ops.back().attrs.push_back({std::move(name), kind, std::move(text)});
  };
#define OP(name, version, family, rule, numerics, inputs, outputs, types, in_place, doc) \
  add(#name, family, #rule, inputs, types, in_place);
#define ATTR_INT(name, default_value, legal, doc) attr(#name, AttrKind::integer, #default_value);
#define ATTR_FLOAT(name, default_value, legal, doc) attr(#name, AttrKind::real, #default_value);
#define ATTR_STRING(name, default_value, legal, doc) attr(#name, AttrKind::text, default_value);
#define ATTR_AXIS(name, default_value, doc) attr(#name, AttrKind::axis, #default_value);
#define ATTR_AXES(name, doc) attr(#name, AttrKind::axes, "");
#define ATTR_INTS(name, doc) attr(#name, AttrKind::integers, "");
#include <ops/catalogue.def>
#undef OP
#undef ATTR_INT
#undef ATTR_FLOAT
#undef ATTR_STRING
#undef ATTR_AXIS
#undef ATTR_AXES
#undef ATTR_INTS
  return ops;
}

const std::vector<OpInfo> &table() {
  static const std::vector<OpInfo> ops = build();
  return ops;
}

// The list after "T=" up to the next blank.
std::string_view first_variable(std::string_view types) {
  const std::size_t begin = types.find('=');
  if (begin == std::string_view::npos) return {};
  const std::string_view rest = types.substr(begin + 1);
  return rest.substr(0, rest.find(' '));
}

}  // namespace

std::span<const OpInfo> catalogue() { return table(); }

const OpInfo *find_op(std::string_view name) {
  for (const OpInfo &op : table()) {
    if (op.name == name) return &op;
  }
  return nullptr;
}

std::vector<Dtype> op_dtypes(const OpInfo &op) {
  std::vector<Dtype> dtypes;
  std::string_view rest = first_variable(op.types);
  while (!rest.empty()) {
    const std::size_t comma = rest.find(',');
    if (const auto dtype = parse_dtype(rest.substr(0, comma))) dtypes.push_back(*dtype);
    rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
  }
  return dtypes;
}

bool types_allow(std::string_view types, Dtype dtype) {
  std::string_view rest = first_variable(types);
  if (rest.empty()) return true;
  while (!rest.empty()) {
    const std::size_t comma = rest.find(',');
    if (rest.substr(0, comma) == dtype_name(dtype)) return true;
    rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
  }
  return false;
}

}  // namespace rayo::conform
