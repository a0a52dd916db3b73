// SPDX-License-Identifier: Apache-2.0
//
// The scalar plugin: one element at a time on the baseline ISA, the judge of bits and the last fallback. Where the CPU
// has FMA the same loops run with the instruction instead of the library's function; the bits are the same.
#include <cpu/plugin.h>

RAYO_PLUGIN_NOTE("scalar", "Rayo", RAYO_TIER_HOST, 0, RAYO_THREADS_NONE, RAYO_FORK_SAFE, 0);

namespace rayo {
namespace {

rayo_status create(const rayo_host *host, rayo_instance **out, rayo_error *error) {
  const KernelTables *tables = &scalar::kernel_tables;
#if defined(__x86_64__)
  if ((host->cpu_features & RAYO_CPU_FMA) != 0) tables = &scalar_fma::kernel_tables;
#endif
  return create_instance(host, tables, out, error);
}

}  // namespace

const PluginIdentity plugin_identity = {"scalar", "one element at a time, any CPU", 0, 0, create};

}  // namespace rayo

RAYO_PLUGIN_ENTRY(scalar)(const rayo_host *host, uint32_t max_abi, const rayo_plugin **out_plugin) {
  return rayo::answer_query(host, max_abi, out_plugin);
}
