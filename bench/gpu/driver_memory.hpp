// SPDX-License-Identifier: Apache-2.0
//
// The few calls of the CUDA driver that peers need for memory of their own; opened at run time.
#pragma once

#include <cstddef>
#include <cstdint>

namespace rayo::gpu_bench {

/// Throws std::runtime_error where there is no driver. Makes device 0's primary context current on this thread.
class DriverMemory {
 public:
  DriverMemory();
  void *allocate(std::size_t bytes) const;  // zeroed; lives as long as the process
  void synchronize() const;

 private:
  int (*alloc_)(unsigned long long *, std::size_t) = nullptr;
  int (*fill_)(unsigned long long, unsigned char, std::size_t) = nullptr;
  int (*wait_)() = nullptr;
};

}  // namespace rayo::gpu_bench
