// SPDX-License-Identifier: Apache-2.0
//
// Op names and schemas. Names are interned once per process; the catalogue's schemas are process-wide and immutable,
// a vendor's schemas belong to the registry that loaded the plugin.
#pragma once

#include <rayo/plugin.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace rayo {

// Process-wide id of a name; thread-safe; ids are dense from 1. find_op never adds.
rayo_op intern_op(std::string_view name);
rayo_op find_op(std::string_view name) noexcept;
const char *op_name(rayo_op op) noexcept;  // nullptr for an unknown id; valid for ever

// How an op's output shapes follow from its inputs; `vendor` calls the schema's infer_shape.
enum class ShapeRule : uint8_t {
  vendor,
  broadcast,
  same,
  reduce,
  arg_reduce,
  dot,
  matmul,
  matmul_integer,
  gemm,
  transpose,
  quantize,
  norm,
  eigh
};

// One operand of a schema, parsed from "A:T".
struct OperandSpec {
  std::string name;
  std::string type;  // a type variable ("T") or a dtype ("i64")
  bool optional = false;
};

using TypeBindings = std::map<std::string, std::vector<DLDataType>, std::less<>>;  // variable -> legal dtypes

// "f32", "bf16", "u8" for a dtype, and back; dtype_name of an unknown type is e.g. "code 5 bits 64 lanes 2".
std::string dtype_name(DLDataType dtype);
bool parse_dtype(std::string_view name, DLDataType *out) noexcept;
inline bool same_dtype(DLDataType a, DLDataType b) noexcept {
  return a.code == b.code && a.bits == b.bits && a.lanes == b.lanes;
}
// Whole bytes, one lane: what an operand may be of.
inline bool taken_dtype(DLDataType dtype) noexcept {
  return dtype.lanes == 1 && dtype.bits != 0 && dtype.bits % 8 == 0;
}
// "T=f32,f64 Q=i8,u8". Throws Error on bad grammar.
TypeBindings parse_bindings(std::string_view text);
// "A:T B:T [C:T]". Throws Error on bad grammar.
std::vector<OperandSpec> parse_operands(std::string_view text);

// A schema with its parsed parts. `raw` and all it points to live as long as the Schema.
struct Schema {
  const rayo_op_schema *raw = nullptr;
  rayo_op op = RAYO_OP_NONE;
  ShapeRule rule = ShapeRule::vendor;
  std::vector<OperandSpec> inputs;
  std::vector<OperandSpec> outputs;
  uint32_t required_inputs = 0;
  TypeBindings types;
  std::string origin;  // "rayo" or the plugin's name
};

// The catalogue (plugin-api/ops/catalogue.def), built on first use, in catalogue order.
const std::vector<std::unique_ptr<Schema>> &catalogue();

// Checks and parses a vendor's schema. Throws Error naming what is wrong.
std::unique_ptr<Schema> parse_schema(const rayo_op_schema *raw, std::string_view origin);

}  // namespace rayo
