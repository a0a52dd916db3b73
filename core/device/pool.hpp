// SPDX-License-Identifier: Apache-2.0
//
// The default executor: a small pool in which the caller takes part in its own work and takes over every chunk that
// nobody has started, so that a busy core never delays it by more than one chunk.
#pragma once

#include <rayo/plugin.h>

#include <cstdint>
#include <memory>

namespace rayo {

class ThreadPool {
 public:
  static constexpr uint32_t kMostThreads = 1024;

  // No worker is started before a parallel call asks for it; `most` bounds how many threads, the caller included, the
  // pool will ever have.
  explicit ThreadPool(uint32_t most = kMostThreads);
  ~ThreadPool();
  ThreadPool(const ThreadPool &) = delete;
  ThreadPool &operator=(const ThreadPool &) = delete;

  const rayo_executor *executor() const noexcept { return &executor_; }

 private:
  struct Impl;
  static void parallel_for(void *self, uint64_t tasks, uint32_t max_threads, rayo_task_fn fn, void *ctx);

  std::unique_ptr<Impl> impl_;
  rayo_executor executor_{};
};

}  // namespace rayo
