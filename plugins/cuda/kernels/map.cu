// SPDX-License-Identifier: Apache-2.0
//
// map_<ident>_f32 and map_strided_<ident>_f32 for every row of kernels/elementwise_ops.def.
#include <cuda/kernels/map.cuh>

namespace rayo::cuda {

#define MAP_OP(ident, op, arity, first, attr, cost)                                          \
  using Policy_##ident = MapPolicy<Op_##ident, arity, first, (sizeof(attr) > 1)>;            \
  RAYO_KERNEL(map_##ident##_f32, kMapThreads, MapParams) { map_compact<Policy_##ident>(p); } \
  RAYO_KERNEL(map_strided_##ident##_f32, kMapThreads, MapParams) { map_strided<Policy_##ident>(p); }
#include <kernels/elementwise_ops.def>
#undef MAP_OP

}  // namespace rayo::cuda
