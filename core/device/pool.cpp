// SPDX-License-Identifier: Apache-2.0
//
// How it works. A region is published as a ticket: (generation << 32 | next task). Workers and the caller claim tasks
// by compare-and-swap on the ticket, so nobody is ever waited for that has not started a task. The job's fields are
// rewritten only while the ticket is closed, and a claim on a stale generation fails, so a late worker can never touch
// a finished job. Only one region runs at a time; a second caller, and a nested call, run their tasks themselves.
#include "device/pool.hpp"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace rayo {
namespace {

constexpr uint32_t kClosed = 0xffffffffu;
// How long an idle worker looks for the next region before it sleeps. A wake costs about 50 us on a virtual machine;
// spinning longer would take a core from a neighbour.
constexpr auto kSpin = std::chrono::microseconds(12);

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
      while (workers.size() + 1 < std::min(wanted, most)) {
        const auto index = static_cast<uint32_t>(workers.size()) + 1;
        workers.emplace_back([this, index] { work(index); });
      }
    } catch (const std::system_error &) {
      most = static_cast<uint32_t>(workers.size()) + 1;
    }
  }

  // Claims tasks of the generation in `seen` until there are none; returns how many it ran.
  void drain(uint64_t seen, uint32_t worker) {
    t_in_region = true;
    const uint32_t generation = static_cast<uint32_t>(seen >> 32);
    const rayo_task_fn task_fn = fn.load(std::memory_order_relaxed);
    void *const task_ctx = ctx.load(std::memory_order_relaxed);
    const uint32_t count = tasks.load(std::memory_order_relaxed);
    const uint32_t limit = max_threads.load(std::memory_order_relaxed);
    if (worker < limit) {
      while (static_cast<uint32_t>(seen >> 32) == generation && static_cast<uint32_t>(seen) < count) {
        if (!ticket.compare_exchange_weak(seen, seen + 1, std::memory_order_acq_rel, std::memory_order_acquire)) {
          continue;
        }
        task_fn(task_ctx, static_cast<uint32_t>(seen), worker);
        if (pending.fetch_sub(1, std::memory_order_acq_rel) == 1) pending.notify_one();
        seen = ticket.load(std::memory_order_acquire);
      }
    }
    t_in_region = false;
  }

  void work(uint32_t worker) {
    uint32_t known = 0;
    while (!stop.load(std::memory_order_relaxed)) {
      const auto deadline = std::chrono::steady_clock::now() + kSpin;
      uint32_t now = epoch.load(std::memory_order_acquire);
      while (now == known && std::chrono::steady_clock::now() < deadline) {
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
      drain(ticket.load(std::memory_order_acquire), worker);
    }
  }

  // One region of at most 2^31 tasks; the caller holds `region`.
  void run(uint32_t count, uint32_t thread_limit, rayo_task_fn task_fn, void *task_ctx) {
    const uint32_t generation = ++generation_;
    fn.store(task_fn, std::memory_order_relaxed);
    ctx.store(task_ctx, std::memory_order_relaxed);
    tasks.store(count, std::memory_order_relaxed);
    max_threads.store(thread_limit, std::memory_order_relaxed);
    pending.store(count, std::memory_order_relaxed);
    const uint64_t open = static_cast<uint64_t>(generation) << 32;
    ticket.store(open, std::memory_order_release);
    epoch.fetch_add(1);
    if (sleepers.load() != 0) epoch.notify_all();
    drain(open, 0);
    for (uint32_t left = pending.load(std::memory_order_acquire); left != 0;
         left = pending.load(std::memory_order_acquire)) {
      wait_for_change(left);
    }
    ticket.store(open | kClosed, std::memory_order_release);
  }

  void wait_for_change(uint32_t left) {
    const auto deadline = std::chrono::steady_clock::now() + kSpin;
    while (pending.load(std::memory_order_acquire) == left) {
      if (std::chrono::steady_clock::now() < deadline) {
        cpu_pause();
        continue;
      }
      // Workers notify at zero only; a bounded nap covers the counts in between.
      if (left > 1) {
        std::this_thread::yield();
      } else {
        pending.wait(left);
      }
    }
  }

  uint32_t most;
  std::vector<std::thread> workers;
  std::mutex region;
  uint32_t generation_ = 0;
  std::atomic<bool> stop{false};
  alignas(64) std::atomic<uint64_t> ticket{kClosed};
  std::atomic<rayo_task_fn> fn{nullptr};
  std::atomic<void *> ctx{nullptr};
  std::atomic<uint32_t> tasks{0};
  std::atomic<uint32_t> max_threads{1};
  alignas(64) std::atomic<uint32_t> pending{0};
  alignas(64) std::atomic<uint32_t> epoch{0};
  std::atomic<uint32_t> sleepers{0};
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
    Impl *old = self->impl_.release();  // leaked on purpose: its threads belong to the parent
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
  const std::unique_lock lock(impl.region, std::try_to_lock);
  if (!lock) {  // another thread's region has the workers: do not wait for it
    run_serially(tasks, fn, ctx);
    return;
  }
  const uint32_t threads = static_cast<uint32_t>(std::min<uint64_t>(tasks, max_threads));
  impl.start_workers(threads);
  impl.run(static_cast<uint32_t>(tasks), threads, fn, ctx);
}

}  // namespace rayo
