// SPDX-License-Identifier: Apache-2.0
//
// The calls and values of cuBLAS and cuSOLVER that are used, declared here as driver.h does; driver_check.cpp compares
// them with the toolkit's headers.
#ifndef RAYO_CUDA_LIBRARIES_API_H
#define RAYO_CUDA_LIBRARIES_API_H

#include "driver.h"

namespace rayo::cuda {

inline constexpr int kReal32 = 0, kReal64 = 1;                                            // cudaDataType
inline constexpr int kBlasNormal = 0, kBlasTransposed = 1;                                // cublasOperation_t
inline constexpr int kBlasLower = 0, kBlasUpper = 1;                                      // cublasFillMode_t
inline constexpr int kBlasPedantic = 69, kBlasFastTf32 = 77, kBlasDefaultAlgorithm = -1;  // compute type, algorithm
inline constexpr int kSolverVectors = 1;                                                  // cusolverEigMode_t

#define RAYO_CUDA_BLAS(X)                                                                                      \
  X(create, cublasCreate_v2, (void **))                                                                        \
  X(destroy, cublasDestroy_v2, (void *))                                                                       \
  X(set_stream, cublasSetStream_v2, (void *, Stream))                                                          \
  X(gemm, cublasGemmStridedBatchedEx,                                                                          \
    (void *, int, int, int, int, int, const void *, const void *, int, int, long long, const void *, int, int, \
     long long, const void *, void *, int, int, long long, int, int, int))

#define RAYO_CUDA_SOLVER(X)                                                                                  \
  X(create, cusolverDnCreate, (void **))                                                                     \
  X(destroy, cusolverDnDestroy, (void *))                                                                    \
  X(set_stream, cusolverDnSetStream, (void *, Stream))                                                       \
  X(create_params, cusolverDnCreateParams, (void **))                                                        \
  X(destroy_params, cusolverDnDestroyParams, (void *))                                                       \
  X(buffer_size, cusolverDnXsyevd_bufferSize,                                                                \
    (void *, void *, int, int, int64_t, int, const void *, int64_t, int, const void *, int, std::size_t *,   \
     std::size_t *))                                                                                         \
  X(syevd, cusolverDnXsyevd,                                                                                 \
    (void *, void *, int, int, int64_t, int, void *, int64_t, int, void *, int, void *, std::size_t, void *, \
     std::size_t, int *))

}  // namespace rayo::cuda

#endif  // RAYO_CUDA_LIBRARIES_API_H
