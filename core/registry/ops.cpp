// SPDX-License-Identifier: Apache-2.0
//
// Op schemas: the catalogue's, built from plugin-api/ops/catalogue.def, and the checks that a vendor's must pass.
#include "registry/ops.hpp"

#include <algorithm>
#include <cstring>
#include <deque>
#include <set>

#include "base/env.hpp"
#include "base/error.hpp"

namespace rayo {
namespace {

// catalogue.def as a flat list: an op's row, then the rows of its attributes.
struct Row {
  bool is_op = false;
  const char *name = "";
  const char *doc = "";
  // of an op
  uint32_t version = 0;
  const char *family = "";
  ShapeRule rule = ShapeRule::vendor;
  uint32_t numerics = 0;
  const char *inputs = "";
  const char *outputs = "";
  const char *types = "";
  uint32_t in_place = 0;
  // of an attribute
  uint32_t kind = 0;
  uint32_t flags = 0;
  int64_t int_default = 0;
  double float_default = 0;
  const char *string_default = "";
  const char *legal = nullptr;
};

constexpr const char *or_null(const char *text) { return *text == '\0' ? nullptr : text; }

constexpr uint32_t k_reproducible = RAYO_NUMERICS_REPRODUCIBLE;
constexpr uint32_t k_strict = RAYO_NUMERICS_STRICT;

constexpr Row op_row(const char *name, uint32_t version, const char *family, ShapeRule rule, uint32_t numerics,
                     const char *inputs, const char *outputs, const char *types, uint32_t in_place, const char *doc) {
  return Row{.is_op = true,
             .name = name,
             .doc = doc,
             .version = version,
             .family = family,
             .rule = rule,
             .numerics = numerics,
             .inputs = inputs,
             .outputs = outputs,
             .types = types,
             .in_place = in_place};
}
constexpr Row int_row(const char *name, int64_t value, const char *legal, const char *doc, uint32_t flags) {
  return Row{
      .name = name, .doc = doc, .kind = RAYO_ATTR_INT, .flags = flags, .int_default = value, .legal = or_null(legal)};
}
constexpr Row float_row(const char *name, double value, const char *legal, const char *doc) {
  return Row{.name = name, .doc = doc, .kind = RAYO_ATTR_FLOAT, .float_default = value, .legal = or_null(legal)};
}
constexpr Row string_row(const char *name, const char *value, const char *legal, const char *doc) {
  return Row{.name = name, .doc = doc, .kind = RAYO_ATTR_STRING, .string_default = value, .legal = or_null(legal)};
}

#define OP(name, version, family, rule, numerics, inputs, outputs, types, in_place, doc) \
  op_row(#name, version, family, ShapeRule::rule, k_##numerics, inputs, outputs, types, in_place, doc),
#define ATTR_INT(name, value, legal, doc) int_row(#name, value, legal, doc, 0),
#define ATTR_FLOAT(name, value, legal, doc) float_row(#name, value, legal, doc),
#define ATTR_STRING(name, value, legal, doc) string_row(#name, value, legal, doc),
#define ATTR_AXIS(name, value, doc) int_row(#name, value, "", doc, RAYO_ATTR_AXES),
#define ATTR_AXES(name, doc) int_row(#name, 0, "", doc, RAYO_ATTR_AXES | RAYO_ATTR_LIST),
#define ATTR_INTS(name, doc) int_row(#name, 0, "", doc, RAYO_ATTR_LIST),
constexpr Row kRows[] = {
#include <ops/catalogue.def>
};
#undef OP
#undef ATTR_INT
#undef ATTR_FLOAT
#undef ATTR_STRING
#undef ATTR_AXIS
#undef ATTR_AXES
#undef ATTR_INTS

// Storage of the catalogue's C structs; grows only while it is built, so addresses hold.
struct Catalogue {
  std::deque<rayo_attr_def> attrs;
  std::deque<std::vector<const rayo_attr_def *>> attr_lists;
  std::deque<rayo_op_schema> raw;
  std::vector<std::unique_ptr<Schema>> schemas;
};

rayo_attr_def attr_of(const Row &row) {
  rayo_attr_def attr{};
  attr.struct_size = sizeof attr;
  attr.struct_type = RAYO_TYPE_ATTR_DEF;
  attr.name = row.name;
  attr.kind = row.kind;
  attr.flags = row.flags;
  attr.legal = row.legal;
  attr.doc = row.doc;
  if ((row.flags & RAYO_ATTR_LIST) != 0) return attr;  // default: empty
  if (row.kind == RAYO_ATTR_INT) attr.default_data = &row.int_default;
  if (row.kind == RAYO_ATTR_FLOAT) attr.default_data = &row.float_default;
  if (row.kind == RAYO_ATTR_STRING) attr.default_data = row.string_default;
  attr.default_count =
      row.kind == RAYO_ATTR_STRING ? static_cast<uint32_t>(std::strlen(row.string_default)) : uint32_t{1};
  return attr;
}

rayo_op_schema raw_of(const Row &row) {
  rayo_op_schema raw{};
  raw.struct_size = sizeof raw;
  raw.struct_type = RAYO_TYPE_OP_SCHEMA;
  raw.name = row.name;
  raw.version = row.version;
  raw.family = row.family;
  raw.inputs = row.inputs;
  raw.outputs = row.outputs;
  raw.types = row.types;
  raw.in_place = row.in_place;
  raw.numerics = row.numerics;
  raw.doc = row.doc;
  return raw;
}

// Fills the parsed parts of `schema` from schema->raw and checks that they fit together.
void parse_parts(Schema *schema) {
  const rayo_op_schema &raw = *schema->raw;
  schema->inputs = parse_operands(raw.inputs);
  schema->outputs = parse_operands(raw.outputs);
  schema->types = parse_bindings(raw.types);
  if (schema->outputs.empty()) fail(RAYO_INVALID_ARGUMENT, "it has no output; an op has 1 to {}", RAYO_MAX_OPERANDS);
  for (const OperandSpec &output : schema->outputs) {
    if (output.optional) fail(RAYO_INVALID_ARGUMENT, "output {} is optional; only inputs may be", quote(output.name));
  }
  for (const auto *list : {&schema->inputs, &schema->outputs}) {
    for (const OperandSpec &operand : *list) {
      DLDataType dtype{};
      if (!parse_dtype(operand.type, &dtype) && !schema->types.contains(operand.type)) {
        fail(RAYO_INVALID_ARGUMENT, "operand {} has type {}, neither a dtype nor a variable of types {}",
             quote(operand.name), quote(operand.type), quote(raw.types));
      }
    }
  }
  if (schema->inputs.size() < 32 && (raw.in_place >> schema->inputs.size()) != 0) {
    fail(RAYO_INVALID_ARGUMENT, "in_place {:#x} names an input beyond the {} that exist", raw.in_place,
         schema->inputs.size());
  }
  schema->required_inputs = 0;
  for (size_t i = 0; i < schema->inputs.size(); ++i) {
    if (!schema->inputs[i].optional) schema->required_inputs = static_cast<uint32_t>(i + 1);
  }
}

Catalogue *build_catalogue() {
  auto built = std::make_unique<Catalogue>();
  for (const Row &row : kRows) {
    if (!row.is_op) {
      built->attrs.push_back(attr_of(row));
      built->attr_lists.back().push_back(&built->attrs.back());
      continue;
    }
    built->raw.push_back(raw_of(row));
    built->attr_lists.emplace_back();
    auto schema = std::make_unique<Schema>();
    schema->raw = &built->raw.back();
    schema->op = intern_op(row.name);
    schema->rule = row.rule;
    schema->origin = "rayo";
    parse_parts(schema.get());
    built->schemas.push_back(std::move(schema));
  }
  for (size_t i = 0; i < built->raw.size(); ++i) {
    built->raw[i].attr_count = static_cast<uint32_t>(built->attr_lists[i].size());
    built->raw[i].attrs = built->attr_lists[i].data();
  }
  return built.release();
}

bool vendor_name(std::string_view name) {
  const size_t dot = name.find('.');
  if (dot == std::string_view::npos || dot == 0 || dot + 1 == name.size() || name.size() > 64) return false;
  return std::all_of(name.begin(), name.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.'; });
}

void check_attr(const rayo_attr_def *attr, std::set<std::string_view> *seen) {
  constexpr size_t kNeeded = offsetof(rayo_attr_def, doc) + sizeof(const char *);
  if (attr == nullptr) fail(RAYO_INVALID_ARGUMENT, "an attribute is NULL");
  if (attr->struct_size < kNeeded || attr->struct_type != RAYO_TYPE_ATTR_DEF) {
    fail(RAYO_INVALID_ARGUMENT, "an attribute has struct_size {} and struct_type {}; needed: at least {} and {}",
         attr->struct_size, attr->struct_type, kNeeded, RAYO_TYPE_ATTR_DEF);
  }
  if (attr->name == nullptr || *attr->name == '\0') fail(RAYO_INVALID_ARGUMENT, "an attribute has no name");
  if (!seen->insert(attr->name).second) {
    fail(RAYO_INVALID_ARGUMENT, "attribute {} is declared twice", quote(attr->name));
  }
  if (attr->kind < RAYO_ATTR_INT || attr->kind > RAYO_ATTR_STRING) {
    fail(RAYO_INVALID_ARGUMENT, "attribute {} has kind {}; legal: 1 (int), 2 (float), 3 (string)", quote(attr->name),
         attr->kind);
  }
  if ((attr->flags & RAYO_ATTR_AXES) != 0 && attr->kind != RAYO_ATTR_INT) {
    fail(RAYO_INVALID_ARGUMENT, "attribute {} has kind {} and the flag of axes, which are int", quote(attr->name),
         attr->kind);
  }
  const bool has_default = (attr->flags & (RAYO_ATTR_REQUIRED | RAYO_ATTR_LIST)) == 0;
  if (has_default && attr->kind != RAYO_ATTR_STRING && attr->default_count != 1) {
    fail(RAYO_INVALID_ARGUMENT, "attribute {} has {} defaults; it is neither required nor a list, so it needs 1",
         quote(attr->name), attr->default_count);
  }
  if ((attr->default_count > 0 || (has_default && attr->kind == RAYO_ATTR_STRING)) && attr->default_data == nullptr) {
    fail(RAYO_INVALID_ARGUMENT, "attribute {} has default_data NULL", quote(attr->name));
  }
}

}  // namespace

const std::vector<std::unique_ptr<Schema>> &catalogue() {
  static const Catalogue *const instance = build_catalogue();
  return instance->schemas;
}

std::unique_ptr<Schema> parse_schema(const rayo_op_schema *raw, std::string_view origin) {
  constexpr size_t kNeeded = offsetof(rayo_op_schema, doc) + sizeof(const char *);
  if (raw == nullptr) fail(RAYO_INVALID_ARGUMENT, "an op schema is NULL");
  if (raw->struct_size < kNeeded || raw->struct_type != RAYO_TYPE_OP_SCHEMA) {
    fail(RAYO_INVALID_ARGUMENT, "an op schema has struct_size {} and struct_type {}; needed: at least {} and {}",
         raw->struct_size, raw->struct_type, kNeeded, RAYO_TYPE_OP_SCHEMA);
  }
  if (raw->name == nullptr || !vendor_name(raw->name)) {
    fail(RAYO_INVALID_ARGUMENT, "op schema {}: a vendor's op is called vendor.op, [a-z0-9_] and a dot, up to 64 bytes",
         raw->name == nullptr ? std::string("NULL") : quote(raw->name));
  }
  try {
    if (raw->version == 0) fail(RAYO_INVALID_ARGUMENT, "version is 0; the first one is 1");
    for (const char *text : {raw->family, raw->inputs, raw->outputs, raw->types, raw->doc}) {
      if (text == nullptr) fail(RAYO_INVALID_ARGUMENT, "family, inputs, outputs, types or doc is NULL; use \"\"");
    }
    if (raw->infer_shape == nullptr) fail(RAYO_INVALID_ARGUMENT, "infer_shape is NULL");
    if (raw->numerics < RAYO_NUMERICS_REPRODUCIBLE || raw->numerics > RAYO_NUMERICS_RELAXED) {
      fail(RAYO_INVALID_ARGUMENT, "numerics is {}; legal: 1, 2, 3", raw->numerics);
    }
    if (raw->attr_count > 64) fail(RAYO_INVALID_ARGUMENT, "{} attributes; at most 64 are legal", raw->attr_count);
    if (raw->attr_count > 0 && raw->attrs == nullptr) fail(RAYO_INVALID_ARGUMENT, "attrs is NULL");
    std::set<std::string_view> seen;
    for (uint32_t i = 0; i < raw->attr_count; ++i) check_attr(raw->attrs[i], &seen);
    auto schema = std::make_unique<Schema>();
    schema->raw = raw;
    schema->origin = origin;
    parse_parts(schema.get());
    schema->op = intern_op(raw->name);
    return schema;
  } catch (const Error &error) {
    fail(error.status(), "op schema {}: {}", quote(raw->name), error.what());
  }
}

}  // namespace rayo
