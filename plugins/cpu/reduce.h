// SPDX-License-Identifier: Apache-2.0
//
// A reduction in canonical form, shared by the drivers of reduce_*, variance, argmax, argmin and dot.
#ifndef RAYO_PLUGINS_CPU_REDUCE_H
#define RAYO_PLUGINS_CPU_REDUCE_H

#include <cpu/layout.h>
#include <cpu/plugin.h>

namespace rayo {

/// From this many elements on threads are worth their wake-up (about 50 us at 8 to 16 elements per ns from L2, less
/// from memory); a task takes about kReduceTask of them.
inline constexpr int64_t kReduceParallelFrom = 1 << 20;
inline constexpr int64_t kReduceTask = 1 << 17;

template <class T>
const ReduceLoops<T> &reduce_loops(const KernelTables &tables);
template <>
inline const ReduceLoops<float> &reduce_loops<float>(const KernelTables &tables) {
  return tables.reduce->f32;
}
template <>
inline const ReduceLoops<double> &reduce_loops<double>(const KernelTables &tables) {
  return tables.reduce->f64;
}

/// Kept axes (operand 0 the input, 1 the output) and reduced axes (operand 0 the input), each coalesced; the reduced
/// ones in their row-major order, which the contract fixes.
struct Reduction {
  Layout kept;
  Layout reduced;
  int64_t outputs;
  int64_t length;  // elements reduced into one output
  bool lanes;      // the last axis, as given, is reduced: lane order; otherwise chains
};

/// Reads `axes` (bit i = axis i is reduced) of input 0 of a descriptor; the output has or lacks the reduced axes.
void read_reduction(const rayo_op_desc &desc, uint32_t axes, bool keepdims, Reduction *out);

/// Combines `count` block results, `stride` elements apart, pairwise level by level; the result is in p[0].
template <class T>
void combine_pairwise(const ReduceLoops<T> &loops, ReduceOp op, T *p, int64_t count) {
  while (count > 1) {
    const int64_t pairs = count / 2;
    for (int64_t i = 0; i < pairs; ++i) {
      T a = p[2 * i];
      loops.combine[op](&a, &p[2 * i + 1], 1);
      p[i] = a;
    }
    if (count % 2 != 0) p[pairs] = p[count - 1];
    count = pairs + count % 2;
  }
}

/// Copies elements [first, first + n) of the row-major sequence of `layout`'s operand k at `base` to `out`.
template <class T>
void gather_sequence(const TransposeLoops &loops, const Layout &layout, int32_t k, const T *base, int64_t first,
                     int64_t n, T *out) {
  if (n <= 0) return;
  if (layout.ndim == 0) {
    memcpy(out, base, sizeof(T));
    return;
  }
  const int32_t inner = layout.ndim - 1;
  const int64_t length = layout.shape[inner];
  LayoutWalk walk;
  walk_start(&walk, layout, inner, first / length);
  int64_t at = first % length;
  while (n > 0) {
    const int64_t part = min64(n, length - at);
    loops.copy(base + walk.offset[k] + at * layout.strides[k][inner], layout.strides[k][inner], out, 1, part);
    out += part;
    n -= part;
    at = 0;
    if (n > 0) walk_next(&walk);
  }
}
template <class T>
const TransposeLoops &copy_loops(const KernelTables &tables) {
  return sizeof(T) == 8 ? tables.transpose->bits64 : tables.transpose->bits32;
}

/// Is the sequence of operand k consecutive in memory?
inline bool is_consecutive(const Layout &layout, int32_t k) {
  return layout.ndim == 0 || (layout.ndim == 1 && layout.strides[k][0] == 1);
}

/// Rows that lie a constant distance apart: offsets of the first in both operands, the distances, how many.
struct RowRun {
  int64_t first[2];
  int64_t stride[2];
  int64_t count;
};

/// Visits rows [begin, end) of a layout of rows (operand 0 input, 1 output) as runs of at most `most`.
template <class Visit>
void walk_rows(const Layout &rows, int64_t begin, int64_t end, int64_t most, Visit visit) {
  const int32_t inner = rows.ndim - 1;
  const int64_t length = inner < 0 ? 1 : rows.shape[inner];
  RowRun run = {};
  for (int k = 0; k < 2 && inner >= 0; ++k) run.stride[k] = rows.strides[k][inner];
  LayoutWalk walk;
  walk_start(&walk, rows, inner < 0 ? 0 : inner, begin / length);
  int64_t at = begin % length;
  for (int64_t u = begin; u < end;) {
    run.count = min64(most, min64(end - u, length - at));
    for (int k = 0; k < 2; ++k) run.first[k] = walk.offset[k] + at * run.stride[k];
    visit(run);
    u += run.count;
    at += run.count;
    if (at < length) continue;
    at = 0;
    walk_next(&walk);
  }
}

/// Rows to take at once where several steps read them: so many that they stay in the first-level cache.
inline constexpr int64_t kRowsAtOnce = 64;
template <class T>
int64_t rows_at_once(int64_t length) {
  constexpr int64_t kBytes = 1 << 14;
  return min64(kRowsAtOnce, max64(8, kBytes / max64(1, length * static_cast<int64_t>(sizeof(T)))));
}

/// What becomes of a result when its blocks have met.
enum class ReduceFinish : int { none, divide, root };

/// What the reduce_* ops and variance keep.
struct ReduceState {
  const KernelTables *tables;
  Reduction r;
  ReduceOp op;
  ReduceFinish finish;
  bool variance;          // a second pass over the squared distances from the mean
  int64_t divisor;        // of ReduceFinish::divide; NaN results where it is not positive
  int64_t blocks;         // of one output
  Split split;            // units are (output, block) pairs in the lane order, strips of columns in the chain order
  uint64_t shared_bytes;  // workspace: block results, means, then one part per worker
  uint64_t worker_bytes;
};

template <class T>
void finish_results(const ReduceState &s, T *values, int64_t n) {
  const ReduceLoops<T> &loops = reduce_loops<T>(*s.tables);
  if (s.finish == ReduceFinish::root) loops.root(values, n);
  if (s.finish == ReduceFinish::divide) {
    const T by = s.divisor > 0 ? static_cast<T>(s.divisor) : static_cast<T>(__builtin_nan(""));
    if (n == 1) {
      values[0] /= by;  // the same rounding, and 10 ns less than a loop for parts of vectors
    } else {
      loops.divide(values, by, n);
    }
  }
}

/// The chain order (cpu/reduce_chain.cpp): fills the split of `s`, returns the function to call.
template <class T>
rayo_kernel_fn plan_chains(const rayo_op_desc &desc, ReduceState *s);

inline uint64_t round_up64(uint64_t bytes) { return (bytes + 63) / 64 * 64; }

}  // namespace rayo

#endif  // RAYO_PLUGINS_CPU_REDUCE_H
