// SPDX-License-Identifier: Apache-2.0
#include "suites/catalogue.hpp"

#include <algorithm>

namespace rayo::conform {
namespace {

// "A:T [C:T]" to names and types.
std::vector<OperandInfo> parse_operands(std::string_view text) {
  std::vector<OperandInfo> operands;
  while (!text.empty()) {
    const std::size_t blank = text.find(' ');
    std::string_view word = text.substr(0, blank);
    text = blank == std::string_view::npos ? std::string_view{} : text.substr(blank + 1);
    if (word.starts_with('[')) word = word.substr(1, word.size() - 2);
    const std::size_t colon = word.find(':');
    operands.push_back({std::string(word.substr(0, colon)), std::string(word.substr(colon + 1))});
  }
  return operands;
}

std::vector<OpInfo> build() {
  std::vector<OpInfo> ops;
  const auto add = [&ops](std::string name, std::string family, std::string rule, std::string_view inputs,
                          std::string_view outputs, std::string types, std::uint32_t in_place) {
    OpInfo op;
    op.name = std::move(name);
    op.family = std::move(family);
    op.shape_rule = std::move(rule);
    op.types = std::move(types);
    op.in_place = in_place;
    op.inputs = parse_operands(inputs);
    op.total_inputs = op.inputs.size();
    op.required_inputs = op.total_inputs - static_cast<std::size_t>(std::count(inputs.begin(), inputs.end(), '['));
    op.outputs = parse_operands(outputs).size();
    ops.push_back(std::move(op));
  };
  const auto attr = [&ops](std::string name, AttrKind kind, std::string text) {
    ops.back().attrs.push_back({std::move(name), kind, std::move(text)});
  };
#define OP(name, version, family, rule, numerics, inputs, outputs, types, in_place, doc) \
  add(#name, family, #rule, inputs, outputs, types, in_place);
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

// The list behind "T=" of one variable; "" = the first.
std::string_view values_of(std::string_view types, std::string_view variable = {}) {
  while (!types.empty()) {
    const std::size_t blank = types.find(' ');
    const std::string_view word = types.substr(0, blank);
    const std::size_t equal = word.find('=');
    if (equal != std::string_view::npos && (variable.empty() || word.substr(0, equal) == variable)) {
      return word.substr(equal + 1);
    }
    types = blank == std::string_view::npos ? std::string_view{} : types.substr(blank + 1);
  }
  return {};
}

}  // namespace

std::span<const OpInfo> catalogue() { return table(); }

const OpInfo *find_op(std::string_view name) {
  for (const OpInfo &op : table()) {
    if (op.name == name) return &op;
  }
  return nullptr;
}

std::vector<std::string> bound_variables(const OpInfo &op) {
  std::vector<std::string> names;
  for (const OperandInfo &input : op.inputs) {
    if (parse_dtype(input.type)) continue;
    if (std::find(names.begin(), names.end(), input.type) == names.end()) names.push_back(input.type);
  }
  // quantize_linear binds Q by its zero point, cast binds S alone.
  const auto place = [&op](const std::string &name) { return op.types.find(name + "="); };
  std::sort(names.begin(), names.end(),
            [&](const std::string &a, const std::string &b) { return place(a) < place(b); });
  return names;
}

std::vector<Dtype> op_dtypes(const OpInfo &op, std::size_t variable) {
  std::vector<Dtype> dtypes;
  const std::vector<std::string> names = bound_variables(op);
  if (variable >= names.size()) return dtypes;
  std::string_view rest = values_of(op.types, names[variable]);
  while (!rest.empty()) {
    const std::size_t comma = rest.find(',');
    if (const auto dtype = parse_dtype(rest.substr(0, comma))) dtypes.push_back(*dtype);
    rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
  }
  return dtypes;
}

bool types_allow(std::string_view types, Dtype dtype) { return types_allow(types, {}, dtype); }

bool types_allow(std::string_view types, std::string_view variable, Dtype dtype) {
  std::string_view rest = values_of(types, variable);
  if (rest.empty()) return true;
  while (!rest.empty()) {
    const std::size_t comma = rest.find(',');
    if (rest.substr(0, comma) == dtype_name(dtype)) return true;
    rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
  }
  return false;
}

}  // namespace rayo::conform
