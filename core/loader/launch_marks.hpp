// SPDX-License-Identifier: Apache-2.0
//
// Who was running when a process died. A crash of a plugin's kernel in the application cannot be undone, but the next
// start can know the culprit: while a kernel of a plugin that is not the package's own runs, its mark stands in a slot
// of the calling thread, in a file that is mapped to memory and outlives the process. A mark costs two stores to a
// cache line of the thread's own, no lock, no system call; plugins of the manifest are not marked at all.
//
// A mark also says which call it was: calls are written down when they are bound (dispatch/call_line.hpp), in a table
// of that file, and the mark's upper bits are an index into it. A later start runs that call again in a child
// (prove.hpp).
//
// The files lie in $XDG_CACHE_HOME/rayo/launches, one per process that runs such plugins, held by a lock for its life.
// A later start of any program takes in the files whose lock is free: slots that are not empty name what was running.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rayo {

using LaunchMark =
    uint32_t;  // 0 = none; low byte: the plugin's number, the rest: its call line's, 0 = not written down

// The thread's slot. Initial-exec: one instruction to reach, also in a library that was loaded by dlopen.
extern constinit thread_local std::atomic<LaunchMark> *t_launch_slot __attribute__((tls_model("initial-exec")));
std::atomic<LaunchMark> *claim_launch_slot() noexcept;

// A mark for calls of this plugin, the same for the same hash. 0 where nothing can be recorded: no place, or too many.
LaunchMark launch_mark(const std::string &sha256, const std::string &name) noexcept;

// The mark with a call's line (a copy is kept). As it was where the line does not fit: longer than kLongestLaunchLine,
// or the table is full. Equal lines share a place. To be given back once no call of it runs any more.
constexpr size_t kLongestLaunchLine = 1000;
LaunchMark with_launch_line(LaunchMark mark, std::string_view line) noexcept;
void release_launch_line(LaunchMark mark) noexcept;

// From here on a clean end of this process leaves its file as well, for the next start to see: a count of crashes is to
// begin anew then. Without it a clean end removes the file.
void keep_launch_file() noexcept;

// Stands in the thread's slot for the length of a call. Calls nest (an executor that runs another call's task).
class LaunchGuard {
 public:
  explicit LaunchGuard(LaunchMark mark) noexcept {
    if (mark == 0) return;
    slot_ = t_launch_slot != nullptr ? t_launch_slot : claim_launch_slot();
    before_ = slot_->load(std::memory_order_relaxed);
    slot_->store(mark, std::memory_order_relaxed);
  }
  ~LaunchGuard() {
    if (slot_ != nullptr) slot_->store(before_, std::memory_order_relaxed);
  }
  LaunchGuard(const LaunchGuard &) = delete;
  LaunchGuard &operator=(const LaunchGuard &) = delete;

 private:
  std::atomic<LaunchMark> *slot_ = nullptr;
  LaunchMark before_ = 0;
};

// A plugin that was running when its process died, and the calls: one for each thread, without those not written down.
struct LaunchSuspect {
  std::string sha256;
  std::vector<std::string> lines;
};

// What one dead process left.
struct LaunchRecord {
  std::string program;  // real path of its executable
  std::vector<LaunchSuspect> crashed;
  std::vector<std::string> clean;  // SHA-256 of plugins that it used, and that were not running
};

// Takes in, and removes, the files of processes that are gone. Damage reads as nothing.
std::vector<LaunchRecord> collect_launches();

// Path of this process's executable.
std::string own_program();

}  // namespace rayo
