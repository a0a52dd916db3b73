// SPDX-License-Identifier: Apache-2.0
//
// Allocations and locks of the whole test program, counted.
#pragma once

#include <atomic>
#include <cstdint>

extern std::atomic<uint64_t> allocations;
extern std::atomic<uint64_t> locks;
