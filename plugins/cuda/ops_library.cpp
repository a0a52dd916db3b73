// SPDX-License-Identifier: Apache-2.0
//
// Ops by NVIDIA's libraries: products by cuBLAS (strict in pedantic mode, relaxed in TF32), eigh by cuSOLVER. Their
// order of summation is their own.
#include "libraries.h"
#include "ops_linear.h"

namespace rayo::cuda {
namespace {

constexpr int64_t kMostInt = std::numeric_limits<int32_t>::max();

/// Leading dimension of a matrix whose `fast` elements are consecutive; 0 where it has none that BLAS takes.
int leading(int64_t fast, int64_t slow, int64_t fast_stride, int64_t slow_stride) {
  if (fast_stride != 1 && fast != 1) return 0;
  const int64_t ld = slow == 1 ? std::max<int64_t>(1, fast) : slow_stride;
  return ld >= std::max<int64_t>(1, fast) && ld <= kMostInt ? static_cast<int>(ld) : 0;
}

/// The product in cuBLAS's terms, or nothing.
std::optional<BlasProduct> read_blas(const Product &product) {
  const GemmParams &p = product.p;
  if (product.has_c || p.batch.ndim > 1 || p.m > kMostInt || p.n > kMostInt || p.k > kMostInt || p.count > kMostInt)
    return std::nullopt;
  BlasProduct b{};
  b.m = static_cast<int>(p.m);
  b.n = static_cast<int>(p.n);
  b.k = static_cast<int>(p.k);
  b.count = static_cast<int>(p.count);
  b.alpha = p.alpha;
  b.lda = leading(p.k, p.m, p.a_col, p.a_row);
  b.a_transposed = b.lda == 0;
  if (b.a_transposed) b.lda = leading(p.m, p.k, p.a_row, p.a_col);
  b.ldb = leading(p.n, p.k, p.b_col, p.b_row);
  b.b_transposed = b.ldb == 0;
  if (b.b_transposed) b.ldb = leading(p.k, p.n, p.b_row, p.b_col);
  b.ldy = leading(p.n, p.m, p.y_col, p.y_row);
  if (b.lda == 0 || b.ldb == 0 || b.ldy == 0) return std::nullopt;
  if (p.batch.ndim == 1) {
    b.a_step = p.batch.stride[0][0];
    b.b_step = p.batch.stride[1][0];
    b.y_step = p.batch.stride[2][0];
    if (b.a_step < 0 || b.b_step < 0 || b.y_step < 0) return std::nullopt;
  }
  return b;
}

template <bool kGemm>
uint32_t blas_supports(rayo_instance *, const rayo_op_desc *desc) {
  if (!blas_present()) return RAYO_WHY_OTHER;
  const Product product = read_product(*desc, kGemm);
  if (product.p.m == 0 || product.p.n == 0 || product.p.k == 0 || product.p.count == 0) return RAYO_WHY_SHAPE;
  if (product.has_c) return RAYO_WHY_ATTRIBUTE;
  return read_blas(product) ? RAYO_WHY_SUPPORTED : RAYO_WHY_LAYOUT;
}

template <bool kGemm, bool kTf32>
class BlasState final : public State {
 public:
  BlasState(Shared &device, const rayo_op_desc &desc) : blas_(device.blas()) {
    const auto product = read_blas(read_product(desc, kGemm));
    if (!product) throw Error(RAYO_UNSUPPORTED, "cuBLAS does not take this layout");
    product_ = *product;
  }
  void enqueue(Work &work) const override {
    BlasProduct p = product_;
    p.a = work.in[0];
    p.b = work.in[1];
    p.y = work.out[0];
    blas_.gemm(work.stream, p, kTf32);
    ++work.queued;
  }

 private:
  Blas &blas_;
  BlasProduct product_;
};

constexpr unsigned kEighThreads = 256;
constexpr uint64_t aligned(uint64_t size) { return (size + 255) / 256 * 256; }

template <class T>
class Eigh final : public State {
 public:
  Eigh(Shared &device, const rayo_op_desc &desc)
      : device_(device),
        solver_(device.solver()),
        load_(device, {kImageEigh, kF64 ? "eigh_load_f64" : "eigh_load_f32", kEighThreads}),
        store_(device, {kImageEigh, kF64 ? "eigh_store_f64" : "eigh_store_f32", kEighThreads}) {
    const rayo_tensor_desc &a = *desc.inputs[0], &w = *desc.outputs[0], &v = *desc.outputs[1];
    const int32_t rank = a.ndim;
    in_.n = out_.n = n_ = a.shape[rank - 1];
    in_.a_row = a.strides[rank - 2];
    in_.a_col = a.strides[rank - 1];
    lower_ = plugin::attr_string(desc, "UPLO") == "L";
    in_.lower = lower_ ? 1 : 0;
    out_.w_step = w.strides[rank - 2];
    out_.v_row = v.strides[rank - 2];
    out_.v_col = v.strides[rank - 1];
    for (int32_t i = 0; i < rank - 2; ++i) {
      count_ *= a.shape[i];
      push_axis(batch_, a.shape[i], {a.strides[i], w.strides[i], v.strides[i]});
    }
    close_layout(batch_);
    if (n_ == 0 || count_ == 0) return;
    solver_.workspace(n_, kF64, lower_, solver_bytes_, host_bytes_);
    values_at_ = aligned(static_cast<uint64_t>(n_ * n_) * sizeof(T));
    info_at_ = values_at_ + aligned(static_cast<uint64_t>(n_) * sizeof(T));
    solver_at_ = info_at_ + aligned(2 * sizeof(int32_t));
    workspace_size = solver_at_ + aligned(solver_bytes_);
  }
  void enqueue(Work &work) const override {
    if (n_ == 0 || count_ == 0) return;
    char *memory = static_cast<char *>(work.workspace);
    auto *info = reinterpret_cast<int32_t *>(memory + info_at_);
    for (int64_t matrix = 0; matrix < count_; ++matrix) {
      int64_t at[3] = {0, 0, 0};
      int64_t rest = matrix;
      for (int32_t axis = batch_.ndim; axis-- > 0; rest /= batch_.extent[axis])
        for (int k = 0; k < 3; ++k) at[k] += rest % batch_.extent[axis] * batch_.stride[k][axis];
      EighLoadParams in = in_;
      in.a = static_cast<const T *>(work.in[0]) + at[0];
      in.matrix = memory;
      in.bad = info + 1;
      load_(work, in, 1);
      work.record.scratch.push_back(std::make_unique<char[]>(host_bytes_));
      solver_.eigh(work.stream, n_, kF64, lower_, memory, memory + values_at_, memory + solver_at_, solver_bytes_,
                   work.record.scratch.back().get(), host_bytes_, info);
      EighParams out = out_;
      out.vectors = memory;
      out.values = memory + values_at_;
      out.info = info;
      out.w = static_cast<T *>(work.out[0]) + at[1];
      out.v = static_cast<T *>(work.out[1]) + at[2];
      store_(work, out, grid_for(device_, n_ * n_, kEighThreads));
    }
  }

 private:
  static constexpr bool kF64 = sizeof(T) == 8;
  Shared &device_;
  Solver &solver_;
  BoundKernel load_, store_;
  EighLoadParams in_{};
  EighParams out_{};
  Layout<3> batch_{};
  int64_t n_ = 0, count_ = 1;
  bool lower_ = true;
  std::size_t solver_bytes_ = 0, host_bytes_ = 0;
  uint64_t values_at_ = 0, info_at_ = 0, solver_at_ = 0;
};

uint32_t eigh_supports(rayo_instance *, const rayo_op_desc *) {
  return solver_present() ? RAYO_WHY_SUPPORTED : RAYO_WHY_OTHER;
}

constexpr KernelTraits kStrict = {.numerics = RAYO_NUMERICS_STRICT};
constexpr KernelTraits with_supports(uint32_t numerics, uint32_t (*supports)(rayo_instance *, const rayo_op_desc *),
                                     uint32_t alignment = 4) {
  KernelTraits t = kStrict;
  t.numerics = numerics;
  t.supports = supports;
  t.alignment = alignment;
  return t;
}
constexpr rayo_kernel kKernels[] = {
    device_kernel<BlasState<false, false>>("matmul_cublas_f32", "matmul", "T=f32",
                                           with_supports(RAYO_NUMERICS_STRICT, blas_supports<false>)),
    device_kernel<BlasState<true, false>>("gemm_cublas_f32", "gemm", "T=f32",
                                          with_supports(RAYO_NUMERICS_STRICT, blas_supports<true>)),
    device_kernel<BlasState<false, true>>("matmul_cublas_tf32", "matmul", "T=f32",
                                          with_supports(RAYO_NUMERICS_RELAXED, blas_supports<false>)),
    device_kernel<BlasState<true, true>>("gemm_cublas_tf32", "gemm", "T=f32",
                                         with_supports(RAYO_NUMERICS_RELAXED, blas_supports<true>)),
    device_kernel<Eigh<float>>("eigh_cusolver_f32", "eigh", "T=f32",
                               with_supports(RAYO_NUMERICS_STRICT, eigh_supports)),
    device_kernel<Eigh<double>>("eigh_cusolver_f64", "eigh", "T=f64",
                                with_supports(RAYO_NUMERICS_STRICT, eigh_supports, 8)),
};
constexpr const rayo_kernel *kList[] = {&kKernels[0], &kKernels[1], &kKernels[2],
                                        &kKernels[3], &kKernels[4], &kKernels[5]};

}  // namespace

constexpr KernelList kLibraryKernels = {kList, 6};

}  // namespace rayo::cuda
