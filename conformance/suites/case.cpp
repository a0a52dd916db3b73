// SPDX-License-Identifier: Apache-2.0
#include "suites/case.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <limits>

#include "suites/catalogue.hpp"
#include "suites/probes.hpp"

namespace rayo::conform {
namespace {

constexpr std::uint32_t kMaxOffset = 4096;

std::string format_extents(const Shape &shape) {
  if (shape.empty()) return "scalar";
  return fmt::format("{}", fmt::join(shape, "x"));
}

Shape parse_extents(std::string_view text, bool shape) {
  if (text == "scalar") return {};
  if (shape && text == "none") return kNoOperand;
  Shape extents;
  for (const std::string &part : split(text, 'x')) {
    const std::int64_t v = parse_integer(part, shape ? "shape" : "strides");
    if (shape && v < 0) throw CaseError(fmt::format("shape '{}': extents are 0 or more", text));
    extents.push_back(v);
  }
  return extents;
}

std::uint32_t parse_count(std::string_view text, std::string_view what, std::int64_t low, std::int64_t high) {
  const std::int64_t v = parse_integer(text, what);
  if (v < low || v > high) throw CaseError(fmt::format("{} '{}': legal are {} to {}", what, text, low, high));
  return static_cast<std::uint32_t>(v);
}

void parse_condition(Case &c, const std::string &key, const std::string &value) {
  if (key == "inplace") {
    c.in_place = static_cast<int>(parse_count(value, "@inplace", 0, RAYO_MAX_OPERANDS - 1));
  } else if (key == "alias" && value == "partial") {
    c.partial_alias = true;
  } else if (key == "guard" && (value == "back" || value == "front")) {
    c.guard = value == "back" ? Guard::back : Guard::front;
  } else if (key == "threads") {
    c.threads = parse_count(value, "@threads", 1, 4096);
  } else if (key == "repeat") {
    c.repeat = parse_count(value, "@repeat", 1, 1000000);
  } else if (key == "row") {
    c.row = parse_count(value, "@row", 0, INT32_MAX);
  } else if (key == "load") {
    c.load = parse_count(value, "@load", 1, 256);
  } else if (key == "fork" && value == "1") {
    c.forked = true;
  } else if (key == "law" && !value.empty()) {
    c.law = value;
  } else {
    throw CaseError(
        fmt::format("condition '@{}={}': legal are @inplace=I, @alias=partial, @guard=back|front, @threads=N, "
                    "@repeat=N, @row=I, @load=N, @fork=1, @law=NAME",
                    key, value));
  }
}

Case parse_probe(const std::vector<std::string> &fields) {
  if (fields.size() == 2 && find_probe(fields[0], fields[1]) != nullptr) {
    Case c;
    c.op = fields[0];
    c.probe = fields[1];
    return c;
  }
  std::vector<std::string_view> names;
  for (const ProbeInfo &probe : probes()) {
    if (probe.suite == fields[0]) names.push_back(probe.name);
  }
  throw CaseError(
      fmt::format("case '{}': expected {} and one of {}", fmt::join(fields, " "), fields[0], fmt::join(names, ", ")));
}

const std::string *given(const Case &c, std::string_view name) {
  for (const auto &[key, value] : c.attrs) {
    if (key == name) return &value;
  }
  return nullptr;
}

std::string text_of(const Case &c, const OpInfo &op, std::string_view name) {
  if (const std::string *value = given(c, name)) return *value;
  for (const AttrInfo &attr : op.attrs) {
    if (attr.name == name) return attr.default_text;
  }
  throw CaseError(fmt::format("op '{}' has no attribute '{}'", op.name, name));
}

}  // namespace

const std::string &Case::distribution(std::size_t input) const {
  return input < distributions.size() ? distributions[input] : distributions.back();
}

std::optional<Shape> Case::operand_strides(std::size_t operand) const {
  return operand < strides.size() ? strides[operand] : std::nullopt;
}

std::uint32_t Case::operand_offset(std::size_t operand) const {
  return operand < offsets.size() ? offsets[operand] : 0;
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (;;) {
    const std::size_t at = text.find(separator);
    parts.emplace_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

std::int64_t parse_integer(std::string_view text, std::string_view what) {
  std::int64_t v = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), v);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) {
    throw CaseError(fmt::format("{} '{}': expected an integer", what, text));
  }
  return v;
}

double parse_real(std::string_view text, std::string_view what) {
  double v = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), v);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) {
    throw CaseError(fmt::format("{} '{}': expected a number", what, text));
  }
  return v;
}

std::string format_case(const Case &c) {
  if (!c.probe.empty()) return fmt::format("{} {}", c.op, c.probe);
  std::vector<std::string> shapes;
  for (const Shape &shape : c.shapes) shapes.push_back(is_absent(shape) ? "none" : format_extents(shape));
  std::vector<std::string> strides;
  for (const auto &s : c.strides) strides.push_back(s && !s->empty() ? format_extents(*s) : "-");
  if (strides.empty()) strides.emplace_back("-");
  std::string dtypes(dtype_name(c.dtype));
  for (const Dtype dtype : c.more_dtypes) dtypes += fmt::format(",{}", dtype_name(dtype));
  std::string line = fmt::format("{} {} {} {} {} {} {}", c.op, dtypes, fmt::join(shapes, ","), fmt::join(strides, ","),
                                 c.offsets.empty() ? "0" : fmt::format("{}", fmt::join(c.offsets, ",")),
                                 fmt::join(c.distributions, ","), c.seed);
  for (const auto &[key, value] : c.attrs) line += fmt::format(" {}={}", key, value);
  if (c.in_place >= 0) line += fmt::format(" @inplace={}", c.in_place);
  if (c.partial_alias) line += " @alias=partial";
  if (c.guard == Guard::front) line += " @guard=front";
  if (c.threads != 0) line += fmt::format(" @threads={}", c.threads);
  if (c.repeat != 1) line += fmt::format(" @repeat={}", c.repeat);
  if (c.row >= 0) line += fmt::format(" @row={}", c.row);
  if (c.load != 0) line += fmt::format(" @load={}", c.load);
  if (c.forked) line += " @fork=1";
  if (!c.law.empty()) line += fmt::format(" @law={}", c.law);
  return line;
}

Case parse_case(std::string_view line) {
  std::vector<std::string> fields;
  for (std::string &field : split(line, ' ')) {
    if (!field.empty()) fields.push_back(std::move(field));
  }
  if (!fields.empty() && is_probe_suite(fields[0])) return parse_probe(fields);
  if (fields.size() < 7) {
    throw CaseError(fmt::format(
        "case '{}' has {} fields; expected: op dtype shape strides offset distribution seed [attr=value] [@condition]",
        line, fields.size()));
  }
  Case c;
  c.op = fields[0];
  for (const std::string &name : split(fields[1], ',')) {
    const auto dtype = parse_dtype(name);
    if (!dtype) throw CaseError(fmt::format("dtype '{}': legal are f32 f64 f16 bf16 i8 u8 i32 i64", name));
    c.more_dtypes.push_back(*dtype);
  }
  c.dtype = c.more_dtypes.front();
  c.more_dtypes.erase(c.more_dtypes.begin());
  for (const std::string &text : split(fields[2], ',')) c.shapes.push_back(parse_extents(text, true));
  if (fields[3] != "-") {
    for (const std::string &text : split(fields[3], ',')) {
      c.strides.push_back(text == "-" ? std::nullopt : std::optional<Shape>(parse_extents(text, false)));
    }
  }
  if (fields[4] != "0") {
    for (const std::string &text : split(fields[4], ','))
      c.offsets.push_back(parse_count(text, "offset", 0, kMaxOffset));
  }
  c.distributions = split(fields[5], ',');
  std::uint64_t seed = 0;
  const char *end = fields[6].data() + fields[6].size();
  if (std::from_chars(fields[6].data(), end, seed).ptr != end) {
    throw CaseError(fmt::format("seed '{}': expected an integer from 0 to 2^64-1", fields[6]));
  }
  c.seed = seed;
  for (std::size_t i = 7; i < fields.size(); ++i) {
    const std::size_t equal = fields[i].find('=');
    if (equal == std::string::npos) {
      throw CaseError(fmt::format("field '{}': expected attribute=value or @condition=value", fields[i]));
    }
    const std::string key = fields[i].substr(0, equal);
    const std::string value = fields[i].substr(equal + 1);
    if (key.starts_with('@')) {
      parse_condition(c, key.substr(1), value);
    } else {
      c.attrs.emplace_back(key, value);
    }
  }
  return c;
}

Dtype input_dtype(const Case &c, const OpInfo &op, std::size_t input) {
  const std::string &type = op.inputs[input].type;
  if (const auto fixed = parse_dtype(type)) return *fixed;
  const std::vector<std::string> names = bound_variables(op);
  const auto at = static_cast<std::size_t>(std::find(names.begin(), names.end(), type) - names.begin());
  return at == 0 || at > c.more_dtypes.size() ? c.dtype : c.more_dtypes[at - 1];
}

std::int64_t attr_int(const Case &c, const OpInfo &op, std::string_view name) {
  return parse_integer(text_of(c, op, name), name);
}

double attr_real(const Case &c, const OpInfo &op, std::string_view name) {
  return parse_real(text_of(c, op, name), name);
}

std::string attr_text(const Case &c, const OpInfo &op, std::string_view name) { return text_of(c, op, name); }

std::vector<std::int64_t> attr_list(const Case &c, const OpInfo &op, std::string_view name) {
  const std::string text = text_of(c, op, name);
  std::vector<std::int64_t> list;
  if (text.empty()) return list;
  for (const std::string &part : split(text, ',')) list.push_back(parse_integer(part, name));
  return list;
}

}  // namespace rayo::conform
