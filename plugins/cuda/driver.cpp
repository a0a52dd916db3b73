// SPDX-License-Identifier: Apache-2.0
#include "driver.h"

#include <dlfcn.h>

#include <rayo/plugin_support.hpp>

namespace rayo::cuda {
namespace {

using plugin::Error;

template <class F>
void find(void *library, const char *symbol, F &function) {
  void *address = dlsym(library, symbol);
  if (address == nullptr)
    throw Error(RAYO_UNSUPPORTED, std::string("the NVIDIA driver is too old: libcuda.so.1 has no ") + symbol +
                                      "; drivers from CUDA 11.4 on have it");
  function = reinterpret_cast<F>(address);
}

}  // namespace

std::string Driver::describe(Result result) const {
  const char *name = nullptr, *text = nullptr;
  if (error_name(result, &name) != kSuccess || name == nullptr) name = "unknown CUDA error";
  if (error_string(result, &text) != kSuccess || text == nullptr) text = "no description";
  return std::string(name) + " (" + std::to_string(result) + "): " + text;
}

std::shared_ptr<const Driver> open_driver() {
  void *library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char *why = dlerror();
    throw Error(RAYO_UNSUPPORTED,
                std::string("no NVIDIA driver: ") + (why != nullptr ? why : "libcuda.so.1 is absent"));
  }
  auto driver = std::make_shared<Driver>();
#define RAYO_CUDA_FIND(member, symbol, parameters) find(library, #symbol, driver->member);
  RAYO_CUDA_DRIVER(RAYO_CUDA_FIND)
#undef RAYO_CUDA_FIND
  const Result started = driver->init(0);
  if (started == kNoDevice) throw Error(RAYO_UNSUPPORTED, "no NVIDIA GPU: the driver is there and finds no device");
  if (started != kSuccess)
    throw Error(RAYO_UNSUPPORTED,
                "no NVIDIA driver that works: cuInit: " + driver->describe(started) + "; see nvidia-smi");
  driver->driver_version(&driver->version);
  return driver;
}

}  // namespace rayo::cuda
