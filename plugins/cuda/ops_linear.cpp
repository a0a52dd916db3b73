// SPDX-License-Identifier: Apache-2.0
//
// matmul and gemm: the reproducible tiles, the dot order of matrix times vector, and tensor cores.
#include "ops_linear.h"

#include "ops_reduce.h"

namespace rayo::cuda {
namespace {

/// Stride of batch axis `axis` of `rank` in a tensor with `own_rank` batch axes, aligned at the right; 0 where
/// broadcast.
int64_t batch_stride(const rayo_tensor_desc &t, int32_t own_rank, int32_t rank, int32_t axis) {
  const int32_t own = axis - (rank - own_rank);
  return own < 0 || t.shape[own] == 1 ? 0 : t.strides[own];
}

Product read_matmul(const rayo_op_desc &desc) {
  const rayo_tensor_desc &a = *desc.inputs[0], &b = *desc.inputs[1], &y = *desc.outputs[0];
  Product r;
  GemmParams &p = r.p;
  p.alpha = 1.0f;
  const int32_t na = a.ndim, nb = b.ndim, ny = y.ndim;
  // Rank 1 is promoted: A gains a leading 1, B a trailing 1; the result's axis is dropped again.
  p.k = a.shape[na - 1];
  p.m = na == 1 ? 1 : a.shape[na - 2];
  p.n = nb == 1 ? 1 : b.shape[nb - 1];
  p.a_row = na == 1 ? 0 : a.strides[na - 2];
  p.a_col = a.strides[na - 1];
  p.b_row = nb == 1 ? b.strides[0] : b.strides[nb - 2];
  p.b_col = nb == 1 ? 0 : b.strides[nb - 1];
  const int32_t cols = nb == 1 ? 0 : 1, rows = na == 1 ? 0 : 1;
  p.y_col = cols == 1 ? y.strides[ny - 1] : 0;
  p.y_row = rows == 1 ? y.strides[ny - 1 - cols] : 0;
  const int32_t rank = ny - cols - rows;
  p.count = 1;
  for (int32_t i = 0; i < rank; ++i) {
    p.count *= y.shape[i];
    push_axis(
        p.batch, y.shape[i],
        {na <= 2 ? 0 : batch_stride(a, na - 2, rank, i), nb <= 2 ? 0 : batch_stride(b, nb - 2, rank, i), y.strides[i]});
  }
  return r;
}

Product read_gemm(const rayo_op_desc &desc) {
  const rayo_tensor_desc &a = *desc.inputs[0], &b = *desc.inputs[1], &y = *desc.outputs[0];
  Product r;
  GemmParams &p = r.p;
  r.a_transposed = plugin::attr_int(desc, "transA") != 0;
  r.b_transposed = plugin::attr_int(desc, "transB") != 0;
  p.alpha = static_cast<float>(plugin::attr_float(desc, "alpha"));
  p.beta = static_cast<float>(plugin::attr_float(desc, "beta"));
  p.m = y.shape[0];
  p.n = y.shape[1];
  p.k = a.shape[r.a_transposed ? 0 : 1];
  p.a_row = a.strides[r.a_transposed ? 1 : 0];
  p.a_col = a.strides[r.a_transposed ? 0 : 1];
  p.b_row = b.strides[r.b_transposed ? 1 : 0];
  p.b_col = b.strides[r.b_transposed ? 0 : 1];
  p.y_row = y.strides[0];
  p.y_col = y.strides[1];
  p.count = 1;
  r.has_c = has_input(desc, 2) && p.beta != 0.0f;
  if (!r.has_c) return r;
  const rayo_tensor_desc &c = *desc.inputs[2];
  p.c_col = c.ndim < 1 || c.shape[c.ndim - 1] == 1 ? 0 : c.strides[c.ndim - 1];
  p.c_row = c.ndim < 2 || c.shape[c.ndim - 2] == 1 ? 0 : c.strides[c.ndim - 2];
  return r;
}

/// A tiled kernel and its tile.
struct Tiled {
  KernelName kernel;
  int64_t m, n;
};
constexpr Tiled kLarge = {{kImageGemm, "gemm_f32_128x128", 256}, 128, 128};
constexpr Tiled kSmall = {{kImageGemm, "gemm_f32_32x64", 128}, 32, 64};
constexpr Tiled kTf32 = {{kImageGemmMma, "gemm_tf32_64x64", 128}, 64, 64};

/// The large tile where it gives every multiprocessor a block; else the small one.
const Tiled &choose_tile(const Shared &shared, const GemmParams &p) {
  const int64_t blocks = ceil_div(p.m, kLarge.m) * ceil_div(p.n, kLarge.n) * p.count;
  return blocks >= shared.sms && p.m > kSmall.m ? kLarge : kSmall;
}

class Chain {
 public:
  Chain(Shared &shared, const Product &product, const Tiled &tile) : product_(product), kernel_(shared, tile.kernel) {
    GemmParams &p = product_.p;
    close_layout(p.batch);
    p.tiles_m = ceil_div(p.m, tile.m);
    p.tiles_n = ceil_div(p.n, tile.n);
  }
  void enqueue(Work &work) const {
    GemmParams p = product_.p;
    p.a = work.in[0];
    p.b = work.in[1];
    p.c = product_.has_c ? static_cast<const float *>(work.in[2]) : nullptr;
    p.y = static_cast<float *>(work.out[0]);
    kernel_(work, p, p.tiles_m * p.tiles_n * p.count);
  }

 private:
  Product product_;
  BoundKernel kernel_;
};

/// Matrix times vector: each element a reduction in the dot order.
ReduceParams dot_params(const Product &product) {
  const GemmParams &p = product.p;
  ReduceParams r{};
  r.outputs = p.count * p.m * p.n;
  r.length = p.k;
  r.finish = kFinishProduct;
  r.alpha = p.alpha;
  r.beta = p.beta;
  for (int32_t i = 0; i < p.batch.ndim; ++i) {
    push_axis(r.outer, p.batch.extent[i], {p.batch.stride[0][i], p.batch.stride[1][i], p.batch.stride[2][i], 0});
  }
  push_axis(r.outer, p.m, {p.a_row, 0, p.y_row, p.c_row});
  push_axis(r.outer, p.n, {0, p.b_col, p.y_col, p.c_col});
  push_axis(r.inner, p.k, {p.a_col, p.b_row});
  return r;
}

class ProductState : public State {
 public:
  ProductState(Shared &shared, const rayo_op_desc &desc, const Product &product) : product_(product) {
    const GemmParams &p = product_.p;
    const bool invariant = plugin::attr_int(desc, "batch_invariant") != 0;
    const bool dot = !invariant && ((p.n == 1 && !product_.a_transposed) || (p.m == 1 && product_.b_transposed));
    if (p.m == 0 || p.n == 0 || p.count == 0) return;
    if (dot) {
      constexpr KernelName kCombine = {kImageReduce, "reduce_combine_sum_f32", 256};
      dot_.emplace(shared, dot_params(product_), true, kDotLanes, kCombine);
      workspace_size = dot_->workspace_size();
    } else {
      chain_.emplace(shared, product_, choose_tile(shared, p));
    }
  }
  void enqueue(Work &work) const override {
    if (chain_) chain_->enqueue(work);
    if (dot_)
      dot_->enqueue(work, static_cast<const float *>(work.in[0]), static_cast<const float *>(work.in[1]),
                    product_.has_c ? static_cast<const float *>(work.in[2]) : nullptr,
                    static_cast<float *>(work.out[0]));
  }

 private:
  Product product_;
  std::optional<Chain> chain_;
  std::optional<ReducePlan> dot_;
};

template <Product (*kRead)(const rayo_op_desc &)>
class Reproducible final : public ProductState {
 public:
  Reproducible(Shared &shared, const rayo_op_desc &desc) : ProductState(shared, desc, kRead(desc)) {}
};

template <Product (*kRead)(const rayo_op_desc &)>
class TensorCore final : public State {
 public:
  TensorCore(Shared &shared, const rayo_op_desc &desc) {
    const Product product = kRead(desc);
    if (product.p.m > 0 && product.p.n > 0 && product.p.count > 0) chain_.emplace(shared, product, kTf32);
  }
  void enqueue(Work &work) const override {
    if (chain_) chain_->enqueue(work);
  }

 private:
  std::optional<Chain> chain_;
};

constexpr KernelTraits kRelaxed = {.numerics = RAYO_NUMERICS_RELAXED};
constexpr KernelTraits kRelaxedInPlace = {.numerics = RAYO_NUMERICS_RELAXED, .flags = RAYO_KERNEL_IN_PLACE};
constexpr rayo_kernel kKernels[] = {
    device_kernel<Reproducible<read_matmul>>("matmul_f32", "matmul", "T=f32"),
    device_kernel<Reproducible<read_gemm>>("gemm_f32", "gemm", "T=f32", {.flags = RAYO_KERNEL_IN_PLACE}),
    device_kernel<TensorCore<read_matmul>>("matmul_tf32", "matmul", "T=f32", kRelaxed),
    device_kernel<TensorCore<read_gemm>>("gemm_tf32", "gemm", "T=f32", kRelaxedInPlace),
};
constexpr const rayo_kernel *kList[] = {&kKernels[0], &kKernels[1], &kKernels[2], &kKernels[3]};

}  // namespace

Product read_product(const rayo_op_desc &desc, bool is_gemm) { return is_gemm ? read_gemm(desc) : read_matmul(desc); }

void enqueue_bf16(Work &work, const Product &product, const BoundKernel &kernel) {
  GemmParams p = product.p;
  close_layout(p.batch);
  p.tiles_m = ceil_div(p.m, 64);
  p.tiles_n = ceil_div(p.n, 64);
  p.a = work.in[0];
  p.b = work.in[1];
  p.y = static_cast<float *>(work.out[0]);
  kernel(work, p, p.tiles_m * p.tiles_n * p.count);
}

constexpr KernelList kLinearKernels = {kList, 4};

}  // namespace rayo::cuda
