// SPDX-License-Identifier: Apache-2.0
//
// Checks of the file, of query and of the tables that query answers with.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <set>

#include "abi/elf_file.hpp"
#include "abi/host.hpp"
#include "abi/probe.hpp"
#include "suites/catalogue.hpp"

namespace rayo::conform::abi {
namespace {

void demand(bool holds, const std::string &text) {
  if (!holds) throw Defect(text);
}

void symbols(const std::string &file) {
  const std::vector<std::string> names = ElfFile(file).exported_symbols();
  demand(names == std::vector<std::string>{"rayo_plugin_query"},
         fmt::format("exports {}; expected rayo_plugin_query alone", fmt::join(names, " ")));
}

void note(const std::string &file) {
  const auto desc = ElfFile(file).note();
  demand(desc.has_value(), "the file has no note of owner Rayo");
  const Host host;
  const Library library(file);
  const rayo_plugin &plugin = library.plugin(host);
  demand(std::string_view(desc->name, ::strnlen(desc->name, sizeof desc->name)) == plugin.name,
         fmt::format("the note's name differs from the plugin's, {}", plugin.name));
  bool host_kernels = false;
  for (std::uint32_t i = 0; i < plugin.kernel_count; ++i) {
    host_kernels = host_kernels || (plugin.kernels[i]->flags & RAYO_KERNEL_DEVICE) == 0;
  }
  demand((desc->tiers & RAYO_TIER_HOST) != 0 || !host_kernels, "host kernels, but the note has not the host tier");
  demand((desc->tiers & RAYO_TIER_DEVICE) != 0 || plugin.device_api == nullptr,
         "a device API, but the note has not the device tier");
  demand((plugin.abi_version >> 16) == RAYO_ABI_MAJOR, "the plugin's ABI major differs from the note's");
  demand(desc->threads <= RAYO_THREADS_OWN && desc->fork_behaviour <= RAYO_FORK_UNSAFE,
         "the note's threads or fork behaviour is no value of the ABI");
}

void query_repeats(const std::string &file) {
  const Host first;
  const Host second;
  const Library library(file);
  const rayo_plugin *plugin = &library.plugin(first);
  for (int i = 0; i < 100; ++i) {
    demand(&library.plugin(i % 2 == 0 ? first : second) == plugin, "query answers another plugin the next time");
  }
  demand(plugin->struct_type == RAYO_TYPE_PLUGIN, "the plugin's struct_type is not RAYO_TYPE_PLUGIN");
  demand(plugin->create != nullptr && plugin->destroy != nullptr, "create or destroy is NULL");
}

void query_null(const std::string &file) {
  const Host host;
  const Library library(file);
  const rayo_plugin *plugin = nullptr;
  demand(library.query()(nullptr, RAYO_ABI_VERSION, &plugin) != RAYO_OK, "query without a host answers RAYO_OK");
  demand(library.query()(host.table(), RAYO_ABI_VERSION, nullptr) != RAYO_OK,
         "query without an out-parameter answers RAYO_OK");
}

void other_major(const std::string &file) {
  const Host host;
  const Library library(file);
  for (const std::uint32_t major : {RAYO_ABI_MAJOR + 1, 0x7fffu}) {
    const rayo_plugin *plugin = nullptr;
    const rayo_status status = library.query()(host.table(), major << 16, &plugin);
    demand(status != RAYO_OK && plugin == nullptr, fmt::format("ABI major {} is accepted (status {})", major, status));
  }
}

void newer_minor(const std::string &file) {
  const Host host;
  const Library library(file);
  const rayo_plugin *plugin = nullptr;
  const rayo_status status = library.query()(host.table(), (RAYO_ABI_MAJOR << 16) | 0x7fffu, &plugin);
  demand(status == RAYO_OK && plugin != nullptr,
         fmt::format("a host of a newer minor gets status {}; a minor never refuses", status));
}

const rayo_op_schema *own_schema(const rayo_plugin &plugin, std::string_view op) {
  for (std::uint32_t i = 0; i < plugin.schema_count; ++i) {
    if (plugin.schemas[i]->name == op) return plugin.schemas[i];
  }
  return nullptr;
}

// Every variable=value of the kernel is one of the schema's.
bool types_within(std::string_view types, std::string_view legal) {
  while (!types.empty()) {
    const std::string_view word = types.substr(0, types.find(' '));
    types.remove_prefix(std::min(types.size(), word.size() + 1));
    const std::size_t equal = word.find('=');
    if (equal == std::string_view::npos) return false;
    std::string_view values = word.substr(equal + 1);
    while (!values.empty()) {
      const std::string_view value = values.substr(0, values.find(','));
      values.remove_prefix(std::min(values.size(), value.size() + 1));
      const auto dtype = parse_dtype(value);
      if (!dtype || !types_allow(legal, word.substr(0, equal), *dtype)) return false;
    }
  }
  return true;
}

void check_kernel(const rayo_plugin &plugin, const rayo_kernel &k) {
  const auto expect = [&](bool holds, const std::string &text) {
    demand(holds, fmt::format("kernel {}: {}", k.name == nullptr ? "?" : k.name, text));
  };
  expect(k.name != nullptr && k.op != nullptr && k.types != nullptr, "name, op or types is NULL");
  expect(k.struct_type == RAYO_TYPE_KERNEL, "struct_type is not RAYO_TYPE_KERNEL");
  const OpInfo *op = find_op(k.op);
  const rayo_op_schema *schema = own_schema(plugin, k.op);
  expect(op != nullptr || schema != nullptr, fmt::format("op {} is neither in the catalogue nor the plugin's", k.op));
  expect(schema != nullptr || types_within(k.types, op->types),
         fmt::format("types '{}' are not all among the op's, '{}'", k.types, op == nullptr ? "" : op->types));
  expect(k.schema_min >= 1 && k.schema_min <= k.schema_max, "schema_min .. schema_max is no range");
  expect(k.numerics >= RAYO_NUMERICS_REPRODUCIBLE && k.numerics <= RAYO_NUMERICS_RELAXED,
         fmt::format("numerics {} is no class", k.numerics));
  expect((k.layouts & ~(RAYO_LAYOUT_CONTIGUOUS | RAYO_LAYOUT_STRIDED)) == 0 && k.layouts != 0,
         fmt::format("layouts {:#x} are no layouts", k.layouts));
  expect(k.flags <= (RAYO_KERNEL_DEVICE << 1) - 1, fmt::format("flags {:#x} are unknown", k.flags));
  expect(
      k.numerics != RAYO_NUMERICS_REPRODUCIBLE || (k.flags & (RAYO_KERNEL_NONDETERMINISTIC | RAYO_KERNEL_FLUSHES)) == 0,
      "a reproducible kernel neither flushes nor is it nondeterministic");
  expect(k.max_ndim >= 0 && k.max_ndim <= RAYO_MAX_NDIM, fmt::format("max_ndim {} is no rank", k.max_ndim));
  expect(k.alignment == 0 || std::has_single_bit(k.alignment), fmt::format("alignment {}", k.alignment));
  expect(op == nullptr || k.constant_operands >> op->total_inputs == 0, "constant_operands names inputs the op lacks");
  expect(k.prepare != nullptr, "prepare is NULL");
}

void kernel_list(const std::string &file) {
  const Host host;
  const Library library(file);
  const rayo_plugin &plugin = library.plugin(host);
  std::set<std::string> names;
  for (std::uint32_t i = 0; i < plugin.kernel_count; ++i) {
    demand(plugin.kernels != nullptr && plugin.kernels[i] != nullptr, fmt::format("kernel {} is NULL", i));
    check_kernel(plugin, *plugin.kernels[i]);
    demand(names.insert(plugin.kernels[i]->name).second,
           fmt::format("two kernels are called {}", plugin.kernels[i]->name));
  }
}

// Shapes and types of one question to infer_shape.
struct Question {
  std::array<std::int64_t, 16> extents;
  std::vector<rayo_tensor_desc> inputs;
  std::vector<const rayo_tensor_desc *> pointers;
};

void ask_shape(const rayo_op_schema &schema, std::uint32_t inputs, std::int32_t rank, DLDataType type) {
  Question q;
  q.extents.fill(3);
  rayo_tensor_desc t{};
  t.dtype = type;
  t.ndim = rank;
  t.shape = q.extents.data();
  t.strides = q.extents.data();
  t.device = {kDLCPU, 0};
  q.inputs.assign(inputs, t);
  for (const rayo_tensor_desc &input : q.inputs) q.pointers.push_back(&input);
  std::vector<rayo_attr> attrs;
  for (std::uint32_t i = 0; i < schema.attr_count; ++i) {
    const rayo_attr_def &def = *schema.attrs[i];
    if (def.default_data == nullptr && (def.flags & RAYO_ATTR_REQUIRED) != 0) return;  // no value to ask with
    attrs.push_back({def.name, def.kind, def.default_count, def.default_data});
  }
  rayo_op_desc desc{};
  desc.struct_size = sizeof desc;
  desc.struct_type = RAYO_TYPE_OP_DESC;
  desc.schema_version = schema.version;
  desc.input_count = inputs;
  desc.output_count = 1;
  desc.inputs = q.pointers.data();
  desc.attr_count = static_cast<std::uint32_t>(attrs.size());
  desc.attrs = attrs.data();
  desc.max_threads = 1;
  std::array<rayo_shape, RAYO_MAX_OPERANDS> out{};
  rayo_error error{};
  const rayo_status status = schema.infer_shape(&desc, out.data(), &error);
  const bool legal = status <= RAYO_OK && status > RAYO_INTERNAL;
  demand(legal, fmt::format("{}: infer_shape answers {} for {} inputs of rank {}: {}", schema.name, status, inputs,
                            rank, error.text));
  demand(status != RAYO_OK || (out[0].ndim >= 0 && out[0].ndim <= RAYO_MAX_NDIM),
         fmt::format("{}: infer_shape fills in rank {}", schema.name, out[0].ndim));
}

void schemas(const std::string &file) {
  const Host host;
  const Library library(file);
  const rayo_plugin &plugin = library.plugin(host);
  for (std::uint32_t i = 0; i < plugin.schema_count; ++i) {
    const rayo_op_schema &s = *plugin.schemas[i];
    demand(s.name != nullptr && s.inputs != nullptr && s.outputs != nullptr && s.infer_shape != nullptr,
           fmt::format("schema {}: a required member is NULL", i));
    demand(std::string_view(s.name).find('.') != std::string_view::npos && find_op(s.name) == nullptr,
           fmt::format("{}: an op of a plugin's own carries its prefix and a dot", s.name));
    const auto inputs = static_cast<std::uint32_t>(std::count(s.inputs, s.inputs + std::strlen(s.inputs), ':'));
    for (const std::int32_t rank : {0, 1, 2, 7, RAYO_MAX_NDIM}) {
      for (const DLDataType type : {RAYO_F32, RAYO_I8}) ask_shape(s, inputs, rank, type);
    }
  }
}

constexpr std::array<Probe, 8> kProbes = {{{"symbols", symbols},
                                           {"note", note},
                                           {"query_repeats", query_repeats},
                                           {"query_null", query_null},
                                           {"other_major", other_major},
                                           {"newer_minor", newer_minor},
                                           {"kernel_list", kernel_list},
                                           {"schemas", schemas}}};

}  // namespace

std::span<const Probe> file_probes() { return kProbes; }

}  // namespace rayo::conform::abi
