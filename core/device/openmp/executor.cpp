// SPDX-License-Identifier: Apache-2.0
//
// The executor over OpenMP: a shared object of its own, loaded when RAYO_EXECUTOR or the options ask for it, so that an
// application which already computes with OpenMP shares its threads with Rayo instead of running two pools, and so that
// nobody else gets libgomp's threads. How they wait (spin or sleep) is the application's: OMP_WAIT_POLICY.
#include <omp.h>
#include <pthread.h>
#include <rayo/plugin.h>

#include <algorithm>
#include <atomic>

#include "device/executor_file.hpp"

namespace {

std::atomic<bool> g_used{false};
std::atomic<bool> g_alone{
    false};  // in a child forked after a region: the parent's threads are not there, libgomp hangs

void run_serially(uint64_t tasks, rayo_task_fn fn, void *ctx) {
  for (uint64_t task = 0; task < tasks; ++task) fn(ctx, task, 0);
}

// Tasks are claimed one by one: a thread that is late takes none from the others.
void parallel_for(void *, uint64_t tasks, uint32_t max_threads, rayo_task_fn fn, void *ctx) {
  if (tasks < 2 || max_threads < 2 || omp_in_parallel() != 0 || g_alone.load(std::memory_order_relaxed)) {
    run_serially(tasks, fn, ctx);
    return;
  }
  g_used.store(true, std::memory_order_relaxed);
  std::atomic<uint64_t> next{0};
  const auto threads = static_cast<int>(std::min<uint64_t>(tasks, max_threads));
#pragma omp parallel num_threads(threads)
  {
    const auto worker = static_cast<uint32_t>(omp_get_thread_num());
    for (uint64_t task = next.fetch_add(1); task < tasks; task = next.fetch_add(1)) fn(ctx, task, worker);
  }
}

const rayo_executor kExecutor = {sizeof(rayo_executor), RAYO_TYPE_EXECUTOR, nullptr, nullptr, parallel_for};

}  // namespace

extern "C" RAYO_EXPORT const rayo_executor *rayo_executor_query(void) {
  static const int registered = pthread_atfork(nullptr, nullptr, [] { g_alone.store(g_used.load()); });
  return registered == 0 ? &kExecutor : nullptr;
}
