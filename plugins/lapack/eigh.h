// SPDX-License-Identifier: Apache-2.0
//
// The eigh kernel as plugin.hpp wants it: bound by prepare to shapes, strides and triangle, immutable afterwards.
#pragma once

#include <rayo/plugin.hpp>

#include <array>
#include <cstdint>

namespace rayo::lapack {

// 1 + 6n + 2n^2, the workspace of divide and conquer, has to fit LAPACK's 32-bit integers.
constexpr int64_t kMaxOrder = 32000;

// A V = V diag(W) for a batch of symmetric matrices, one after the other on the calling thread. W and V may have any
// strides; A is read once, its `triangle` alone.
class Eigh {
 public:
  // Throws RAYO_OUT_OF_MEMORY when the workspace's size overflows.
  explicit Eigh(const rayo_op_desc &desc);

  // RAYO_WHY_SIZE above kMaxOrder.
  static uint32_t supports(const rayo_op_desc &desc) noexcept;

  uint64_t workspace_size() const noexcept { return workspace_size_; }

  // Throws RAYO_INTERNAL when LAPACK does not converge; the text names the matrix.
  void operator()(const rayo_call &call) const;

 private:
  struct Offsets {
    int64_t a, w, v;  // in elements
  };

  template <class T>
  void run(const rayo_call &call) const;
  Offsets offsets(int64_t matrix) const noexcept;

  uint8_t bits_;
  char triangle_;
  int64_t n_ = 0;
  int64_t matrices_ = 1;
  int32_t batch_axes_ = 0;
  std::array<int64_t, RAYO_MAX_NDIM> extents_{};
  std::array<Offsets, RAYO_MAX_NDIM> steps_{};
  int64_t a_row_ = 0, a_column_ = 0, w_step_ = 0, v_row_ = 0, v_column_ = 0;
  int32_t work_count_ = 1, integer_count_ = 1;
  uint64_t workspace_size_ = 0;
};

}  // namespace rayo::lapack
