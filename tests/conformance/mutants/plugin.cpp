// SPDX-License-Identifier: Apache-2.0
//
// The plugin's entry: all kernels of the folder under one name.
#include <vector>

#include "mutant.hpp"

namespace mutant {
namespace {

rayo_plugin make_plugin() {
  static std::vector<const rayo_kernel *> kernels;
  static rayo_kernel first;
  for (const auto part :
       {elementwise_kernels(), reduce_kernels(), normalise_kernels(), linear_kernels(), quantise_kernels()}) {
    kernels.insert(kernels.end(), part.begin(), part.end());
  }
  first = *kernels[0];
  make_disobedient(first);
  kernels[0] = &first;
  return rayo::plugin::plugin({.name = "mutant",
                               .vendor = "Rayo tests",
                               .version = "0",
                               .description = "17 ops with at most one planted bug",
                               .preference = 1},
                              kernels);
}

}  // namespace
}  // namespace mutant

RAYO_PLUGIN_NOTE("mutant", "Rayo tests", RAYO_TIER_HOST, 0, RAYO_THREADS_NONE, RAYO_FORK_SAFE, 0);

RAYO_PLUGIN_ENTRY(mutant)(const rayo_host *host, uint32_t max_abi, const rayo_plugin **out_plugin) {
  static const rayo_plugin plugin = mutant::make_plugin();
  return mutant::answer_query(host, max_abi, out_plugin, &plugin);
}
