// SPDX-License-Identifier: Apache-2.0
//
// Executors that others wrote, behind the pool's own signature.
#pragma once

#include <rayo/plugin.h>

#include <cstdint>
#include <span>

namespace rayo::bench {

struct OtherExecutor {
  const char *name;
  void (*parallel_for)(uint64_t tasks, uint32_t threads, rayo_task_fn fn, void *ctx);
};

// Those that this program was built with: libgomp (its waiting is the user's: OMP_WAIT_POLICY) and oneTBB.
std::span<const OtherExecutor> other_executors();

}  // namespace rayo::bench
