// SPDX-License-Identifier: Apache-2.0
#include "dispatch/call_line.hpp"

#include <algorithm>
#include <bit>

#include "base/env.hpp"
#include "base/error.hpp"
#include "base/json_value.hpp"

namespace rayo {
namespace {

using Array = JsonValue::Array;
using Object = JsonValue::Object;

constexpr size_t kDeepest = 5;
constexpr size_t kMostAttributes = 64;
constexpr size_t kMostValues = 4096;

JsonValue operand_value(const rayo_tensor_desc &operand) {
  if (operand.dtype.bits == 0) return {};
  return Array{dtype_name(operand.dtype), Array(operand.shape, operand.shape + operand.ndim),
               Array(operand.strides, operand.strides + operand.ndim)};
}

JsonValue operand_list(const rayo_tensor_desc *const *operands, uint32_t count) {
  Array list;
  for (uint32_t i = 0; i < count; ++i) list.push_back(operand_value(*operands[i]));
  return list;
}

// Doubles travel as their bits: an infinity is a value too.
JsonValue attribute_value(const rayo_attr &attr) {
  if (attr.kind == RAYO_ATTR_STRING) {
    return Array{attr.name, "text", std::string(static_cast<const char *>(attr.data), attr.count)};
  }
  Array values;
  for (uint32_t i = 0; i < attr.count; ++i) {
    if (attr.kind == RAYO_ATTR_INT) {
      values.emplace_back(static_cast<const int64_t *>(attr.data)[i]);
    } else {
      values.emplace_back(std::bit_cast<uint64_t>(static_cast<const double *>(attr.data)[i]));
    }
  }
  return Array{attr.name, attr.kind == RAYO_ATTR_INT ? "ints" : "floats", std::move(values)};
}

OperandDesc read_operand(const JsonValue &value) {
  OperandDesc operand;
  if (value.is_null()) return operand;
  if (!parse_dtype(value.item(0).text(), &operand.dtype)) throw JsonError("names no type");
  const Array &shape = value.item(1).items();
  const Array &strides = value.item(2).items();
  if (shape.size() > RAYO_MAX_NDIM || shape.size() != strides.size()) throw JsonError("has no legal rank");
  operand.ndim = static_cast<int32_t>(shape.size());
  for (size_t i = 0; i < shape.size(); ++i) {
    operand.shape[i] = shape[i].integer();
    operand.strides[i] = strides[i].integer();
  }
  check_extents("an operand of a call line", operand);
  return operand;
}

std::vector<OperandDesc> read_operands(const JsonValue &list) {
  if (list.items().size() > RAYO_MAX_OPERANDS) throw JsonError("has too many operands");
  std::vector<OperandDesc> operands;
  for (const JsonValue &value : list.items()) operands.push_back(read_operand(value));
  return operands;
}

uint32_t small(const JsonValue &value, uint32_t least, uint32_t most) {
  const uint64_t number = value.count();
  if (number < least || number > most) throw JsonError("is out of range");
  return static_cast<uint32_t>(number);
}

}  // namespace

std::string call_line(std::string_view kernel, const rayo_op_desc &desc) {
  const char *op = op_name(desc.op);
  Array attributes;
  for (uint32_t i = 0; i < desc.attr_count; ++i) attributes.push_back(attribute_value(desc.attrs[i]));
  const JsonValue line = Object{{"kernel", std::string(kernel)},
                                {"op", op == nullptr ? "" : op},
                                {"schema", desc.schema_version},
                                {"in", operand_list(desc.inputs, desc.input_count)},
                                {"out", operand_list(desc.outputs, desc.output_count)},
                                {"attrs", std::move(attributes)},
                                {"threads", desc.max_threads},
                                {"numerics", desc.numerics}};
  return line.dump();
}

LineCall::LineCall(std::string_view line) {
  try {
    const JsonValue document = JsonValue::parse(line, kDeepest);
    kernel_ = document.at("kernel").text();
    const std::string &op = document.at("op").text();
    desc_.struct_size = sizeof desc_;
    desc_.struct_type = RAYO_TYPE_OP_DESC;
    desc_.op = find_op(op);
    if (desc_.op == RAYO_OP_NONE) fail(RAYO_NOT_FOUND, "a call line names the op {}, which is not known", quote(op));
    desc_.schema_version = small(document.at("schema"), 0, UINT32_MAX);
    constexpr uint32_t kMostThreads = 1024;
    desc_.max_threads = small(document.at("threads"), 1, kMostThreads);
    desc_.numerics = small(document.at("numerics"), RAYO_NUMERICS_REPRODUCIBLE, RAYO_NUMERICS_RELAXED);
    inputs_.fill(read_operands(document.at("in")), {kDLCPU, 0}, 0, nullptr);
    outputs_.fill(read_operands(document.at("out")), {kDLCPU, 0}, 0, nullptr);
    const Array &attributes = document.at("attrs").items();
    if (attributes.size() > kMostAttributes) throw JsonError("has too many attributes");
    names_.reserve(attributes.size());  // attributes point to their names
    for (const JsonValue &attribute : attributes) {
      names_.push_back(attribute.item(0).text());
      const char *name = names_.back().c_str();
      const std::string &kind = attribute.item(1).text();
      const JsonValue &value = attribute.item(2);
      if (kind == "text") {
        attributes_.add_string(name, value.text());
        continue;
      }
      if (kind != "ints" && kind != "floats") throw JsonError("names no kind of values");
      if (value.items().size() > kMostValues) throw JsonError("has too many values");
      std::vector<int64_t> ints;
      std::vector<double> floats;
      for (const JsonValue &each : value.items()) {
        if (kind == "ints") {
          ints.push_back(each.integer());
        } else {
          floats.push_back(std::bit_cast<double>(each.count()));
        }
      }
      if (kind == "ints") {
        attributes_.add_ints(name, std::move(ints));
      } else {
        attributes_.add_floats(name, std::move(floats));
      }
    }
  } catch (const JsonError &error) {
    fail(RAYO_INVALID_ARGUMENT, "a call line cannot be read: something {}", error.what());
  }
  desc_.inputs = inputs_.pointers();
  desc_.input_count = inputs_.size();
  desc_.outputs = outputs_.pointers();
  desc_.output_count = outputs_.size();
  desc_.attr_count = static_cast<uint32_t>(attributes_.view().size());
  desc_.attrs = attributes_.view().data();
}

std::string LineCall::text() const {
  std::string out = op_name(desc_.op);
  const char *between = " on ";
  for (const OperandDesc &operand : inputs()) {
    out += between;
    out += operand.absent() ? std::string("none") : dtype_name(operand.dtype) + shape_text(operand);
    between = " and ";
  }
  return out;
}

}  // namespace rayo
