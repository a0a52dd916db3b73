// SPDX-License-Identifier: Apache-2.0
//
// The chain order of reductions, for outputs along a kept last axis: strips of columns, each column a chain within
// blocks of kChainBlock elements, blocks combined pairwise as they come: a carry counter merges equal levels, which is
// the same tree as level by level with an odd last one carried.
#include <cpu/reduce.h>

namespace rayo {
namespace {

/// Columns of a strip: 4 KiB, so that the levels in use stay in L1.
template <class T>
constexpr int64_t kStrip = 4096 / sizeof(T);

struct Strip {
  const void *x;  // element 0 of the reduced sequence, first column
  int64_t stride;
  int64_t cols;
};

/// Level results of a strip, kStrip<T> elements each; the strip's result ends up in level 0. With means, the squared
/// distances from them are summed.
template <class T>
void reduce_strip(const ReduceState &s, const Strip &strip, const T *means, T *levels) {
  const ReduceLoops<T> &loops = reduce_loops<T>(*s.tables);
  const Layout &reduced = s.r.reduced;
  LayoutWalk walk;
  walk_start(&walk, reduced, reduced.ndim, 0);
  int64_t offset[kChainBlock];
  int64_t top = -1;
  for (int64_t block = 0; block < s.blocks; ++block) {
    const int64_t rows = min64(kChainBlock, s.r.length - block * kChainBlock);
    for (int64_t r = 0; r < rows; ++r) {
      offset[r] = walk.offset[0];
      walk_next(&walk);
    }
    ++top;
    const T *x = static_cast<const T *>(strip.x);
    T *level = levels + top * kStrip<T>;
    if (means == nullptr) {
      loops.chain[s.op](x, offset, rows, strip.stride, level, strip.cols);
    } else {
      loops.deviation_chain(x, offset, rows, strip.stride, means, level, strip.cols);
    }
    for (int64_t b = block; (b & 1) != 0; b >>= 1) {
      --top;
      loops.combine[s.op](levels + top * kStrip<T>, levels + (top + 1) * kStrip<T>, strip.cols);
    }
  }
  for (; top > 0; --top) loops.combine[s.op](levels + (top - 1) * kStrip<T>, levels + top * kStrip<T>, strip.cols);
}

int64_t columns(const ReduceState &s) { return s.r.kept.ndim == 0 ? 1 : s.r.kept.shape[s.r.kept.ndim - 1]; }

template <class T>
void chain_task(void *ctx, uint64_t task, uint32_t worker) {
  const rayo_call &call = *static_cast<const rayo_call *>(ctx);
  const ReduceState &s = *static_cast<const ReduceState *>(call.state);
  T *levels = reinterpret_cast<T *>(static_cast<char *>(call.workspace) + worker * s.worker_bytes);
  const Layout &kept = s.r.kept;
  const int32_t inner = kept.ndim - 1;
  const int64_t cols = columns(s);
  const int64_t strips = ceil_div(cols, kStrip<T>);
  const int64_t sx = inner < 0 ? 1 : kept.strides[0][inner];
  const int64_t sy = inner < 0 ? 1 : kept.strides[1][inner];
  const int64_t end = min64(static_cast<int64_t>(task + 1) * s.split.group, s.split.units);
  for (int64_t u = static_cast<int64_t>(task) * s.split.group; u < end; ++u) {
    int64_t at[kMaxLayoutOperands];
    layout_offsets(kept, 0, inner < 0 ? 0 : inner, u / strips, at);
    const int64_t first = (u % strips) * kStrip<T>;
    const int64_t n = min64(kStrip<T>, cols - first);
    const Strip strip = {advance(call.inputs[0], at[0] + first * sx, sizeof(T)), sx, n};
    reduce_strip<T>(s, strip, nullptr, levels);
    if (s.variance) {
      T *means = levels + s.worker_bytes / sizeof(T) - kStrip<T>;
      reduce_loops<T>(*s.tables).divide(levels, static_cast<T>(s.r.length), n);
      memcpy(means, levels, static_cast<uint64_t>(n) * sizeof(T));
      reduce_strip<T>(s, strip, means, levels);
    }
    finish_results(s, levels, n);
    copy_loops<T>(*s.tables).copy(levels, 1, advance(call.outputs[0], at[1] + first * sy, sizeof(T)), sy, n);
  }
}

template <class T>
rayo_status run_chains(const rayo_call *call) {
  const ReduceState &s = *static_cast<const ReduceState *>(call->state);
  run_tasks(*call, s.split, chain_task<T>, const_cast<rayo_call *>(call));
  return RAYO_OK;
}

}  // namespace

template <class T>
rayo_kernel_fn plan_chains(const rayo_op_desc &desc, ReduceState *s) {
  layout_sort(&s->r.kept, 0);
  layout_coalesce(&s->r.kept);
  s->blocks = max64(1, ceil_div(s->r.length, kChainBlock));
  const int64_t cols = columns(*s);
  const int64_t units = s->r.outputs == 0 ? 0 : s->r.outputs / cols * ceil_div(cols, kStrip<T>);
  s->split = make_split(desc, units, min64(cols, kStrip<T>) * s->r.length, kReduceTask, kReduceParallelFrom);
  uint64_t levels = 2;
  while ((int64_t{1} << (levels - 2)) < s->blocks) ++levels;
  s->worker_bytes = (levels + (s->variance ? 1 : 0)) * kStrip<T> * sizeof(T);
  return run_chains<T>;
}
template rayo_kernel_fn plan_chains<float>(const rayo_op_desc &desc, ReduceState *s);
template rayo_kernel_fn plan_chains<double>(const rayo_op_desc &desc, ReduceState *s);

}  // namespace rayo
