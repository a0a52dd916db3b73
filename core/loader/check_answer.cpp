// SPDX-License-Identifier: Apache-2.0
#include "loader/check_answer.hpp"

#include <algorithm>
#include <set>
#include <string_view>

#include "base/env.hpp"
#include "base/error.hpp"

namespace rayo {
namespace {

constexpr uint32_t kMaxTable = 65536;  // entries of a table; beyond it a count is garbage

void check_header(const rayo_plugin *plugin) {
  constexpr size_t kNeeded = offsetof(rayo_plugin, get_extension) + sizeof(plugin->get_extension);
  if (plugin->struct_type != RAYO_TYPE_PLUGIN || plugin->struct_size < kNeeded) {
    fail(RAYO_REFUSED, "its query answered with struct_type {} and struct_size {}; needed: {} and at least {}",
         plugin->struct_type, plugin->struct_size, RAYO_TYPE_PLUGIN, kNeeded);
  }
  if (std::string reason = abi_mismatch(plugin->abi_version, 0); !reason.empty()) fail(RAYO_REFUSED, "{}", reason);
  const rayo_struct *extension = static_cast<const rayo_struct *>(plugin->next);
  for (int i = 0; extension != nullptr && i < 64; ++i) {
    if ((extension->struct_type & RAYO_MUST_UNDERSTAND) != 0) {
      fail(RAYO_REFUSED, "its answer needs extension {:#x}, which this version does not know", extension->struct_type);
    }
    extension = static_cast<const rayo_struct *>(extension->next);
  }
}

void check_tables(const rayo_plugin *plugin, const rayo_note_desc &note) {
  for (const char *text : {plugin->name, plugin->vendor, plugin->version, plugin->description}) {
    if (text == nullptr) fail(RAYO_REFUSED, "its name, vendor, version or description is NULL; use \"\"");
  }
  if (std::string_view(plugin->name) != note.name) {
    fail(RAYO_REFUSED, "its query calls it {}, its note {}: they must agree", quote(plugin->name), quote(note.name));
  }
  if (plugin->create == nullptr || plugin->destroy == nullptr) fail(RAYO_REFUSED, "create or destroy is NULL");
  if (plugin->kernel_count > kMaxTable || plugin->schema_count > kMaxTable) {
    fail(RAYO_REFUSED, "it claims {} kernels and {} schemas; at most {} are legal", plugin->kernel_count,
         plugin->schema_count, kMaxTable);
  }
  if ((plugin->kernel_count > 0 && plugin->kernels == nullptr) ||
      (plugin->schema_count > 0 && plugin->schemas == nullptr)) {
    fail(RAYO_REFUSED, "its kernels or schemas are NULL, but the count is not 0");
  }
  const rayo_device_api *api = plugin->device_api;
  if (((note.tiers & RAYO_TIER_DEVICE) != 0) != (api != nullptr)) {
    fail(RAYO_REFUSED, "its note {} the device tier, its device_api is {}",
         api == nullptr ? "declares" : "does not declare", api == nullptr ? "NULL" : "there");
  }
  if (api != nullptr && (api->struct_type != RAYO_TYPE_DEVICE_API || !RAYO_HAS(api, rayo_device_api, copy) ||
                         api->enumerate == nullptr || api->device_open == nullptr || api->device_close == nullptr)) {
    fail(RAYO_REFUSED, "its device_api has a wrong header, or enumerate, device_open or device_close is NULL");
  }
}

// A kernel's dtypes must be values that the schema allows, and all of its variables must be bound.
void check_types(const TypeBindings &types, const Schema &schema) {
  for (const auto &[variable, values] : types) {
    const auto legal = schema.types.find(variable);
    if (legal == schema.types.end()) {
      fail(RAYO_REFUSED, "types bind {}, which op {} does not have", quote(variable), quote(schema.raw->name));
    }
    for (const DLDataType value : values) {
      const bool known = std::any_of(legal->second.begin(), legal->second.end(),
                                     [value](DLDataType other) { return same_dtype(value, other); });
      if (!known) {
        fail(RAYO_REFUSED, "types give {}={}; op {} allows {}", variable, dtype_name(value), quote(schema.raw->name),
             quote(schema.raw->types));
      }
    }
  }
  for (const auto &[variable, values] : schema.types) {
    if (!types.contains(variable)) {
      fail(RAYO_REFUSED, "types leave {} of op {} open", quote(variable), quote(schema.raw->name));
    }
  }
}

void check_kernel_fields(const rayo_kernel &kernel, const rayo_plugin &plugin) {
  if (kernel.types == nullptr) fail(RAYO_REFUSED, "types is NULL; use \"\"");
  if (kernel.prepare == nullptr) fail(RAYO_REFUSED, "prepare is NULL");
  if (kernel.schema_min == 0 || kernel.schema_min > kernel.schema_max) {
    fail(RAYO_REFUSED, "schema range {} to {} is empty; versions start at 1", kernel.schema_min, kernel.schema_max);
  }
  if (kernel.numerics < RAYO_NUMERICS_REPRODUCIBLE || kernel.numerics > RAYO_NUMERICS_RELAXED) {
    fail(RAYO_REFUSED, "numerics is {}; legal: 1, 2, 3", kernel.numerics);
  }
  if ((kernel.layouts & (RAYO_LAYOUT_CONTIGUOUS | RAYO_LAYOUT_STRIDED)) == 0) {
    fail(RAYO_REFUSED, "layouts is {:#x}: it takes no layout at all", kernel.layouts);
  }
  if (kernel.max_ndim < 0 || kernel.max_ndim > RAYO_MAX_NDIM) {
    fail(RAYO_REFUSED, "max_ndim is {}; legal: 0 to {}", kernel.max_ndim, RAYO_MAX_NDIM);
  }
  if ((kernel.alignment & (kernel.alignment - 1)) != 0) {
    fail(RAYO_REFUSED, "alignment is {}; legal: 0 or a power of two", kernel.alignment);
  }
  if ((kernel.flags & RAYO_KERNEL_DEVICE) != 0 && plugin.device_api == nullptr) {
    fail(RAYO_REFUSED, "it is a device kernel, but the plugin has no device_api");
  }
}

const Schema *schema_of(std::string_view op, const PluginAnswer &answer) {
  for (const auto *list : {&answer.schemas, &catalogue()}) {
    for (const auto &schema : *list) {
      if (op == schema->raw->name) return schema.get();
    }
  }
  return nullptr;
}

// nullptr: an op of a newer catalogue.
std::unique_ptr<KernelRecord> check_kernel(const rayo_kernel &kernel, const rayo_plugin &plugin,
                                           const PluginAnswer &answer) {
  check_kernel_fields(kernel, plugin);
  const Schema *schema = schema_of(kernel.op, answer);
  if (schema == nullptr) {
    if (std::string_view(kernel.op).find('.') == std::string_view::npos) return nullptr;
    fail(RAYO_REFUSED, "op {} is neither in the catalogue nor in the plugin's schemas", quote(kernel.op));
  }
  auto record = std::make_unique<KernelRecord>();
  record->kernel = &kernel;
  record->op = schema->op;
  record->types = parse_bindings(kernel.types);
  check_types(record->types, *schema);
  return record;
}

void check_kernels(const rayo_plugin &plugin, const Log &log, PluginAnswer *answer) {
  std::set<std::string_view> names;
  for (uint32_t i = 0; i < plugin.kernel_count; ++i) {
    const rayo_kernel *kernel = plugin.kernels[i];
    if (kernel == nullptr) fail(RAYO_REFUSED, "kernel {} of {} is NULL", i, plugin.kernel_count);
    if (kernel->struct_type != RAYO_TYPE_KERNEL || !RAYO_HAS(kernel, rayo_kernel, release)) {
      fail(RAYO_REFUSED, "kernel {} has struct_type {} and struct_size {}", i, kernel->struct_type,
           kernel->struct_size);
    }
    if (kernel->name == nullptr || kernel->op == nullptr) fail(RAYO_REFUSED, "kernel {} has no name or no op", i);
    if (!names.insert(kernel->name).second) {
      fail(RAYO_REFUSED, "two kernels are called {}; names are unique in a plugin", quote(kernel->name));
    }
    try {
      std::unique_ptr<KernelRecord> record = check_kernel(*kernel, plugin, *answer);
      if (record == nullptr) {
        log(RAYO_LOG_WARN, "plugin {}: kernel {} is for op {}, which this version does not know; left out", plugin.name,
            quote(kernel->name), quote(kernel->op));
        continue;
      }
      answer->kernels.push_back(std::move(record));
    } catch (const Error &error) {
      fail(RAYO_REFUSED, "kernel {}: {}", quote(kernel->name), error.what());
    }
  }
}

}  // namespace

std::string abi_name(uint32_t abi) { return fmt::format("{}.{}", abi >> 16, abi & 0xffffu); }

std::string abi_mismatch(uint32_t plugin_abi, uint32_t plugin_needs) {
  constexpr uint32_t kMajor = RAYO_ABI_MAJOR;
  if (plugin_abi >> 16 != kMajor) {
    return fmt::format("is built for ABI {}; this core serves ABI {}.x: rebuild it, or use a Rayo of its version",
                       abi_name(plugin_abi), kMajor);
  }
  if (plugin_abi < RAYO_ABI_OLDEST) {
    return fmt::format("is built for ABI {}, older than {}, the oldest that this core serves: rebuild it",
                       abi_name(plugin_abi), abi_name(RAYO_ABI_OLDEST));
  }
  if (plugin_needs > RAYO_ABI_VERSION) {
    return fmt::format("needs a core of ABI {} or newer, this one is {}: update Rayo", abi_name(plugin_needs),
                       abi_name(RAYO_ABI_VERSION));
  }
  return "";
}

PluginAnswer check_answer(const rayo_plugin *plugin, const rayo_note_desc &note, const Log &log) {
  check_header(plugin);
  check_tables(plugin, note);
  PluginAnswer answer;
  for (uint32_t i = 0; i < plugin->schema_count; ++i) {
    auto schema = parse_schema(plugin->schemas[i], plugin->name);
    for (const auto &other : answer.schemas) {
      if (other->op == schema->op) fail(RAYO_REFUSED, "it declares op {} twice", quote(schema->raw->name));
    }
    answer.schemas.push_back(std::move(schema));
  }
  check_kernels(*plugin, log, &answer);
  if (plugin->kernel_count > 0 && answer.kernels.empty()) {
    fail(RAYO_REFUSED, "none of its {} kernels is for an op that this version knows", plugin->kernel_count);
  }
  return answer;
}

}  // namespace rayo
