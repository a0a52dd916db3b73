// SPDX-License-Identifier: Apache-2.0
//
// Part of plugin.hpp: loops over strided operands, cut into tasks by their shape alone, and the executor as a loop over
// a lambda.
#ifndef RAYO_PLUGIN_LOOP_HPP
#define RAYO_PLUGIN_LOOP_HPP

#include <rayo/plugin.h>

#include <array>
#include <atomic>
#include <exception>
#include <type_traits>

namespace rayo::plugin {

// Walks N operands that share one index space (outputs first or last, as the author likes), any strides, in pieces of
// at most kPiece elements of one innermost row. How it is cut depends on the shape alone. Offsets are in elements.
template <std::size_t N>
class StridedLoop {
 public:
  using Offsets = std::array<int64_t, N>;
  static constexpr int64_t kPiece = 16384;

  // Copies what it needs. All operands have the first one's extents; an axis of extent 1 is dropped, and neighbours
  // that are contiguous in every operand become one.
  explicit StridedLoop(const std::array<const rayo_tensor_desc *, N> &operands) {
    for (int32_t axis = 0; axis < operands[0]->ndim; ++axis) {
      Axis next{operands[0]->shape[axis], {}};
      for (std::size_t i = 0; i < N; ++i) next.stride[i] = operands[i]->strides[axis];
      if (next.extent == 0) empty_ = true;
      if (next.extent != 1) append(next);
    }
    if (rank_ == 0) append(Axis{1, {}});
    const Axis &row = axes_[rank_ - 1];
    if (empty_) return;
    pieces_per_row_ = (row.extent + kPiece - 1) / kPiece;
    rows_ = 1;
    for (std::size_t axis = 0; axis + 1 < rank_; ++axis) rows_ *= axes_[axis].extent;
    rows_per_task_ = pieces_per_row_ > 1 ? 1 : (kPiece / row.extent > 0 ? kPiece / row.extent : 1);
  }

  // Independent tasks, 0 for an empty tensor.
  uint64_t tasks() const noexcept {
    return static_cast<uint64_t>((rows_ + rows_per_task_ - 1) / rows_per_task_ * pieces_per_row_);
  }
  // Strides of the pieces that body sees.
  const Offsets &strides() const noexcept { return axes_[rank_ - 1].stride; }

  // body(offsets, count) for every piece of a task: `count` elements from `offsets` on, strides() apart.
  template <class Body>
  void run(uint64_t task, Body &&body) const {
    const Axis &row = axes_[rank_ - 1];
    const int64_t group = static_cast<int64_t>(task) / pieces_per_row_;
    const int64_t begin = static_cast<int64_t>(task) % pieces_per_row_ * kPiece;
    const int64_t count = row.extent - begin < kPiece ? row.extent - begin : kPiece;
    const int64_t end = (group + 1) * rows_per_task_ < rows_ ? (group + 1) * rows_per_task_ : rows_;
    for (int64_t r = group * rows_per_task_; r < end; ++r) {
      Offsets at{};
      for (std::size_t i = 0; i < N; ++i) at[i] = begin * row.stride[i];
      int64_t rest = r;
      for (std::size_t axis = rank_ - 1; axis-- > 0; rest /= axes_[axis].extent)
        for (std::size_t i = 0; i < N; ++i) at[i] += rest % axes_[axis].extent * axes_[axis].stride[i];
      body(at, count);
    }
  }

 private:
  struct Axis {
    int64_t extent;
    Offsets stride;
  };

  void append(const Axis &next) {
    if (rank_ > 0) {
      Axis &last = axes_[rank_ - 1];
      bool joins = true;
      for (std::size_t i = 0; i < N; ++i) joins = joins && last.stride[i] == next.stride[i] * next.extent;
      if (joins) {
        last = Axis{last.extent * next.extent, next.stride};
        return;
      }
    }
    axes_[rank_++] = next;
  }

  std::array<Axis, RAYO_MAX_NDIM> axes_{};
  std::size_t rank_ = 0;
  int64_t rows_ = 0, pieces_per_row_ = 1, rows_per_task_ = 1;
  bool empty_ = false;
};

// body(task, worker) for every task, on the call's executor. The first exception of a task is rethrown to the caller
// once all have ended.
template <class Body>
void parallel_for(const rayo_call &call, uint64_t tasks, Body &&body) {
  if (tasks <= 1 || call.max_threads <= 1) {
    for (uint64_t task = 0; task < tasks; ++task) body(task, 0u);
    return;
  }
  struct Shared {
    std::remove_reference_t<Body> *body;
    std::atomic<bool> failed{false};
    std::exception_ptr error;
  } shared{&body, {}, {}};
  const rayo_task_fn run = [](void *ctx, uint64_t task, uint32_t worker) noexcept {
    auto *s = static_cast<Shared *>(ctx);
    try {
      (*s->body)(task, worker);
    } catch (...) {
      if (!s->failed.exchange(true)) s->error = std::current_exception();
    }
  };
  call.executor->parallel_for(call.executor->self, tasks, call.max_threads, run, &shared);
  if (shared.error) std::rethrow_exception(shared.error);
}

}  // namespace rayo::plugin

#endif  // RAYO_PLUGIN_LOOP_HPP
