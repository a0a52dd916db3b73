// SPDX-License-Identifier: Apache-2.0
//
// Descriptors of matmul and gemm in one form: transposition, broadcasting and rank-1 promotion end up in strides.
#include <cpu/gemm_plan.h>
#include <cpu/plugin.h>

namespace rayo {
namespace {

double rounded(double x, DLDataType dtype) { return dtype.bits == 32 ? static_cast<double>(static_cast<float>(x)) : x; }

/// Stride of batch axis `axis` of `rank` in a tensor with `nd` batch axes, aligned at the right; 0 where it broadcasts.
int64_t batch_stride(const rayo_tensor_desc &t, int32_t nd, int32_t rank, int32_t axis) {
  const int32_t own = axis - (rank - nd);
  if (own < 0 || t.shape[own] == 1) return 0;
  return t.strides[own];
}

/// Merges batch axes that step alike and drops those of extent 1.
void coalesce(GemmProblem *p) {
  int32_t n = 0;
  for (int32_t i = 0; i < p->batch_ndim; ++i) {
    const int64_t extent = p->batch_shape[i];
    if (extent == 1) continue;
    if (n > 0 && p->a_batch[n - 1] == extent * p->a_batch[i] && p->b_batch[n - 1] == extent * p->b_batch[i] &&
        p->y_batch[n - 1] == extent * p->y_batch[i]) {
      --n;
      p->batch_shape[n] *= extent;
    } else {
      p->batch_shape[n] = extent;
    }
    p->a_batch[n] = p->a_batch[i];
    p->b_batch[n] = p->b_batch[i];
    p->y_batch[n] = p->y_batch[i];
    ++n;
  }
  p->batch_ndim = n;
}

}  // namespace

void gemm_read_matmul(const rayo_op_desc &desc, GemmProblem *out) {
  const rayo_tensor_desc &a = *desc.inputs[0];
  const rayo_tensor_desc &b = *desc.inputs[1];
  const rayo_tensor_desc &y = *desc.outputs[0];
  *out = GemmProblem{};
  out->alpha = 1.0;
  out->chain = int_attr(desc, "batch_invariant") != 0;
  const int32_t na = a.ndim, nb = b.ndim, ny = y.ndim;
  // Rank 1 is promoted: A gains a leading 1, B a trailing 1; the result's axis is dropped again.
  out->k = a.shape[na - 1];
  out->m = na == 1 ? 1 : a.shape[na - 2];
  out->n = nb == 1 ? 1 : b.shape[nb - 1];
  out->a = {na == 1 ? 0 : a.strides[na - 2], a.strides[na - 1]};
  out->b = nb == 1 ? GemmStrides{b.strides[0], 0} : GemmStrides{b.strides[nb - 2], b.strides[nb - 1]};
  const int32_t y_cols = nb == 1 ? 0 : 1;
  const int32_t y_rows = na == 1 ? 0 : 1;
  out->y.cs = y_cols == 1 ? y.strides[ny - 1] : 0;
  out->y.rs = y_rows == 1 ? y.strides[ny - 1 - y_cols] : 0;
  const int32_t rank = ny - y_cols - y_rows;
  out->batch_ndim = rank;
  for (int32_t i = 0; i < rank; ++i) {
    out->batch_shape[i] = y.shape[i];
    out->y_batch[i] = y.strides[i];
    out->a_batch[i] = na <= 2 ? 0 : batch_stride(a, na - 2, rank, i);
    out->b_batch[i] = nb <= 2 ? 0 : batch_stride(b, nb - 2, rank, i);
  }
  coalesce(out);
}

void gemm_read_gemm(const rayo_op_desc &desc, GemmProblem *out) {
  const rayo_tensor_desc &a = *desc.inputs[0];
  const rayo_tensor_desc &b = *desc.inputs[1];
  const rayo_tensor_desc &y = *desc.outputs[0];
  *out = GemmProblem{};
  out->a_transposed = int_attr(desc, "transA") != 0;
  out->b_transposed = int_attr(desc, "transB") != 0;
  out->chain = int_attr(desc, "batch_invariant") != 0;
  out->alpha = float_attr(desc, "alpha");
  out->beta = float_attr(desc, "beta");
  out->m = y.shape[0];
  out->n = y.shape[1];
  out->k = a.shape[out->a_transposed ? 0 : 1];
  out->a = {a.strides[0], a.strides[1]};
  if (out->a_transposed) out->a = {out->a.cs, out->a.rs};
  out->b = {b.strides[0], b.strides[1]};
  if (out->b_transposed) out->b = {out->b.cs, out->b.rs};
  out->y = {y.strides[0], y.strides[1]};
  const bool given = desc.input_count > 2 && desc.inputs[2]->dtype.bits != 0;
  out->has_c = given && rounded(out->beta, y.dtype) != 0.0;
  if (!out->has_c) return;
  const rayo_tensor_desc &c = *desc.inputs[2];
  const int32_t nc = c.ndim;
  out->c.cs = nc < 1 || c.shape[nc - 1] == 1 ? 0 : c.strides[nc - 1];
  out->c.rs = nc < 2 || c.shape[nc - 2] == 1 ? 0 : c.strides[nc - 2];
  out->c_may_be_y = nc == 2 && c.shape[0] == out->m && c.shape[1] == out->n;
}

}  // namespace rayo
