// SPDX-License-Identifier: Apache-2.0
#include "eigh.h"

#include <lapacke.h>

#include <cmath>
#include <limits>
#include <string>

namespace rayo::lapack {
namespace {

using plugin::Error;

// LAPACKE's middle level: no allocation, no look for NaN, column-major in place.
lapack_int syevd(char triangle, lapack_int n, float *a, float *w, float *work, lapack_int work_count, lapack_int *iwork,
                 lapack_int iwork_count) {
  return LAPACKE_ssyevd_work(LAPACK_COL_MAJOR, 'V', triangle, n, a, n, w, work, work_count, iwork, iwork_count);
}
lapack_int syevd(char triangle, lapack_int n, double *a, double *w, double *work, lapack_int work_count,
                 lapack_int *iwork, lapack_int iwork_count) {
  return LAPACKE_dsyevd_work(LAPACK_COL_MAJOR, 'V', triangle, n, a, n, w, work, work_count, iwork, iwork_count);
}

// The workspace LAPACK asks for: reals and integers. At least the documented minimum.
template <class T>
void query_work(char triangle, int64_t n, int32_t *work_count, int32_t *integer_count) {
  T a{}, w{}, work{};
  lapack_int iwork = 0;
  *work_count = static_cast<int32_t>(1 + 6 * n + 2 * n * n);
  *integer_count = static_cast<int32_t>(3 + 5 * n);
  if (n == 0 || syevd(triangle, static_cast<lapack_int>(n), &a, &w, &work, -1, &iwork, -1) != 0) return;
  // A float cannot hold every count: the answer may have been rounded down, hence the minimum's say.
  const double asked = std::ceil(static_cast<double>(work));
  if (asked > *work_count && asked < std::numeric_limits<int32_t>::max()) *work_count = static_cast<int32_t>(asked);
  if (iwork > *integer_count) *integer_count = iwork;
}

uint64_t aligned(uint64_t size) { return (size + 63) / 64 * 64; }

// One matrix in the workspace: column-major, LAPACK overwrites it with the eigenvectors.
template <class T>
struct Work {
  Work(void *memory, int64_t n, int32_t work_count)
      : a(static_cast<T *>(memory)),
        w(after(a, static_cast<uint64_t>(n) * static_cast<uint64_t>(n))),
        work(after(w, static_cast<uint64_t>(n))),
        integers(reinterpret_cast<lapack_int *>(after(work, static_cast<uint64_t>(work_count)))) {}

  static uint64_t size(uint64_t n, uint64_t work_count, uint64_t integer_count) {
    return aligned(n * n * sizeof(T)) + aligned(n * sizeof(T)) + aligned(work_count * sizeof(T)) +
           aligned(integer_count * sizeof(lapack_int));
  }

  T *a, *w, *work;
  lapack_int *integers;

 private:
  static T *after(T *begin, uint64_t count) {
    return reinterpret_cast<T *>(reinterpret_cast<char *>(begin) + aligned(count * sizeof(T)));
  }
};

}  // namespace

Eigh::Eigh(const rayo_op_desc &desc)
    : bits_(desc.inputs[0]->dtype.bits), triangle_(plugin::attr_string(desc, "UPLO").front()) {
  const rayo_tensor_desc &a = *desc.inputs[0], &w = *desc.outputs[0], &v = *desc.outputs[1];
  const int32_t rank = a.ndim;
  n_ = a.shape[rank - 1];
  batch_axes_ = rank - 2;
  for (int32_t axis = 0; axis < batch_axes_; ++axis) {
    const auto i = static_cast<std::size_t>(axis);
    extents_[i] = a.shape[axis];
    steps_[i] = {a.strides[axis], w.strides[axis], v.strides[axis]};
    matrices_ *= a.shape[axis];
  }
  a_row_ = a.strides[rank - 2];
  a_column_ = a.strides[rank - 1];
  w_step_ = w.strides[rank - 2];
  v_row_ = v.strides[rank - 2];
  v_column_ = v.strides[rank - 1];
  const auto n = static_cast<uint64_t>(n_);
  if (bits_ == 32) {
    query_work<float>(triangle_, n_, &work_count_, &integer_count_);
    workspace_size_ = Work<float>::size(n, static_cast<uint64_t>(work_count_), static_cast<uint64_t>(integer_count_));
  } else {
    query_work<double>(triangle_, n_, &work_count_, &integer_count_);
    workspace_size_ = Work<double>::size(n, static_cast<uint64_t>(work_count_), static_cast<uint64_t>(integer_count_));
  }
}

uint32_t Eigh::supports(const rayo_op_desc &desc) noexcept {
  const rayo_tensor_desc &a = *desc.inputs[0];
  return a.shape[a.ndim - 1] > kMaxOrder ? RAYO_WHY_SIZE : RAYO_WHY_SUPPORTED;
}

Eigh::Offsets Eigh::offsets(int64_t matrix) const noexcept {
  Offsets at{0, 0, 0};
  for (int32_t axis = batch_axes_; axis-- > 0;) {
    const auto i = static_cast<std::size_t>(axis);
    const int64_t index = matrix % extents_[i];
    matrix /= extents_[i];
    at.a += index * steps_[i].a;
    at.w += index * steps_[i].w;
    at.v += index * steps_[i].v;
  }
  return at;
}

template <class T>
void Eigh::run(const rayo_call &call) const {
  const Work<T> work(call.workspace, n_, work_count_);
  for (int64_t matrix = 0; matrix < matrices_; ++matrix) {
    const Offsets at = offsets(matrix);
    const T *a = static_cast<const T *>(call.inputs[0]) + at.a;
    T *w = static_cast<T *>(call.outputs[0]) + at.w;
    T *v = static_cast<T *>(call.outputs[1]) + at.v;
    bool finite = true;
    for (int64_t column = 0; column < n_; ++column) {
      const int64_t begin = triangle_ == 'L' ? column : 0;
      const int64_t end = triangle_ == 'L' ? n_ : column + 1;
      for (int64_t row = begin; row < end; ++row) {
        const T value = a[row * a_row_ + column * a_column_];
        finite = finite && std::isfinite(value);
        work.a[column * n_ + row] = value;
      }
    }
    if (finite) {
      const lapack_int info = syevd(triangle_, static_cast<lapack_int>(n_), work.a, work.w, work.work, work_count_,
                                    work.integers, integer_count_);
      if (info != 0) {
        throw Error(RAYO_INTERNAL, "eigh: LAPACK's " + std::string(sizeof(T) == 4 ? "ssyevd" : "dsyevd") +
                                       " did not converge for matrix " + std::to_string(matrix) + " of " +
                                       std::to_string(matrices_) + " (info = " + std::to_string(info) +
                                       "); scale the matrix, or try f64");
      }
    }
    // LAPACK's values ascend; the op's descend, and the vectors' columns go with them.
    constexpr T kNaN = std::numeric_limits<T>::quiet_NaN();
    for (int64_t j = 0; j < n_; ++j) {
      const int64_t from = n_ - 1 - j;
      w[j * w_step_] = finite ? work.w[from] : kNaN;
      for (int64_t i = 0; i < n_; ++i) v[i * v_row_ + j * v_column_] = finite ? work.a[from * n_ + i] : kNaN;
    }
  }
}

void Eigh::operator()(const rayo_call &call) const {
  if (n_ == 0) return;
  if (bits_ == 32) {
    run<float>(call);
  } else {
    run<double>(call);
  }
}

}  // namespace rayo::lapack
