// SPDX-License-Identifier: Apache-2.0
//
// reduce_sum, reduce_max, variance, argmax: summation orders, passes, ties, and what goes wrong between tasks and
// calls.
#include <time.h>

#include <algorithm>
#include <bit>

#include "mutant.hpp"

namespace mutant {
namespace {

struct Line {
  const float *x;
  const Space<1> &inner;
  int64_t n;
  bool lanes;  // the order
  float at(int64_t i) const { return x[inner.at(0, i)]; }
};

float sum(const Line &line) {
  const auto take = [&](float acc, int64_t i) { return acc + line.at(i); };
  if (has(Bug::sum_in_one_chain)) {
    float acc = 0;
    for (int64_t i = 0; i < line.n; ++i) acc = take(acc, i);
    return acc;
  }
  return accumulate(line.n, line.lanes, 0, take, plus);
}

float variance(const Line &line, int64_t correction) {
  const auto n = static_cast<float>(line.n);
  const float mean = sum(line) / n;
  if (has(Bug::variance_ignores_correction)) correction = 0;
  if (line.n - correction <= 0) return std::numeric_limits<float>::quiet_NaN();
  const auto divisor = static_cast<float>(line.n - correction);
  if (has(Bug::variance_in_one_pass)) {
    const auto square = [&](float acc, int64_t i) { return std::fmaf(line.at(i), line.at(i), acc); };
    return (accumulate(line.n, line.lanes, 0, square, plus) - n * mean * mean) / divisor;
  }
  const auto take = [&](float acc, int64_t i) { return std::fmaf(line.at(i) - mean, line.at(i) - mean, acc); };
  return accumulate(line.n, line.lanes, 0, take, plus) / divisor;
}

float maximum(const Line &line) {
  return accumulate(
      line.n, line.lanes, -kInfinity, [&](float acc, int64_t i) { return max_f32(acc, line.at(i)); }, max_f32);
}

// Outer axes keep their place, inner ones are reduced.
struct Axes {
  Space<2> outer;
  Space<1> inner;
  bool lanes;

  Axes(const rayo_op_desc &desc, std::span<const int64_t> axes, bool keep) {
    const rayo_tensor_desc &x = *desc.inputs[0];
    const rayo_tensor_desc &y = *desc.outputs[0];
    int32_t out_axis = 0;
    lanes = x.ndim == 0;
    int32_t reduced = 0;
    for (int32_t d = 0; d < x.ndim; ++d) {
      const bool inside = axes.empty() || std::find(axes.begin(), axes.end(), d) != axes.end();
      if (!inside) outer.add(x.shape[d], {x.strides[d], y.strides[out_axis]});
      // Behind a kept axis a second run of reduced ones is forgotten.
      const bool forgotten = has(Bug::reduce_second_axis_forgotten) && reduced > 0 && outer.rank > first_kept_;
      if (inside && !forgotten) inner.add(x.shape[d], {x.strides[d]});
      if (inside && reduced++ == 0) first_kept_ = outer.rank;
      if (!inside || keep) ++out_axis;
      if (inside && d == x.ndim - 1) lanes = true;
    }
  }

 private:
  int32_t first_kept_ = 0;
};

enum class Op { sum, max, variance };

template <Op kOp>
class Reduce {
 public:
  explicit Reduce(const rayo_op_desc &desc)
      : axes_(desc, rayo::plugin::attr_ints(desc, "axes"), rayo::plugin::attr_int(desc, "keepdims") == 1),
        n_(axes_.inner.size()) {
    if constexpr (kOp == Op::variance) correction_ = rayo::plugin::attr_int(desc, "correction");
    blocks_ = kOp == Op::sum && axes_.outer.size() == 1 && axes_.lanes && n_ > kBlock ? (n_ + kBlock - 1) / kBlock : 1;
    threads_ = blocks_ > 1 ? desc.max_threads : 1;
  }

  uint32_t threads() const { return threads_; }
  uint64_t workspace_size() const {
    return blocks_ > 1 ? static_cast<uint64_t>(blocks_) * sizeof(float) : 0;
  }  // block results

  void operator()(const rayo_call &call) const {
    const auto *x = static_cast<const float *>(call.inputs[0]);
    auto *y = static_cast<float *>(call.outputs[0]);
    auto *workspace = static_cast<float *>(call.workspace);
    if (blocks_ > 1) {
      *y = has(Bug::tasks_share_an_accumulator) ? racy(call, x) : parallel(call, x, workspace);
      return;
    }
    for (int64_t i = 0; i < axes_.outer.size(); ++i) {
      const Line line{x + axes_.outer.at(0, i), axes_.inner, n_, axes_.lanes};
      float &out = y[axes_.outer.at(1, i)];
      float value = kOp == Op::sum ? sum(line) : kOp == Op::max ? maximum(line) : variance(line, correction_);
      if (has(Bug::reads_the_output) && kOp == Op::max) value = max_f32(out, value);
      if (has(Bug::keeps_state_between_calls) && kOp == Op::sum) {
        static float carried = 0;
        value += carried;
        carried = value;
      }
      out = value;
    }
  }

 private:
  float block(const float *x, int64_t b) const {
    const Line line{x, axes_.inner, n_, true};
    const auto take = [&](float acc, int64_t i) { return acc + line.at(b * kBlock + i); };
    return lane_block(std::min(kBlock, n_ - b * kBlock), 0, take, plus);
  }

  float parallel(const rayo_call &call, const float *x, float *results) const {
    rayo::plugin::parallel_for(call, static_cast<uint64_t>(blocks_), [&](uint64_t b, uint32_t) {
      results[b] = block(x, static_cast<int64_t>(b)) + (has(Bug::adds_to_the_workspace) ? results[b] : 0);
    });
    // With many threads a task per thread, joined in another order.
    if (has(Bug::order_depends_on_threads) && call.max_threads > 4) {
      float acc = 0;
      for (int64_t b = blocks_; b-- > 0;) acc += results[b];
      return acc;
    }
    return pairwise(
        0, blocks_, [&](int64_t b) { return results[b]; }, plus);
  }

  // Every task adds to one sum without a lock. The pause between reading and writing makes the loss certain.
  float racy(const rayo_call &call, const float *x) const {
    volatile float total = 0;
    rayo::plugin::parallel_for(call, static_cast<uint64_t>(blocks_), [&](uint64_t b, uint32_t) {
      const float before = total;
      const float mine = block(x, static_cast<int64_t>(b));
      const timespec pause = {0, 3000000};
      ::nanosleep(&pause, nullptr);
      total = before + mine;
    });
    return total;
  }

  Axes axes_;
  int64_t n_;
  int64_t correction_ = 0;
  int64_t blocks_ = 1;
  uint32_t threads_ = 1;
};

class ArgMax {
 public:
  explicit ArgMax(const rayo_op_desc &desc)
      : axis_(rayo::plugin::attr_int(desc, "axis")),
        axes_(desc, std::span(&axis_, 1), rayo::plugin::attr_int(desc, "keepdims") == 1),
        last_(rayo::plugin::attr_int(desc, "select_last_index") == 1) {}

  void operator()(const rayo_call &call) const {
    const auto *x = static_cast<const float *>(call.inputs[0]);
    auto *y = static_cast<int64_t *>(call.outputs[0]);
    const int64_t n = axes_.inner.size();
    const bool last = last_ || has(Bug::argmax_ties_last);
    for (int64_t o = 0; o < axes_.outer.size(); ++o) {
      const Line line{x + axes_.outer.at(0, o), axes_.inner, n, true};
      int64_t best = 0;
      for (int64_t i = 1; i < n; ++i) {
        if (above(line.at(i), line.at(best)) || (last && !above(line.at(best), line.at(i)))) best = i;
      }
      y[axes_.outer.at(1, o)] = best;
    }
  }

 private:
  static bool above(float a, float b) {
    if (has(Bug::argmax_skips_nan)) return a > b;
    return a != a ? b == b : a > b;
  }

  int64_t axis_;
  Axes axes_;
  bool last_;
};

constexpr rayo_kernel kSum = reproducible<Reduce<Op::sum>>("reduce_sum_f32", "reduce_sum", "T=f32");
constexpr rayo_kernel kMax = reproducible<Reduce<Op::max>>("reduce_max_f32", "reduce_max", "T=f32");
constexpr rayo_kernel kVariance = reproducible<Reduce<Op::variance>>("variance_f32", "variance", "T=f32");
constexpr rayo_kernel kArgMax = reproducible<ArgMax>("argmax_f32", "argmax", "T=f32");
constexpr const rayo_kernel *kKernels[] = {&kSum, &kMax, &kVariance, &kArgMax};

}  // namespace

std::span<const rayo_kernel *const> reduce_kernels() { return kKernels; }

}  // namespace mutant
