// SPDX-License-Identifier: Apache-2.0
//
// How far a run is: one bar on stderr when that is a terminal, and what an interruption says and leaves behind.
#pragma once

#include <signal.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <mutex>
#include <string>
#include <vector>

namespace rayo::conform {

// One bar over all plugins; step() may be called from any thread.
class Progress {
 public:
  explicit Progress(std::size_t total);
  ~Progress();  // ends the bar's line
  Progress(const Progress &) = delete;
  Progress &operator=(const Progress &) = delete;

  void step();
  std::size_t done() const { return done_.load(std::memory_order_relaxed); }
  std::size_t total() const { return total_; }
  bool shown() const { return shown_; }

 private:
  void draw(std::size_t done);

  std::mutex mutex_;
  std::atomic<std::size_t> done_{0};
  std::size_t total_;
  bool shown_;
  bool drawn_ = false;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point last_{};
};

// While it lives, SIGINT, SIGTERM and SIGHUP end this process with exit code 128 + signal, after one line that says how
// far the run was and that `output` was left alone; the file `temporary` is removed. A signal that was ignored stays
// ignored; a forked child dies of the signal as ever. One at a time.
class InterruptGuard {
 public:
  InterruptGuard(const Progress &progress, const std::string &output, const std::string &temporary);
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard &) = delete;
  InterruptGuard &operator=(const InterruptGuard &) = delete;

 private:
  std::vector<std::pair<int, struct sigaction>> old_;
};

}  // namespace rayo::conform
