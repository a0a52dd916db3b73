// SPDX-License-Identifier: Apache-2.0
#include "executor/others.hpp"

#include <array>

#ifdef RAYO_BENCH_TBB
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>
#endif

namespace rayo::bench {
namespace {

#ifdef _OPENMP
void with_openmp(uint64_t tasks, uint32_t threads, rayo_task_fn fn, void *ctx) {
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads)
  for (uint64_t task = 0; task < tasks; ++task) fn(ctx, task, 0);
}
#endif

#ifdef RAYO_BENCH_TBB
void with_tbb(uint64_t tasks, uint32_t threads, rayo_task_fn fn, void *ctx) {
  static tbb::task_arena arena(static_cast<int>(threads));
  arena.execute([&] {
    tbb::parallel_for(
        uint64_t{0}, tasks, [&](uint64_t task) { fn(ctx, task, 0); }, tbb::simple_partitioner());
  });
}
#endif

constexpr OtherExecutor kOthers[] = {
#ifdef _OPENMP
    {"openmp", with_openmp},
#endif
#ifdef RAYO_BENCH_TBB
    {"tbb", with_tbb},
#endif
    {nullptr, nullptr},
};

}  // namespace

std::span<const OtherExecutor> other_executors() { return {kOthers, std::size(kOthers) - 1}; }

}  // namespace rayo::bench
