// SPDX-License-Identifier: Apache-2.0
//
// How it works. A region is published as a ticket: (generation << 32 | next task). Workers and the caller claim tasks
// by compare-and-swap on the ticket, so nobody is ever waited for that has not started a task. The job's fields are
// rewritten only while the ticket is closed, and a claim on a stale generation fails, so a late worker can never touch
// a finished job. Only one region runs at a time; a second caller, and a nested call, run their tasks themselves.
//
// When a sleeping worker is worth its wake is measured, never guessed from sizes: by what a task of the same function
// took the last time, and, where that is not known or was wrong, by the caller's own tasks as it goes. And a worker
// that was taken off its core in the middle of a task (another process wanted it) is noticed by how long it let the
// caller wait: then the pool stays out of the way for a while. doc/adr/0002-executor.md has the numbers.
#include "device/pool.hpp"

#include <pthread.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <mutex>
#include <thread>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace rayo {
namespace {

constexpr uint32_t kClosed = 0xffffffffu;

// Nanoseconds, measured on two-core virtual machines.
// How long an idle worker looks for the next region before it sleeps, and the caller for the last task's end. Spinning
// longer would take a core from a neighbour.
constexpr int64_t kSpin = 12'000;
// Work that is left must be worth this much before a sleeper is woken: a wake costs 45 to 50 us until the worker runs.
constexpr int64_t kWorthWaking = 60'000;
// Regions too short for that owe a wake together, if they are worth this much each and come so soon after one another
// that a worker, once awake, finds the next one.
constexpr int64_t kWorthSharing = 20'000;
// A wait at the end beyond three tasks and this: the worker lost its core.
constexpr int64_t kLate = 100'000;
// How long the caller then works alone: doubled by each late worker, an eighth less with each that was in time.
constexpr int64_t kShortestPause = 100'000'000;
constexpr int64_t kLongestPause = 1'600'000'000;

int64_t now_ns() noexcept {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

thread_local bool t_in_region = false;

inline void cpu_pause() noexcept {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

void run_serially(uint64_t tasks, rayo_task_fn fn, void *ctx) {
  const bool outer = t_in_region;
  t_in_region = true;
  for (uint64_t task = 0; task < tasks; ++task) fn(ctx, task, 0);
  t_in_region = outer;
}

}  // namespace

// What a task of a function took the last time, for a handful of functions. Guarded by the region's lock.
class TaskCosts {
 public:
  // -1: not known.
  int64_t of(rayo_task_fn fn) const { return at(fn).fn == fn ? at(fn).ns : -1; }
  void learn(rayo_task_fn fn, int64_t ns) {
    Entry &entry = entries_[slot(fn)];
    entry = {fn, entry.fn == fn ? (entry.ns + ns) / 2 : ns};
  }

 private:
  struct Entry {
    rayo_task_fn fn = nullptr;
    int64_t ns = 0;
  };
  static size_t slot(rayo_task_fn fn) { return (reinterpret_cast<uintptr_t>(fn) >> 4) % kEntries; }
  const Entry &at(rayo_task_fn fn) const { return entries_[slot(fn)]; }
  static constexpr size_t kEntries = 64;
  std::array<Entry, kEntries> entries_{};
};

struct ThreadPool::Impl {
  explicit Impl(uint32_t most_threads) : most(most_threads) {}

  ~Impl() {
    stop.store(true);
    epoch.fetch_add(1);
    epoch.notify_all();
    for (std::thread &worker : workers) worker.join();
  }

  // Has `wanted` threads, the caller included, or as many as the system gives. The caller holds `region`.
  void start_workers(uint32_t wanted) {
    try {
      while (workers.size() + 1 < std::min(wanted, most)) workers.emplace_back([this] { work(); });
    } catch (const std::system_error &) {
      most = static_cast<uint32_t>(workers.size()) + 1;
    }
  }

  // Claims the next task of the generation in `seen`; false if there is none left. `seen` is the newest ticket after.
  bool claim(uint64_t &seen, uint32_t generation, uint32_t count) {
    while (static_cast<uint32_t>(seen >> 32) == generation && static_cast<uint32_t>(seen) < count) {
      if (ticket.compare_exchange_weak(seen, seen + 1, std::memory_order_acq_rel, std::memory_order_acquire)) {
        return true;
      }
    }
    return false;
  }

  // A worker's number in the region of `generation`, 1 and up; 0 if the region has ended or has enough of them.
  uint32_t take_place(uint32_t generation, uint32_t limit) {
    uint64_t seen = places.load(std::memory_order_acquire);
    while (static_cast<uint32_t>(seen >> 32) == generation && static_cast<uint32_t>(seen) < limit) {
      if (places.compare_exchange_weak(seen, seen + 1, std::memory_order_acq_rel, std::memory_order_acquire)) {
        return static_cast<uint32_t>(seen);
      }
    }
    return 0;
  }

  void run_task(rayo_task_fn task_fn, void *task_ctx, uint64_t claimed, uint32_t worker) {
    task_fn(task_ctx, static_cast<uint32_t>(claimed), worker);
    if (pending.fetch_sub(1, std::memory_order_acq_rel) == 1) pending.notify_one();
  }

  // A worker's share of the region that is open, if one is.
  void help() {
    uint64_t seen = ticket.load(std::memory_order_acquire);
    const auto generation = static_cast<uint32_t>(seen >> 32);
    const rayo_task_fn task_fn = fn.load(std::memory_order_acquire);
    void *const task_ctx = ctx.load(std::memory_order_acquire);
    const uint32_t count = tasks.load(std::memory_order_acquire);
    const uint32_t limit = max_threads.load(std::memory_order_acquire);
    if (static_cast<uint32_t>(seen) >= count) return;
    const uint32_t worker = take_place(generation, limit);
    if (worker == 0) return;
    t_in_region = true;
    while (claim(seen, generation, count)) {
      run_task(task_fn, task_ctx, seen, worker);
      seen = ticket.load(std::memory_order_acquire);
    }
    t_in_region = false;
  }

  void work() {
    uint32_t known = 0;
    while (!stop.load(std::memory_order_relaxed)) {
      const int64_t deadline = now_ns() + kSpin;
      uint32_t now = epoch.load(std::memory_order_acquire);
      while (now == known && now_ns() < deadline) {
        cpu_pause();
        now = epoch.load(std::memory_order_acquire);
      }
      if (now == known) {
        sleepers.fetch_add(1);
        epoch.wait(known);
        sleepers.fetch_sub(1);
        continue;
      }
      known = now;
      help();
    }
  }

  // Wakes as many sleepers as `left` ns of work are worth.
  void wake(int64_t left, uint32_t limit) {
    const int64_t worth = std::min<int64_t>({left / kWorthWaking, limit - 1, sleepers.load()});
    for (int64_t i = 0; i < worth; ++i) epoch.notify_one();
  }

  // The caller's share. Returns ns per task as the caller saw it, 0 if it ran none.
  int64_t lead(uint32_t generation, uint32_t count, uint32_t limit, rayo_task_fn task_fn, void *task_ctx) {
    const int64_t known = costs.of(task_fn);
    const int64_t expected = known < 0 ? limit * kWorthWaking : known * count;
    const int64_t begin = now_ns();
    if (begin - last_end > kSpin) owed = 0;
    bool woken = expected >= kWorthWaking;
    if (woken) {
      wake(expected, limit);
    } else if (owed >= kWorthWaking) {
      wake(owed, limit);
      owed = 0;
    }
    int64_t done = 0;
    int64_t elapsed = 0;
    uint64_t seen = ticket.load(std::memory_order_relaxed);
    t_in_region = true;
    while (claim(seen, generation, count)) {
      run_task(task_fn, task_ctx, seen, 0);
      ++done;
      seen = ticket.load(std::memory_order_acquire);
      if (woken || (done & (done - 1)) != 0) continue;  // looked at after 1, 2, 4, 8, ... tasks: a clock costs 50 ns
      elapsed = now_ns() - begin;
      const int64_t left = (static_cast<int64_t>(count) - static_cast<uint32_t>(seen)) * (elapsed / done);
      if (left < kWorthWaking) continue;
      woken = true;
      wake(left, limit);
    }
    t_in_region = false;
    if (done == 0) return 0;
    last_end = now_ns();
    elapsed = last_end - begin;
    owed = done == count && elapsed >= kWorthSharing ? owed + elapsed : 0;
    costs.learn(task_fn, elapsed / done);
    return elapsed / done;
  }

  // One region of at most 2^31 tasks; the caller holds `region`.
  void run(uint32_t count, uint32_t thread_limit, rayo_task_fn task_fn, void *task_ctx) {
    const uint32_t generation = ++generation_;
    // Release, and acquire in help(): who sees one of these sees the last region closed, and gets no place in it.
    fn.store(task_fn, std::memory_order_release);
    ctx.store(task_ctx, std::memory_order_release);
    tasks.store(count, std::memory_order_release);
    max_threads.store(thread_limit, std::memory_order_release);
    pending.store(count, std::memory_order_relaxed);
    const uint64_t open = static_cast<uint64_t>(generation) << 32;
    places.store(open | 1, std::memory_order_relaxed);
    ticket.store(open, std::memory_order_release);
    epoch.fetch_add(1);
    const int64_t per_task = lead(generation, count, thread_limit, task_fn, task_ctx);
    const bool shared = static_cast<uint32_t>(places.load(std::memory_order_relaxed)) > 1;
    const int64_t waited = wait_for_workers();
    places.store(0, std::memory_order_relaxed);
    ticket.store(open | kClosed, std::memory_order_release);
    if (waited > 3 * per_task + kLate) {
      pause = std::clamp(2 * pause, kShortestPause, kLongestPause);
      alone_until = now_ns() + pause;
    } else if (shared) {
      pause -= pause / 8;
    }
  }

  // Returns when every started task has ended, and how many ns that took.
  int64_t wait_for_workers() {
    uint32_t left = pending.load(std::memory_order_acquire);
    if (left == 0) return 0;
    const int64_t begin = now_ns();
    while (left != 0) {
      if (now_ns() - begin < kSpin) {
        cpu_pause();
      } else {
        pending.wait(left);  // workers notify at zero; a count that changes before is seen by the wait itself
      }
      left = pending.load(std::memory_order_acquire);
    }
    return now_ns() - begin;
  }

  uint32_t most;
  std::vector<std::thread> workers;
  std::mutex region;
  // Guarded by `region`.
  uint32_t generation_ = 0;
  TaskCosts costs;
  int64_t pause = 0;
  int64_t alone_until = 0;
  int64_t owed = 0;  // work of regions one after another that the caller did alone, though a second thread would pay
  int64_t last_end = 0;

  std::atomic<bool> stop{false};
  alignas(64) std::atomic<uint64_t> ticket{kClosed};
  std::atomic<uint64_t> places{0};  // generation << 32 | next worker's number
  std::atomic<rayo_task_fn> fn{nullptr};
  std::atomic<void *> ctx{nullptr};
  std::atomic<uint32_t> tasks{0};
  std::atomic<uint32_t> max_threads{1};
  alignas(64) std::atomic<uint32_t> pending{0};
  alignas(64) std::atomic<uint32_t> epoch{0};
  std::atomic<uint32_t> sleepers{0};
  void *abandoned_before = nullptr;  // of the list of those that a forked child has no use for
};

namespace {

// Pools of this process, so that a forked child can give each a fresh state: the parent's workers do not exist there.
class ForkRegistry {
 public:
  static ForkRegistry &get() {
    static auto *registry = new ForkRegistry;  // never destroyed: pools may outlive static destructors
    return *registry;
  }
  std::mutex mutex;
  std::vector<void (*)(void *)> resets;
  std::vector<void *> pools;
  void *abandoned = nullptr;  // the parents' states, in a list: kept, not lost

 private:
  ForkRegistry() {
    pthread_atfork([] { get().mutex.lock(); }, [] { get().mutex.unlock(); },
                   [] {
                     ForkRegistry &self = get();
                     for (size_t i = 0; i < self.pools.size(); ++i) self.resets[i](self.pools[i]);
                     self.mutex.unlock();
                   });
  }
};

}  // namespace

ThreadPool::ThreadPool(uint32_t most) : impl_(std::make_unique<Impl>(std::clamp(most, 1u, kMostThreads))) {
  executor_.struct_size = sizeof(executor_);
  executor_.struct_type = RAYO_TYPE_EXECUTOR;
  executor_.self = this;
  executor_.parallel_for = &ThreadPool::parallel_for;
  ForkRegistry &registry = ForkRegistry::get();
  const std::lock_guard lock(registry.mutex);
  registry.pools.push_back(this);
  registry.resets.push_back([](void *pool) {
    auto *self = static_cast<ThreadPool *>(pool);
    Impl *old = self->impl_.release();  // never ended: its threads belong to the parent
    old->abandoned_before = ForkRegistry::get().abandoned;
    ForkRegistry::get().abandoned = old;
    self->impl_ = std::make_unique<Impl>(old->most);
    t_in_region = false;
  });
}

ThreadPool::~ThreadPool() {
  ForkRegistry &registry = ForkRegistry::get();
  const std::lock_guard lock(registry.mutex);
  for (size_t i = 0; i < registry.pools.size(); ++i) {
    if (registry.pools[i] != this) continue;
    registry.pools.erase(registry.pools.begin() + static_cast<ptrdiff_t>(i));
    registry.resets.erase(registry.resets.begin() + static_cast<ptrdiff_t>(i));
    break;
  }
}

void ThreadPool::parallel_for(void *self, uint64_t tasks, uint32_t max_threads, rayo_task_fn fn, void *ctx) {
  Impl &impl = *static_cast<ThreadPool *>(self)->impl_;
  constexpr uint64_t kMostTasks = uint64_t{1} << 31;
  if (t_in_region || tasks < 2 || max_threads < 2 || impl.most < 2 || tasks > kMostTasks) {
    run_serially(tasks, fn, ctx);
    return;
  }
  std::unique_lock lock(impl.region, std::try_to_lock);
  if (!lock) {  // another thread's region has the workers: do not wait for it
    run_serially(tasks, fn, ctx);
    return;
  }
  if (impl.alone_until != 0 && now_ns() < impl.alone_until) {
    lock.unlock();
    run_serially(tasks, fn, ctx);
    return;
  }
  const uint32_t threads = static_cast<uint32_t>(std::min<uint64_t>(tasks, max_threads));
  impl.start_workers(threads);
  impl.run(static_cast<uint32_t>(tasks), threads, fn, ctx);
}

}  // namespace rayo
