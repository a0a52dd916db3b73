// SPDX-License-Identifier: Apache-2.0
//
// From a catalogue entry and the shape table to work items.
#include "catalogue_work.hpp"

#include <algorithm>
#include <cstring>
#include <map>
#include <sstream>

#include <fmt/core.h>

#include "shapes.hpp"
#include "tools/command.hpp"
#include "tools/dtypes.hpp"
#include "tools/schema.hpp"

namespace rayo::bench {
namespace {

using nlohmann::json;
using Binding = std::map<std::string, std::string>;  // type variable -> dtype

bool contains(const std::vector<std::string> &list, const std::string &text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

// The values of the first variable that are timed; the others take their last value (an unsigned activation times a
// signed weight, where the op has both).
std::vector<std::string> first_values(const std::vector<std::string> &legal, const std::vector<std::string> &asked) {
  const std::vector<std::string> usual = {"f32", "f64"};
  std::vector<std::string> values;
  for (const std::string &name : legal) {
    if (contains(asked.empty() ? usual : asked, name)) values.push_back(name);
  }
  if (values.empty() && asked.empty() && !legal.empty()) values.push_back(legal.front());
  return values;
}

std::vector<Binding> bindings(const rayo_op_info &op, const std::vector<tools::OperandText> &inputs,
                              const std::vector<std::string> &asked) {
  std::vector<Binding> all;
  std::vector<tools::TypeVariable> variables;
  for (const tools::TypeVariable &variable : tools::parse_types(op.types)) {
    const bool bound = std::any_of(inputs.begin(), inputs.end(),
                                   [&](const tools::OperandText &operand) { return operand.type == variable.name; });
    if (bound) variables.push_back(variable);
  }
  if (variables.empty()) return {Binding{}};
  for (const std::string &value : first_values(variables.front().dtypes, asked)) {
    Binding binding;
    for (const tools::TypeVariable &variable : variables) binding[variable.name] = variable.dtypes.back();
    binding[variables.front().name] = value;
    all.push_back(binding);
  }
  return all;
}

std::string dtype_text(const Binding &binding, const std::vector<tools::OperandText> &inputs) {
  std::string text;
  std::vector<std::string> seen;
  for (const tools::OperandText &operand : inputs) {
    const auto found = binding.find(operand.type);
    if (found == binding.end() || contains(seen, operand.type)) continue;
    seen.push_back(operand.type);
    text += fmt::format("{}{}", text.empty() ? "" : ",", found->second);
  }
  return text;
}

std::vector<std::string> split_bars(const std::string &text) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, '|');) parts.push_back(part);
  return parts;
}

// The case's own attributes with each value of text attributes, where the family says so. An attribute whose first
// value is empty repeats what an operand tells; a conversion to the type that is there already is a copy: neither is
// varied.
std::vector<json> attribute_sets(const rayo_op_info &op, const FamilyTable &family, const ShapeCase &shape_case,
                                 const std::string &dtype) {
  std::vector<json> sets = {shape_case.attributes};
  if (!family.vary_text) return sets;
  for (uint32_t i = 0; i < op.attr_count; ++i) {
    const rayo_attr_def &definition = *op.attrs[i];
    if (definition.kind != RAYO_ATTR_STRING || definition.legal == nullptr) continue;
    const std::vector<std::string> values = split_bars(definition.legal);
    if (values.empty() || values.front().empty()) continue;
    std::vector<json> more;
    for (const std::string &value : values) {
      if (value == dtype) continue;
      for (json set : sets) {
        set[definition.name] = value;
        more.push_back(std::move(set));
      }
    }
    sets = std::move(more);
  }
  return sets;
}

OperandSpec operand_of(const tools::OperandText &text, const Binding &binding, std::vector<int64_t> shape,
                       Values values) {
  OperandSpec operand;
  const auto bound = binding.find(text.type);
  operand.dtype = tools::dtype_from_name(bound == binding.end() ? text.type : bound->second).value();
  operand.shape = std::move(shape);
  // A u8 that no type variable names is a truth value.
  operand.values = bound == binding.end() && text.type == "u8" ? Values::flag : values;
  return operand;
}

ShapeCase given_case(const rayo_op_info &op, const std::vector<std::vector<int64_t>> &shapes, std::size_t required,
                     std::size_t total) {
  if (shapes.size() < required || shapes.size() > total) {
    throw tools::usage_error(fmt::format(
        "--shapes: {} shapes for {}; it takes {} inputs: {}", shapes.size(), op.name,
        required == total ? fmt::format("{}", total) : fmt::format("{} to {}", required, total), op.inputs));
  }
  ShapeCase shape_case;
  shape_case.shapes = shapes;
  return shape_case;
}

}  // namespace

std::string WorkItem::shape_text() const {
  std::string text;
  for (const OperandSpec &input : inputs) {
    if (!text.empty()) text += ',';
    if (input.shape.empty()) text += "scalar";
    for (std::size_t i = 0; i < input.shape.size(); ++i) text += fmt::format("{}{}", i == 0 ? "" : "x", input.shape[i]);
  }
  return text;
}

std::string WorkItem::attribute_text() const {
  std::string text;
  for (const auto &[name, value] : attributes.items()) {
    std::string value_text = value.is_string() ? value.get<std::string>() : value.dump();
    value_text.erase(std::remove_if(value_text.begin(), value_text.end(), [](char c) { return c == '[' || c == ']'; }),
                     value_text.end());
    text += fmt::format("{}{}={}", text.empty() ? "" : " ", name, value_text);
  }
  return text;
}

std::vector<WorkItem> work_of(const rayo_op_info &op, const Selection &selection) {
  std::vector<WorkItem> items;
  const FamilyTable *const family = find_family(op.family);
  if (family == nullptr) return items;
  const std::vector<tools::OperandText> inputs = tools::parse_operands(op.inputs);
  OpView view;
  view.total = inputs.size();
  view.required = static_cast<std::size_t>(
      std::count_if(inputs.begin(), inputs.end(), [](const tools::OperandText &input) { return !input.optional; }));
  view.has_attribute = [&op](const char *name) {
    return std::any_of(op.attrs, op.attrs + op.attr_count,
                       [name](const rayo_attr_def *attr) { return std::strcmp(attr->name, name) == 0; });
  };
  std::vector<ShapeCase> cases;
  for (const auto &shapes : selection.shapes) cases.push_back(given_case(op, shapes, view.required, view.total));
  if (cases.empty()) cases = family->cases(view, selection.depth);
  for (const Binding &binding : bindings(op, inputs, selection.dtypes)) {
    for (ShapeCase &shape_case : cases) {
      count_arithmetic(op.family, shape_case);
      WorkItem item;
      item.op = op.name;
      item.family = op.family;
      item.dtype = dtype_text(binding, inputs);
      item.operations = shape_case.operations;
      item.chain = shape_case.chain;
      item.bounded = family->bounded;
      for (std::size_t i = 0; i < shape_case.shapes.size(); ++i) {
        item.inputs.push_back(
            operand_of(inputs[i], binding, shape_case.shapes[i], i == 0 ? Values::usual : family->second_values));
      }
      for (json &set : attribute_sets(op, *family, shape_case, item.dtype)) {
        item.attributes = std::move(set);
        items.push_back(item);
      }
    }
  }
  return items;
}

}  // namespace rayo::bench
