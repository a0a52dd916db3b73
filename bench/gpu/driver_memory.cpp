// SPDX-License-Identifier: Apache-2.0
#include "driver_memory.hpp"

#include <dlfcn.h>

#include <stdexcept>
#include <string>

namespace rayo::gpu_bench {
namespace {

template <class F>
void find(void *library, const char *name, F &function) {
  function = reinterpret_cast<F>(dlsym(library, name));
  if (function == nullptr) throw std::runtime_error(std::string("libcuda.so.1 has no ") + name);
}

void check(int result, const char *what) {
  if (result != 0) throw std::runtime_error(std::string(what) + " failed with CUDA error " + std::to_string(result));
}

}  // namespace

DriverMemory::DriverMemory() {
  void *library = dlopen("libcuda.so.1", RTLD_NOW);
  if (library == nullptr) throw std::runtime_error("no NVIDIA driver");
  int (*init)(unsigned) = nullptr;
  int (*retain)(void **, int) = nullptr;
  int (*set_current)(void *) = nullptr;
  find(library, "cuInit", init);
  find(library, "cuDevicePrimaryCtxRetain", retain);
  find(library, "cuCtxSetCurrent", set_current);
  find(library, "cuMemAlloc_v2", alloc_);
  find(library, "cuMemsetD8_v2", fill_);
  find(library, "cuCtxSynchronize", wait_);
  void *context = nullptr;
  check(init(0), "cuInit");
  check(retain(&context, 0), "cuDevicePrimaryCtxRetain");
  check(set_current(context), "cuCtxSetCurrent");
}

void *DriverMemory::allocate(std::size_t bytes) const {
  unsigned long long address = 0;
  check(alloc_(&address, bytes), "cuMemAlloc");
  check(fill_(address, 0, bytes), "cuMemsetD8");
  return reinterpret_cast<void *>(address);
}

void DriverMemory::synchronize() const { check(wait_(), "cuCtxSynchronize"); }

}  // namespace rayo::gpu_bench
