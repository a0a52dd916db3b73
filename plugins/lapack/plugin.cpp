// SPDX-License-Identifier: Apache-2.0
//
// The LAPACK plugin: identity, note and entry. Threads: LAPACK is found when the plugin is loaded, and may then be
// OpenBLAS, which starts its own: declared. OpenBLAS survives a fork by pthread_atfork; the reference has nothing to
// lose.
#include "eigh.h"

namespace {

constexpr rayo_kernel kEigh = rayo::plugin::kernel<rayo::lapack::Eigh>({.name = "eigh_syevd",
                                                                        .op = "eigh",
                                                                        .types = "T=f32,f64",
                                                                        .numerics = RAYO_NUMERICS_STRICT,
                                                                        .layouts = RAYO_LAYOUT_STRIDED});
constexpr const rayo_kernel *kKernels[] = {&kEigh};
constexpr rayo_plugin kPlugin = rayo::plugin::plugin({.name = "lapack",
                                                      .vendor = "Rayo",
                                                      .version = RAYO_PLUGIN_VERSION,
                                                      .description = "symmetric eigenproblems by LAPACK, one thread",
                                                      .preference = 100},
                                                     kKernels);

}  // namespace

RAYO_PLUGIN_NOTE("lapack", "Rayo", RAYO_TIER_HOST, 0, RAYO_THREADS_AT_LOAD, RAYO_FORK_SAFE, 0);

RAYO_PLUGIN(lapack, kPlugin)
