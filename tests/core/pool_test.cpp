// SPDX-License-Identifier: Apache-2.0
//
// The default executor: every task once, bounded workers, nesting, contention and fork.
#include "device/pool.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>
#include <vector>

namespace rayo {
namespace {

struct Counts {
  explicit Counts(size_t n) : each(n) {}
  std::vector<std::atomic<int>> each;
  std::atomic<uint32_t> highest_worker{0};
};

void count_task(void *ctx, uint64_t task, uint32_t worker) {
  auto *counts = static_cast<Counts *>(ctx);
  counts->each[task].fetch_add(1);
  uint32_t seen = counts->highest_worker.load();
  while (worker > seen && !counts->highest_worker.compare_exchange_weak(seen, worker)) {
  }
}

bool all_once(const Counts &counts) {
  for (const auto &count : counts.each) {
    if (count.load() != 1) return false;
  }
  return true;
}

void run(const ThreadPool &pool, uint64_t tasks, uint32_t threads, rayo_task_fn fn, void *ctx) {
  const rayo_executor *executor = pool.executor();
  executor->parallel_for(executor->self, tasks, threads, fn, ctx);
}

TEST(ThreadPool, RunsEveryTaskExactlyOnce) {
  const ThreadPool pool(4);
  for (int round = 0; round < 2000; ++round) {
    Counts counts(static_cast<size_t>(round % 40));
    run(pool, counts.each.size(), 4, count_task, &counts);
    ASSERT_TRUE(all_once(counts)) << "round " << round;
  }
}

TEST(ThreadPool, KeepsWorkerIndicesBelowTheLimit) {
  const ThreadPool pool(7);
  for (uint32_t limit = 1; limit <= 7; ++limit) {
    Counts counts(500);
    run(pool, counts.each.size(), limit, count_task, &counts);
    EXPECT_TRUE(all_once(counts));
    EXPECT_LT(counts.highest_worker.load(), limit);
  }
}

struct Nested {
  const ThreadPool *pool;
  std::atomic<int> inner{0};
};

TEST(ThreadPool, RunsNestedRegionsSerially) {
  const ThreadPool pool(3);
  Nested nested{&pool};
  run(
      pool, 16, 3,
      [](void *ctx, uint64_t, uint32_t) {
        auto *outer = static_cast<Nested *>(ctx);
        run(
            *outer->pool, 10, 3, [](void *c, uint64_t, uint32_t) { static_cast<Nested *>(c)->inner.fetch_add(1); },
            ctx);
      },
      &nested);
  EXPECT_EQ(nested.inner.load(), 160);
}

TEST(ThreadPool, TakesRegionsFromManyThreadsAtOnce) {
  const ThreadPool pool(3);
  std::atomic<int> wrong{0};
  std::vector<std::thread> callers;
  for (int t = 0; t < 6; ++t) {
    callers.emplace_back([&] {
      for (int round = 0; round < 300; ++round) {
        Counts counts(33);
        run(pool, counts.each.size(), 3, count_task, &counts);
        if (!all_once(counts)) wrong.fetch_add(1);
      }
    });
  }
  for (std::thread &caller : callers) caller.join();
  EXPECT_EQ(wrong.load(), 0);
}

TEST(ThreadPool, WorksInAForkedChild) {
  const ThreadPool pool(3);
  Counts before(64);
  run(pool, before.each.size(), 3, count_task, &before);  // workers exist now
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    Counts counts(64);
    run(pool, counts.each.size(), 3, count_task, &counts);
    _exit(all_once(counts) ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  Counts after(64);
  run(pool, after.each.size(), 3, count_task, &after);
  EXPECT_TRUE(all_once(after));
}

}  // namespace
}  // namespace rayo
