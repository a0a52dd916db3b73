// SPDX-License-Identifier: Apache-2.0
//
// The CUDA plugin: identity, note, instance. The driver is opened in create, so a machine without one answers there:
// 'no NVIDIA driver'. The driver starts threads of its own and does not survive a fork: both are declared.
#include <vector>

#include <rayo/abi_check.h>
#include <rayo/plugin.hpp>

#include "bind.h"

namespace rayo::cuda {
namespace {

rayo_status create(const rayo_host *host, rayo_instance **out, rayo_error *error) {
  return fence(error, [&] { *out = new rayo_instance{host, open_driver()}; });
}

void destroy(rayo_instance *instance) { delete instance; }

/// The families' kernels in one list. The reproducible ones come first: they are tried first where no profile says
/// more.
struct AllKernels {
  const rayo_kernel *at[96];
  uint32_t count;
};
AllKernels list_all() {
  AllKernels all{};
  for (const KernelList &list :
       {kMapKernels, kReduceKernels, kRowKernels, kLinearKernels, kMoveKernels, kLibraryKernels, kVendorKernels}) {
    for (uint32_t i = 0; i < list.count; ++i) all.at[all.count++] = list.kernels[i];
  }
  return all;
}

const rayo_plugin *plugin_table() {
  static const AllKernels kernels = list_all();
  static const rayo_plugin table = [] {
    rayo_plugin p = plugin::plugin({.name = "cuda",
                                    .vendor = "Rayo",
                                    .version = RAYO_PLUGIN_VERSION,
                                    .description = "NVIDIA GPUs by the CUDA driver",
                                    .preference = 400},
                                   std::span<const rayo_kernel *const>(kernels.at, kernels.count),
                                   std::span<const rayo_op_schema *const>(kVendorSchemas, kVendorSchemaCount));
    p.device_api = &kDeviceApi;
    p.create = create;
    p.destroy = destroy;
    return p;
  }();
  return &table;
}

}  // namespace
}  // namespace rayo::cuda

// Its start: the driver's own, which on a large machine takes seconds.
RAYO_PLUGIN_NOTE("cuda", "Rayo", RAYO_TIER_DEVICE, 0, RAYO_THREADS_OWN, RAYO_FORK_UNSAFE, 10000);

RAYO_PLUGIN_ENTRY(cuda)(const rayo_host *host, uint32_t max_abi, const rayo_plugin **out_plugin) {
  return rayo::plugin::answer_query(host, max_abi, out_plugin, rayo::cuda::plugin_table());
}
