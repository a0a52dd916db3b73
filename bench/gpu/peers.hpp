// SPDX-License-Identifier: Apache-2.0
//
// What ours are measured against on the same GPU: NVIDIA's libraries, each opened at run time, absent ones named.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "driver_memory.hpp"

namespace rayo::gpu_bench {

/// A batch of calls, queued and waited for.
using Batch = std::function<void(int calls)>;

/// Y = A B in f32, row-major, m x k by k x n. tf32: inputs rounded to it; otherwise pedantic f32. Empty: no cuBLAS
/// here.
Batch cublas_product(const DriverMemory &memory, int64_t m, int64_t n, int64_t k, bool tf32);
/// The sum of n floats by CUB, from the library cub_peer.so beside this program's libraries. Empty: it is not there.
Batch cub_sum(const DriverMemory &memory, int64_t n);

}  // namespace rayo::gpu_bench
