// SPDX-License-Identifier: Apache-2.0
//
// Author's helpers over plugin.h, header-only C++20: a vendor writes a kernel class and one constexpr descriptor, and
// gets the exception fence, instance, state and query function from here. Nothing in it is part of the ABI: a plugin
// compiled with it shows plugin.h's structs alone. Uses the C++ standard library and plugin.h, nothing else.
//
//   struct ScaleKernel {                                            // bound by prepare, immutable, called concurrently
//     explicit ScaleKernel(const rayo_op_desc &desc);               // may throw: RAYO_UNSUPPORTED by Error
//     void operator()(const rayo_call &call) const;                 // may throw, but should not
//   };
//   constexpr rayo_kernel kScale = rayo::plugin::kernel<ScaleKernel>({.name = "scale_f32", .op = "acme.scale", ...});
//   constexpr const rayo_kernel *kKernels[] = {&kScale};
//   constexpr rayo_plugin kPlugin = rayo::plugin::plugin({.name = "acme", ...}, kKernels);
//   RAYO_PLUGIN_NOTE("acme", "Acme Inc.", RAYO_TIER_HOST, 0, RAYO_THREADS_NONE, RAYO_FORK_SAFE, 0);
//   RAYO_PLUGIN(acme, kPlugin)
#ifndef RAYO_PLUGIN_HPP
#define RAYO_PLUGIN_HPP

#include <rayo/plugin.h>
#include <rayo/plugin_loop.hpp>
#include <rayo/plugin_support.hpp>

#include <memory>
#include <span>
#include <type_traits>

namespace rayo::plugin {

// ---- Kernels and schemas -------------------------------------------------------------------------------------------

// The instance that plugin() gives a plugin which needs none of its own.
struct Instance {
  const rayo_host *host;
};

// What is told of a kernel class; the rest comes from the class.
struct KernelInfo {
  const char *name;
  const char *op;
  const char *types = "";
  uint32_t schema_min = 1;
  uint32_t schema_max = 1;
  uint32_t numerics = RAYO_NUMERICS_STRICT;
  uint32_t flags = 0;
  uint32_t layouts = RAYO_LAYOUT_CONTIGUOUS;
  int32_t max_ndim = 0;
  uint32_t alignment = 0;
  uint32_t constant_operands = 0;
  DLDataType accumulator = {0, 0, 0};
};

namespace detail {
template <class K>
struct Bound {
  const rayo_host *host;
  K kernel;
};

template <class K>
rayo_status call(const rayo_call *call) noexcept {
  const auto *bound = static_cast<const Bound<K> *>(call->state);
  return fence(bound->host, [&] { bound->kernel(*call); });
}

template <class K>
rayo_status prepare(rayo_instance *instance, const rayo_op_desc *desc, rayo_prepared *out, rayo_error *error) noexcept {
  return fence(error, [&] {
    check_extensions(desc->next);
    const auto *self = reinterpret_cast<const Instance *>(instance);
    // NOLINTNEXTLINE(bugprone-unhandled-exception-at-new): the fence catches it
    auto bound = std::unique_ptr<Bound<K>>(new Bound<K>{self->host, K(*desc)});
    rayo_prepared result{};
    result.fn = call<K>;
    result.threads = 1;
    if constexpr (requires { bound->kernel.workspace_size(); }) result.workspace_size = bound->kernel.workspace_size();
    if constexpr (requires { bound->kernel.threads(); }) result.threads = bound->kernel.threads();
    result.state = bound.release();
    fill(out, result);
  });
}

template <class K>
void release(rayo_instance *, void *state) noexcept {
  delete static_cast<Bound<K> *>(state);
}

template <class K>
// NOLINTNEXTLINE(bugprone-exception-escape): nothing leaves K::supports, which is noexcept
uint32_t supports(rayo_instance *, const rayo_op_desc *desc) noexcept {
  return K::supports(*desc);
}

template <auto Infer>
rayo_status infer_shape(const rayo_op_desc *desc, rayo_shape *out, rayo_error *error) noexcept {
  return fence(error, [&] { Infer(*desc, std::span<rayo_shape>(out, desc->output_count)); });
}

inline rayo_status create(const rayo_host *host, rayo_instance **out, rayo_error *error) noexcept {
  return fence(error, [&] {
    // NOLINTNEXTLINE(bugprone-unhandled-exception-at-new): the fence catches it
    *out = reinterpret_cast<rayo_instance *>(new Instance{host});
  });
}
inline void destroy(rayo_instance *instance) noexcept { delete reinterpret_cast<Instance *>(instance); }
}  // namespace detail

// A kernel of class K on the host tier. K(const rayo_op_desc &) binds, void operator()(const rayo_call &) const
// computes. Optional: static uint32_t supports(const rayo_op_desc &) noexcept; uint64_t workspace_size() const;
// uint32_t threads() const (1 without it). Needs plugin()'s instance.
template <class K>
constexpr rayo_kernel kernel(const KernelInfo &info) {
  rayo_kernel k{};
  k.struct_size = sizeof(rayo_kernel);
  k.struct_type = RAYO_TYPE_KERNEL;
  k.name = info.name;
  k.op = info.op;
  k.types = info.types;
  k.schema_min = info.schema_min;
  k.schema_max = info.schema_max;
  k.numerics = info.numerics;
  k.flags = info.flags;
  k.layouts = info.layouts;
  k.max_ndim = info.max_ndim;
  k.alignment = info.alignment;
  k.constant_operands = info.constant_operands;
  k.accumulator = info.accumulator;
  if constexpr (requires(const rayo_op_desc &d) { K::supports(d); }) k.supports = detail::supports<K>;
  k.prepare = detail::prepare<K>;
  k.release = detail::release<K>;
  return k;
}

// An attribute of a schema with one default value, which must have static storage; NULL = required.
template <class T>
constexpr rayo_attr_def attr_def(const char *name, const T *default_value, const char *legal, const char *doc) {
  static_assert(std::is_same_v<T, int64_t> || std::is_same_v<T, double>, "an attribute is int64_t or double");
  rayo_attr_def a{};
  a.struct_size = sizeof(rayo_attr_def);
  a.struct_type = RAYO_TYPE_ATTR_DEF;
  a.name = name;
  a.kind = std::is_same_v<T, double> ? RAYO_ATTR_FLOAT : RAYO_ATTR_INT;
  a.flags = default_value == nullptr ? RAYO_ATTR_REQUIRED : 0;
  a.default_count = default_value == nullptr ? 0 : 1;
  a.default_data = default_value;
  a.legal = legal;
  a.doc = doc;
  return a;
}

struct SchemaInfo {
  const char *name;
  uint32_t version = 1;
  const char *family = "vendor";
  const char *inputs;
  const char *outputs;
  const char *types = "";
  uint32_t in_place = 0;
  uint32_t numerics = RAYO_NUMERICS_STRICT;
  const char *doc;
};

// A vendor's op. Infer is void(const rayo_op_desc &, std::span<rayo_shape> out) and may throw Error.
template <auto Infer, std::size_t N = 0>
constexpr rayo_op_schema schema(const SchemaInfo &info, const rayo_attr_def *const (&attrs)[N]) {
  rayo_op_schema s{};
  s.struct_size = sizeof(rayo_op_schema);
  s.struct_type = RAYO_TYPE_OP_SCHEMA;
  s.name = info.name;
  s.version = info.version;
  s.attr_count = N;
  s.family = info.family;
  s.inputs = info.inputs;
  s.outputs = info.outputs;
  s.types = info.types;
  s.attrs = attrs;
  s.in_place = info.in_place;
  s.numerics = info.numerics;
  s.infer_shape = detail::infer_shape<Infer>;
  s.doc = info.doc;
  return s;
}

// ---- Plugin --------------------------------------------------------------------------------------------------------

struct PluginInfo {
  const char *name;
  const char *vendor;
  const char *version;
  const char *description;
  uint32_t preference = 100;
};

// The answer to query for a host-tier plugin whose kernels come from kernel<K>().
constexpr rayo_plugin plugin(const PluginInfo &info, std::span<const rayo_kernel *const> kernels,
                             std::span<const rayo_op_schema *const> schemas = {}) {
  rayo_plugin p{};
  p.struct_size = sizeof(rayo_plugin);
  p.struct_type = RAYO_TYPE_PLUGIN;
  p.abi_version = RAYO_ABI_VERSION;
  p.name = info.name;
  p.vendor = info.vendor;
  p.version = info.version;
  p.description = info.description;
  p.preference = info.preference;
  p.kernel_count = static_cast<uint32_t>(kernels.size());
  p.schema_count = static_cast<uint32_t>(schemas.size());
  p.kernels = kernels.data();
  p.schemas = schemas.data();
  p.create = detail::create;
  p.destroy = detail::destroy;
  return p;
}

// What query answers: the plugin where the major agrees, RAYO_REFUSED where it does not.
inline rayo_status answer_query(const rayo_host *host, uint32_t max_abi, const rayo_plugin **out_plugin,
                                const rayo_plugin *plugin) noexcept {
  if (host == nullptr || out_plugin == nullptr) return RAYO_INVALID_ARGUMENT;
  *out_plugin = nullptr;
  if (max_abi >> 16 != RAYO_ABI_MAJOR) {
    host->report_error(host, RAYO_REFUSED, "the host's ABI major differs from the one this plugin was compiled for");
    return RAYO_REFUSED;
  }
  *out_plugin = plugin;
  return RAYO_OK;
}

}  // namespace rayo::plugin

// Defines the one exported symbol: query answers with the constexpr rayo_plugin `object`. Once per plugin, at global
// scope, beside RAYO_PLUGIN_NOTE.
#define RAYO_PLUGIN(ident, object)                                                                    \
  RAYO_PLUGIN_ENTRY(ident)(const rayo_host *host, uint32_t max_abi, const rayo_plugin **out_plugin) { \
    return ::rayo::plugin::answer_query(host, max_abi, out_plugin, &(object));                        \
  }

#endif  // RAYO_PLUGIN_HPP
