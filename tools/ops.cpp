// SPDX-License-Identifier: Apache-2.0
//
// `rayo ops`: the ops of the catalogue and of plugins, their attributes, and which kernels implement them.
#include <algorithm>
#include <string>
#include <vector>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "attributes.hpp"
#include "command.hpp"
#include "options.hpp"
#include "schema.hpp"
#include "session.hpp"
#include "suggest.hpp"
#include "table.hpp"

namespace rayo::tools {
namespace {

using nlohmann::json;

constexpr const char *kHelp =
    "Lists the operations, or explains those that are named: formula, operands,\n"
    "attributes with their defaults, and kernels. Operands are written NAME:TYPE,\n"
    "optional ones in brackets; T is any one of the types listed for it.\n"
    "\n"
    "Examples:\n"
    "  rayo ops\n"
    "  rayo ops softmax gemm\n"
    "  rayo ops --json\n";

const char *kind_name(uint32_t kind) {
  return kind == RAYO_ATTR_INT ? "int" : kind == RAYO_ATTR_FLOAT ? "float" : "string";
}

json operands_json(const char *text) {
  json list = json::array();
  for (const OperandText &operand : parse_operands(text)) {
    list.push_back({{"name", operand.name}, {"type", operand.type}, {"optional", operand.optional}});
  }
  return list;
}

json attributes_json(const rayo_op_info &op) {
  json list = json::array();
  for (uint32_t i = 0; i < op.attr_count; ++i) {
    const rayo_attr_def &definition = *op.attrs[i];
    list.push_back({{"name", definition.name},
                    {"kind", kind_name(definition.kind)},
                    {"list", (definition.flags & RAYO_ATTR_LIST) != 0},
                    {"required", (definition.flags & RAYO_ATTR_REQUIRED) != 0},
                    {"default", attribute_default(definition)},
                    {"legal", definition.legal == nullptr ? "" : definition.legal},
                    {"doc", definition.doc == nullptr ? "" : definition.doc}});
  }
  return list;
}

json op_json(const rayo_op_info &op, const std::vector<rayo_kernel_info> &kernels) {
  json types = json::object();
  for (const TypeVariable &variable : parse_types(op.types)) types[variable.name] = variable.dtypes;
  json list = json::array();
  for (const rayo_kernel_info &kernel : kernels) {
    if (kernel.op != op.op) continue;
    list.push_back({{"plugin", kernel.plugin},
                    {"kernel", kernel.name},
                    {"dtypes", all_dtypes(kernel.types)},
                    {"types", kernel.types},
                    {"numerics", numerics_name(kernel.numerics)}});
  }
  return {{"name", op.name},
          {"version", op.version},
          {"family", op.family},
          {"origin", op.origin},
          {"doc", op.doc},
          {"numerics", numerics_name(op.numerics)},
          {"inputs", operands_json(op.inputs)},
          {"outputs", operands_json(op.outputs)},
          {"types", types},
          {"attributes", attributes_json(op)},
          {"kernels", list}};
}

// "scalar avx2": plugins with a kernel for the op, each once.
std::string plugins_of(const rayo_op_info &op, const std::vector<rayo_kernel_info> &kernels) {
  std::vector<std::string> names;
  std::string text;
  for (const rayo_kernel_info &kernel : kernels) {
    if (kernel.op != op.op || std::find(names.begin(), names.end(), kernel.plugin) != names.end()) continue;
    names.emplace_back(kernel.plugin);
    text += (text.empty() ? "" : " ") + names.back();
  }
  return text.empty() ? "-" : text;
}

void print_list(const std::vector<rayo_op_info> &ops, const std::vector<rayo_kernel_info> &kernels) {
  Table table({"OP", "ATTRS", "PLUGINS", "OPERANDS"});
  for (const rayo_op_info &op : ops) {
    const std::string attributes = op.attr_count == 0 ? "-" : fmt::format("{}", op.attr_count);
    table.add_row({op.name, attributes, plugins_of(op, kernels), fmt::format("{} -> {}", op.inputs, op.outputs)});
  }
  fmt::print("{}\n'rayo ops NAME' explains one.\n", table.text());
}

void print_details(const rayo_op_info &op, const std::vector<rayo_kernel_info> &kernels) {
  fmt::print("{} (version {}, {}, {})\n", op.name, op.version, op.family, op.origin);
  fmt::print("  {}\n", wrap(op.doc, 76, 2));
  fmt::print("  operands    {} -> {}\n", op.inputs, op.outputs);
  if (op.types[0] != '\0') fmt::print("  types       {}\n", op.types);
  for (uint32_t i = 0; i < op.attr_count; ++i) {
    const rayo_attr_def &definition = *op.attrs[i];
    const std::string doc = definition.doc == nullptr ? "" : definition.doc;
    fmt::print("  attribute   {}\n", attribute_text(definition));
    if (!doc.empty()) fmt::print("              {}\n", wrap(doc, 64, 14));
  }
  for (const rayo_kernel_info &kernel : kernels) {
    if (kernel.op != op.op) continue;
    fmt::print("  kernel      {}: {}, {}, {}\n", kernel.plugin, kernel.name, kernel.types,
               numerics_name(kernel.numerics));
  }
}

}  // namespace

int ops_command(Arguments arguments) {
  SessionOptions options;
  std::vector<std::string> names;
  CommandLine line("ops", "rayo ops [OP]... [--json] [--plugin FILE]...", kHelp);
  line.add_session_options(options, false);
  line.add()("json", "print JSON");
  line.add_positional("op", names);
  if (!line.parse(arguments)) return kExitOk;
  const Session session(options);
  std::vector<rayo_op_info> ops;
  for (const std::string &name : names) ops.push_back(session.find_op(name));
  if (names.empty()) ops = session.ops();
  const std::vector<rayo_kernel_info> kernels = session.kernels();
  if (line.given("json")) {
    json list = json::array();
    for (const rayo_op_info &op : ops) list.push_back(op_json(op, kernels));
    print_json({{"ops", list}});
  } else if (names.empty()) {
    print_list(ops, kernels);
  } else {
    for (std::size_t i = 0; i < ops.size(); ++i) {
      if (i > 0) fmt::print("\n");
      print_details(ops[i], kernels);
    }
  }
  return kExitOk;
}

}  // namespace rayo::tools
