// SPDX-License-Identifier: Apache-2.0
//
// The NEON plugin: identity, note and entry. Baseline code; the kernels are the shared ones compiled for NEON.
#include <cpu/plugin.h>

namespace rayo {
namespace {
constexpr uint64_t kFeatures = RAYO_CPU_NEON;

rayo_status create(const rayo_host *host, rayo_instance **out, rayo_error *error) {
  return create_instance(host, &neon::kernel_tables, out, error);
}
}  // namespace

const PluginIdentity plugin_identity = {"neon", "AArch64 Advanced SIMD, 128-bit vectors", 200, kFeatures, create};

}  // namespace rayo

RAYO_PLUGIN_NOTE("neon", "Rayo", RAYO_TIER_HOST, rayo::kFeatures, RAYO_THREADS_NONE, RAYO_FORK_SAFE, 0);

RAYO_PLUGIN_ENTRY(neon)(const rayo_host *host, uint32_t max_abi, const rayo_plugin **out_plugin) {
  return rayo::answer_query(host, max_abi, out_plugin);
}
