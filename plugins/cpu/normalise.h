// SPDX-License-Identifier: Apache-2.0
//
// What the drivers of softmax and log_softmax share: rows (cpu/normalise.cpp) and columns (cpu/normalise_columns.cpp).
#ifndef RAYO_PLUGINS_CPU_NORMALISE_H
#define RAYO_PLUGINS_CPU_NORMALISE_H

#include <cpu/reduce.h>

namespace rayo {

inline constexpr int64_t kNormaliseParallelFrom = 1 << 16;  // elements: three passes, one with exp, at 2 to 8 per ns
inline constexpr int64_t kNormaliseTask = 1 << 15;

template <class T>
const SoftmaxLoops<T> &softmax_loops(const KernelTables &tables);
template <>
inline const SoftmaxLoops<float> &softmax_loops<float>(const KernelTables &tables) {
  return tables.normalise->softmax_f32;
}
template <>
inline const SoftmaxLoops<double> &softmax_loops<double>(const KernelTables &tables) {
  return tables.normalise->softmax_f64;
}
template <class T>
const NormLoops<T> &norm_loops(const KernelTables &tables);
template <>
inline const NormLoops<float> &norm_loops<float>(const KernelTables &tables) {
  return tables.normalise->norm_f32;
}
template <>
inline const NormLoops<double> &norm_loops<double>(const KernelTables &tables) {
  return tables.normalise->norm_f64;
}

struct SoftmaxState {
  const KernelTables *tables;
  Layout outer;  // the other axes; operand 0 input, 1 output
  int64_t sx;    // strides along the axis
  int64_t sy;
  int64_t length;
  int64_t blocks;         // of the sum
  bool log;               // log_softmax
  Split split;            // units: rows, blocks of few long rows, or strips of columns
  uint64_t shared_bytes;  // workspace: results of blocks and of rows where rows are cut, then one part per worker
  uint64_t worker_bytes;
};

/// The axis is not the last one: fills the split, returns the function to call.
template <class T>
rayo_kernel_fn plan_softmax_columns(const rayo_op_desc &desc, int64_t outputs, SoftmaxState *s);

template <class T>
T *worker_space(const SoftmaxState &s, const rayo_call &call, uint32_t worker) {
  return reinterpret_cast<T *>(static_cast<char *>(call.workspace) + s.shared_bytes + worker * s.worker_bytes);
}

}  // namespace rayo

#endif  // RAYO_PLUGINS_CPU_NORMALISE_H
