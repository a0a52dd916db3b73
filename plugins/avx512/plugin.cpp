// SPDX-License-Identifier: Apache-2.0
//
// The AVX-512 plugin: identity, note and entry. Baseline code; the kernels are the shared ones compiled for AVX-512.
#include <cpu/plugin.h>

namespace rayo {
namespace {
constexpr uint64_t kFeatures = RAYO_CPU_AVX2 | RAYO_CPU_FMA | RAYO_CPU_F16C | RAYO_CPU_BMI2 | RAYO_CPU_AVX512F |
                               RAYO_CPU_AVX512BW | RAYO_CPU_AVX512DQ | RAYO_CPU_AVX512VL;

rayo_status create(const rayo_host *host, rayo_instance **out, rayo_error *error) {
  return create_instance(host, &avx512::kernel_tables, out, error);
}
}  // namespace

const PluginIdentity plugin_identity = {"avx512", "AVX-512 F, BW, DQ, VL, 512-bit vectors", 300, kFeatures, create};

}  // namespace rayo

RAYO_PLUGIN_NOTE("avx512", "Rayo", RAYO_TIER_HOST, rayo::kFeatures, RAYO_THREADS_NONE, RAYO_FORK_SAFE, 0);

RAYO_PLUGIN_ENTRY(avx512)(const rayo_host *host, uint32_t max_abi, const rayo_plugin **out_plugin) {
  return rayo::answer_query(host, max_abi, out_plugin);
}
