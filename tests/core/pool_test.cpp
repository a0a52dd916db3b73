// SPDX-License-Identifier: Apache-2.0
//
// The default executor: every task once, bounded workers, nesting, contention and fork.
#include "device/pool.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
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

// How many tasks of a region of `tasks` each took `busy` were run by workers, not by the caller.
struct Shared {
  std::chrono::milliseconds busy;
  std::atomic<int> by_workers{0};
};
void shared_task(void *ctx, uint64_t, uint32_t worker) {
  auto *shared = static_cast<Shared *>(ctx);
  if (worker > 0) shared->by_workers.fetch_add(1);
  const auto end = std::chrono::steady_clock::now() + shared->busy;
  while (std::chrono::steady_clock::now() < end) {
  }
}

TEST(ThreadPool, WakesSleepersForWorkThatIsWorthIt) {
  const ThreadPool pool(2);
  Shared shared{std::chrono::milliseconds(2)};
  run(pool, 2, 2, shared_task, &shared);  // the worker exists now
  for (int attempt = 0; attempt < 10 && shared.by_workers.load() == 0; ++attempt) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));  // ... and sleeps
    run(pool, 32, 2, shared_task, &shared);
  }
  EXPECT_GT(shared.by_workers.load(), 0);
}

// A worker that leaves the caller waiting at the end, as one does whose processor another process took.
struct Late {
  std::atomic<bool> joined{false};
};
void late_task(void *ctx, uint64_t, uint32_t worker) {
  auto *late = static_cast<Late *>(ctx);
  if (worker > 0) {
    late->joined.store(true);
    std::this_thread::sleep_for(std::chrono::milliseconds(800));
    return;
  }
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  while (!late->joined.load() && std::chrono::steady_clock::now() < limit) std::this_thread::yield();
}

TEST(ThreadPool, WorksAloneForAWhileAfterALateWorker) {
  for (int attempt = 0; attempt < 5; ++attempt) {
    const ThreadPool pool(2);
    Late late;
    run(pool, 2, 2, late_task, &late);
    ASSERT_TRUE(late.joined.load());
    const auto after = std::chrono::steady_clock::now();
    Shared shared{std::chrono::milliseconds(1)};
    run(pool, 4, 2, shared_task, &shared);
    // The pause is 100 ms: a test that lost its own processor for longer has seen nothing.
    if (std::chrono::steady_clock::now() - after > std::chrono::milliseconds(90)) continue;
    EXPECT_EQ(shared.by_workers.load(), 0);
    return;
  }
  GTEST_SKIP() << "this machine is too busy to measure 90 ms";
}

}  // namespace
}  // namespace rayo
