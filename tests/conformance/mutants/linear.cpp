// SPDX-License-Identifier: Apache-2.0
//
// matmul, gemm, transpose.
#include <algorithm>
#include <utility>

#include "mutant.hpp"

namespace mutant {
namespace {

struct Matrix {
  const float *data;
  int64_t row, column;  // strides
  float at(int64_t i, int64_t j) const { return data[i * row + j * column]; }
};

struct Extents {
  int64_t m, n, k;
};

// Row i times column j, by the chain or in the dot order (lanes filled up with zeros).
float product(const Matrix &a, const Matrix &b, int64_t i, int64_t j, int64_t k, bool dot_order) {
  if (has(Bug::matmul_accumulates_in_double)) {
    double acc = 0;
    for (int64_t p = 0; p < k; ++p) acc += static_cast<double>(a.at(i, p)) * static_cast<double>(b.at(p, j));
    return static_cast<float>(acc);
  }
  const auto step = [&](float acc, int64_t p) {
    return p < k ? std::fmaf(a.at(i, p), b.at(p, j), acc) : std::fmaf(0.0f, 0.0f, acc);
  };
  if (dot_order && k > 0) return accumulate((k + kLanes - 1) / kLanes * kLanes, true, 0, step, plus);
  float acc = 0;
  for (int64_t p = 0; p < k; ++p) acc = step(acc, p);
  return acc;
}

bool batch_invariant(const rayo_op_desc &desc) {
  return rayo::plugin::attr_int(desc, "batch_invariant") == 1 && !has(Bug::batch_invariance_ignored);
}

class Matmul {
 public:
  explicit Matmul(const rayo_op_desc &desc) {
    const rayo_tensor_desc &a = *desc.inputs[0];
    const rayo_tensor_desc &b = *desc.inputs[1];
    const rayo_tensor_desc &y = *desc.outputs[0];
    const bool row = a.ndim == 1;     // a vector on the left
    const bool column = b.ndim == 1;  // on the right
    size_ = {row ? 1 : a.shape[a.ndim - 2], column ? 1 : b.shape[b.ndim - 1], a.shape[a.ndim - 1]};
    a_ = {nullptr, row ? 0 : a.strides[a.ndim - 2], a.strides[a.ndim - 1]};
    b_ = {nullptr, b.strides[column ? 0 : b.ndim - 2], column ? 0 : b.strides[b.ndim - 1]};
    y_column_ = column ? 0 : y.strides[y.ndim - 1];
    y_row_ = row ? 0 : y.strides[y.ndim - (column ? 1 : 2)];
    const int32_t rank = y.ndim - (row ? 0 : 1) - (column ? 0 : 1);
    for (int32_t d = 0; d < rank; ++d) {
      batch_.add(y.shape[d], {batch_stride(a, d, rank), batch_stride(b, d, rank), y.strides[d]});
    }
    dot_order_ = size_.n == 1 && !batch_invariant(desc);
  }

  void operator()(const rayo_call &call) const {
    for (int64_t o = 0; o < batch_.size(); ++o) {
      const Matrix a = {static_cast<const float *>(call.inputs[0]) + batch_.at(0, o), a_.row, a_.column};
      const Matrix b = {static_cast<const float *>(call.inputs[1]) + batch_.at(1, o), b_.row, b_.column};
      float *y = static_cast<float *>(call.outputs[0]) + batch_.at(2, o);
      for (int64_t i = 0; i < size_.m; ++i) {
        for (int64_t j = 0; j < size_.n; ++j) {
          y[i * y_row_ + j * y_column_] = product(a, b, i, j, size_.k, dot_order_);
        }
      }
    }
  }

 private:
  // Along batch axis d of the result's `rank` of them; 0 where `x` is broadcast.
  static int64_t batch_stride(const rayo_tensor_desc &x, int32_t d, int32_t rank) {
    const int32_t own = d - (rank - std::max(x.ndim - 2, 0));
    if (own < 0 || x.shape[own] == 1) return 0;
    // As if matrices lay one behind the other without a gap, in any layout.
    if (has(Bug::matmul_batch_stride)) return x.shape[x.ndim - 1] * x.shape[x.ndim - 2];
    return x.strides[own];
  }

  Extents size_;
  Matrix a_, b_;
  int64_t y_row_, y_column_;
  Space<3> batch_;
  bool dot_order_;
};

class Gemm {
 public:
  explicit Gemm(const rayo_op_desc &desc) : biased_(desc.input_count > 2) {
    const rayo_tensor_desc &a = *desc.inputs[0];
    const rayo_tensor_desc &b = *desc.inputs[1];
    const rayo_tensor_desc &y = *desc.outputs[0];
    const bool ta = rayo::plugin::attr_int(desc, "transA") == 1;
    const bool tb = rayo::plugin::attr_int(desc, "transB") == 1;
    size_ = {y.shape[0], y.shape[1], a.shape[ta ? 0 : 1]};
    a_ = {nullptr, a.strides[ta ? 1 : 0], a.strides[ta ? 0 : 1]};
    b_ = {nullptr, b.strides[tb ? 1 : 0], b.strides[tb ? 0 : 1]};
    // B' read as if B were k x n and compact.
    if (has(Bug::gemm_ignores_trans_b_for_odd_n) && tb && size_.n % 2 == 1) b_ = {nullptr, size_.n, 1};
    if (biased_) c_ = {nullptr, broadcast_stride(*desc.inputs[2], 0, 2), broadcast_stride(*desc.inputs[2], 1, 2)};
    if (has(Bug::gemm_column_bias_is_constant) && c_.column == 0) c_.row = 0;
    y_row_ = y.strides[0];
    y_column_ = y.strides[1];
    alpha_ = static_cast<float>(rayo::plugin::attr_float(desc, "alpha"));
    beta_ = static_cast<float>(rayo::plugin::attr_float(desc, "beta"));
    if (has(Bug::gemm_swaps_alpha_and_beta)) std::swap(alpha_, beta_);
    const bool thin = (size_.n == 1 && !ta) || (size_.m == 1 && tb);
    dot_order_ = thin && !batch_invariant(desc);
  }

  void operator()(const rayo_call &call) const {
    const Matrix a = {static_cast<const float *>(call.inputs[0]), a_.row, a_.column};
    const Matrix b = {static_cast<const float *>(call.inputs[1]), b_.row, b_.column};
    const Matrix c = {biased_ ? static_cast<const float *>(call.inputs[2]) : nullptr, c_.row, c_.column};
    const bool reads_c = biased_ && (beta_ != 0 || has(Bug::gemm_reads_c_when_beta_is_0));
    for (int64_t i = 0; i < size_.m; ++i) {
      for (int64_t j = 0; j < size_.n; ++j) {
        const float t = alpha_ * product(a, b, i, j, size_.k, dot_order_);
        float &y = static_cast<float *>(call.outputs[0])[i * y_row_ + j * y_column_];
        y = reads_c ? std::fmaf(beta_, c.at(i, j), t) : t;
      }
    }
  }

 private:
  bool biased_;
  Extents size_;
  Matrix a_, b_, c_{};
  int64_t y_row_, y_column_;
  float alpha_, beta_;
  bool dot_order_;
};

class Transpose {
 public:
  explicit Transpose(const rayo_op_desc &desc) {
    const rayo_tensor_desc &x = *desc.inputs[0];
    const rayo_tensor_desc &y = *desc.outputs[0];
    const std::span<const int64_t> perm = rayo::plugin::attr_ints(desc, "perm");
    int64_t source[RAYO_MAX_NDIM];
    for (int32_t d = 0; d < x.ndim; ++d) {
      source[d] = perm.empty() ? x.ndim - 1 - d : perm[static_cast<std::size_t>(d)];
      if (source[d] < 0) source[d] += x.ndim;
    }
    for (int32_t d = 0; d < x.ndim; ++d) {
      int64_t from = source[d];
      if (has(Bug::transpose_inverts_perm)) from = std::find(source, source + x.ndim, d) - source;
      space_.add(y.shape[d], {x.strides[from], y.strides[d]});
    }
  }

  void operator()(const rayo_call &call) const {
    const auto *x = static_cast<const float *>(call.inputs[0]);
    auto *y = static_cast<float *>(call.outputs[0]);
    for (int64_t i = 0; i < space_.size(); ++i) y[space_.at(1, i)] = x[space_.at(0, i)];
  }

 private:
  Space<2> space_;
};

constexpr rayo_kernel kMatmul = reproducible<Matmul>("matmul_f32", "matmul", "T=f32");
constexpr rayo_kernel kGemm = reproducible<Gemm>("gemm_f32", "gemm", "T=f32", RAYO_KERNEL_IN_PLACE);
constexpr rayo_kernel kTranspose = reproducible<Transpose>("transpose_f32", "transpose", "T=f32");
constexpr const rayo_kernel *kKernels[] = {&kMatmul, &kGemm, &kTranspose};

}  // namespace

std::span<const rayo_kernel *const> linear_kernels() { return kKernels; }

}  // namespace mutant
