// SPDX-License-Identifier: Apache-2.0
#include "libraries.h"

#include <dlfcn.h>

#include "libraries_api.h"

namespace rayo::cuda {
namespace {

struct BlasCalls {
#define RAYO_CUDA_MEMBER(member, symbol, parameters) int(*member) parameters = nullptr;
  RAYO_CUDA_BLAS(RAYO_CUDA_MEMBER)
#undef RAYO_CUDA_MEMBER
};
struct SolverCalls {
#define RAYO_CUDA_MEMBER(member, symbol, parameters) int(*member) parameters = nullptr;
  RAYO_CUDA_SOLVER(RAYO_CUDA_MEMBER)
#undef RAYO_CUDA_MEMBER
};

template <class F>
bool find(void *library, const char *symbol, F &function) {
  function = reinterpret_cast<F>(dlsym(library, symbol));
  return function != nullptr;
}

/// The newest version that the machine has and that has the calls. Never closed.
void *open_any(std::initializer_list<const char *> names) {
  for (const char *name : names) {
    if (void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL); library != nullptr) return library;
  }
  return nullptr;
}

const BlasCalls *blas_calls() {
  static const BlasCalls *calls = []() -> const BlasCalls * {
    static BlasCalls found;
    void *library = open_any({"libcublas.so.13", "libcublas.so.12", "libcublas.so.11"});
    if (library == nullptr) return nullptr;
#define RAYO_CUDA_FIND(member, symbol, parameters) \
  if (!find(library, #symbol, found.member)) return nullptr;
    RAYO_CUDA_BLAS(RAYO_CUDA_FIND)
#undef RAYO_CUDA_FIND
    return &found;
  }();
  return calls;
}

const SolverCalls *solver_calls() {
  static const SolverCalls *calls = []() -> const SolverCalls * {
    static SolverCalls found;
    void *library = open_any({"libcusolver.so.12", "libcusolver.so.11"});
    if (library == nullptr) return nullptr;
#define RAYO_CUDA_FIND(member, symbol, parameters) \
  if (!find(library, #symbol, found.member)) return nullptr;
    RAYO_CUDA_SOLVER(RAYO_CUDA_FIND)
#undef RAYO_CUDA_FIND
    return &found;
  }();
  return calls;
}

void check(int status, const char *call) {
  if (status != 0) throw Error(RAYO_INTERNAL, std::string(call) + " failed with status " + std::to_string(status));
}

}  // namespace

bool blas_present() { return blas_calls() != nullptr; }
bool solver_present() { return solver_calls() != nullptr; }

Blas::Blas(Shared &shared) {
  if (!blas_present())
    throw Error(RAYO_UNSUPPORTED, shared.id + ": libcublas was not found; install it or use another kernel");
  check(blas_calls()->create(&handle_), "cublasCreate");
}

Blas::~Blas() { blas_calls()->destroy(handle_); }

void Blas::gemm(Stream stream, const BlasProduct &p, bool tf32) {
  // Column-major Y' = B' A': the same memory seen the other way round.
  const float beta = 0.0f;
  const std::lock_guard lock(mutex_);
  check(blas_calls()->set_stream(handle_, stream), "cublasSetStream");
  check(blas_calls()->gemm(handle_, p.b_transposed ? kBlasTransposed : kBlasNormal,
                           p.a_transposed ? kBlasTransposed : kBlasNormal, p.n, p.m, p.k, &p.alpha, p.b, kReal32, p.ldb,
                           p.b_step, p.a, kReal32, p.lda, p.a_step, &beta, p.y, kReal32, p.ldy, p.y_step, p.count,
                           tf32 ? kBlasFastTf32 : kBlasPedantic, kBlasDefaultAlgorithm),
        "cublasGemmStridedBatchedEx");
}

Solver::Solver(Shared &shared) {
  if (!solver_present())
    throw Error(RAYO_UNSUPPORTED, shared.id + ": libcusolver was not found; install it, or use the plugin lapack");
  check(solver_calls()->create(&handle_), "cusolverDnCreate");
  const int made = solver_calls()->create_params(&params_);
  if (made != 0) solver_calls()->destroy(handle_);
  check(made, "cusolverDnCreateParams");
}

Solver::~Solver() {
  solver_calls()->destroy_params(params_);
  solver_calls()->destroy(handle_);
}

void Solver::workspace(int64_t n, bool f64, bool lower, std::size_t &device, std::size_t &on_host) {
  const int type = f64 ? kReal64 : kReal32;
  const std::lock_guard lock(mutex_);
  check(solver_calls()->buffer_size(handle_, params_, kSolverVectors, lower ? kBlasLower : kBlasUpper, n, type, nullptr,
                                    n, type, nullptr, type, &device, &on_host),
        "cusolverDnXsyevd_bufferSize");
}

void Solver::eigh(Stream stream, int64_t n, bool f64, bool lower, void *matrix, void *values, void *device,
                  std::size_t device_size, void *on_host, std::size_t host_size, int *info) {
  const int type = f64 ? kReal64 : kReal32;
  const std::lock_guard lock(mutex_);
  check(solver_calls()->set_stream(handle_, stream), "cusolverDnSetStream");
  check(solver_calls()->syevd(handle_, params_, kSolverVectors, lower ? kBlasLower : kBlasUpper, n, type, matrix, n,
                              type, values, type, device, device_size, on_host, host_size, info),
        "cusolverDnXsyevd");
}

}  // namespace rayo::cuda
