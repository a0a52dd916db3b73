// SPDX-License-Identifier: Apache-2.0
//
// cuBLAS and cuSOLVER, opened at run time where the machine has them: never linked, never carried. A handle of each per
// device; calls take the lock, set the queue's stream and queue work there.
#ifndef RAYO_CUDA_LIBRARIES_H
#define RAYO_CUDA_LIBRARIES_H

#include "device.h"

namespace rayo::cuda {

/// Can the library be opened? Looked for once.
bool blas_present();
bool solver_present();

/// Y = A B in row-major terms, by cublasGemmStridedBatchedEx.
struct BlasProduct {
  int m, n, k;
  const void *a, *b;
  void *y;
  int lda, ldb, ldy;
  bool a_transposed, b_transposed;
  long long a_step, b_step, y_step;  // between matrices
  int count;
  float alpha;
};

class Blas {
 public:
  explicit Blas(Shared &shared);  // with the context current; throws RAYO_UNSUPPORTED
  ~Blas();
  Blas(const Blas &) = delete;
  Blas &operator=(const Blas &) = delete;

  void gemm(Stream stream, const BlasProduct &product, bool tf32);

 private:
  std::mutex mutex_;
  void *handle_ = nullptr;
};

class Solver {
 public:
  explicit Solver(Shared &shared);
  ~Solver();
  Solver(const Solver &) = delete;
  Solver &operator=(const Solver &) = delete;

  /// Bytes of workspace on the device and on the host for a matrix of order n.
  void workspace(int64_t n, bool f64, bool lower, std::size_t &device, std::size_t &on_host);
  /// In place: the column-major matrix becomes its eigenvectors, values ascend. info: one int on the device.
  void eigh(Stream stream, int64_t n, bool f64, bool lower, void *matrix, void *values, void *device,
            std::size_t device_size, void *on_host, std::size_t host_size, int *info);

 private:
  std::mutex mutex_;
  void *handle_ = nullptr;
  void *params_ = nullptr;
};

}  // namespace rayo::cuda

#endif  // RAYO_CUDA_LIBRARIES_H
