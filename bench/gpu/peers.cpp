// SPDX-License-Identifier: Apache-2.0
#include "peers.hpp"

#include <dlfcn.h>

#include <stdexcept>

namespace rayo::gpu_bench {
namespace {

struct Cublas {
  void *handle = nullptr;
  int (*gemm)(void *, int, int, int, int, int, const void *, const void *, int, int, const void *, int, int,
              const void *, void *, int, int, int, int) = nullptr;
};

const Cublas *cublas() {
  static const Cublas *opened = []() -> const Cublas * {
    static Cublas c;
    void *library = nullptr;
    for (const char *name : {"libcublas.so.13", "libcublas.so.12"}) {
      if (library == nullptr) library = dlopen(name, RTLD_NOW);
    }
    if (library == nullptr) return nullptr;
    const auto create = reinterpret_cast<int (*)(void **)>(dlsym(library, "cublasCreate_v2"));
    c.gemm = reinterpret_cast<decltype(c.gemm)>(dlsym(library, "cublasGemmEx"));
    return create != nullptr && c.gemm != nullptr && create(&c.handle) == 0 ? &c : nullptr;
  }();
  return opened;
}

}  // namespace

Batch cublas_product(const DriverMemory &memory, int64_t m, int64_t n, int64_t k, bool tf32) {
  const Cublas *blas = cublas();
  if (blas == nullptr) return {};
  const auto bytes = [](int64_t count) { return static_cast<std::size_t>(count) * sizeof(float); };
  void *a = memory.allocate(bytes(m * k));
  void *b = memory.allocate(bytes(k * n));
  void *y = memory.allocate(bytes(m * n));
  return [=, &memory](int calls) {
    constexpr int kFloat = 0, kPedantic = 69, kFastTf32 = 77, kDefault = -1;
    const float one = 1, zero = 0;
    for (int i = 0; i < calls; ++i) {
      // Column-major Y' = B' A'.
      const int status = blas->gemm(blas->handle, 0, 0, static_cast<int>(n), static_cast<int>(m), static_cast<int>(k),
                                    &one, b, kFloat, static_cast<int>(n), a, kFloat, static_cast<int>(k), &zero, y,
                                    kFloat, static_cast<int>(n), tf32 ? kFastTf32 : kPedantic, kDefault);
      if (status != 0) throw std::runtime_error("cublasGemmEx failed with status " + std::to_string(status));
    }
    memory.synchronize();
  };
}

Batch cub_sum(const DriverMemory &memory, int64_t n) {
  static const auto sum = []() -> int (*)(const float *, float *, int64_t, int) {
    void *library = dlopen("cub_peer.so", RTLD_NOW);
    if (library == nullptr) return nullptr;
    return reinterpret_cast<int (*)(const float *, float *, int64_t, int)>(dlsym(library, "rayo_cub_sum"));
  }();
  if (sum == nullptr) return {};
  auto *x = static_cast<float *>(memory.allocate(static_cast<std::size_t>(n) * sizeof(float)));
  auto *y = static_cast<float *>(memory.allocate(sizeof(float)));
  return [=, &memory](int calls) {
    if (const int status = sum(x, y, n, calls); status != 0)
      throw std::runtime_error("cub::DeviceReduce failed with CUDA error " + std::to_string(status));
    memory.synchronize();
  };
}

}  // namespace rayo::gpu_bench
