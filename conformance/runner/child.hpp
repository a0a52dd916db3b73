// SPDX-License-Identifier: Apache-2.0
//
// A forked child that reports by lines of JSON over a pipe, and the parent's end of it.
#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>

namespace rayo::conform {

// What a thread holds that shares a process with other threads that make children. One thread at a time has its turn; a
// Child's waits give it to the others. So at each fork no other thread is in the middle of anything: a lock that it
// held, an allocator's for one, would stay locked in the child for good. glibc's allocator is ready for that;
// AddressSanitizer's is not. Take it first, keep it to the end of the thread's work; do not nest.
class Turn {
 public:
  Turn();
  ~Turn();
  Turn(const Turn &) = delete;
  Turn &operator=(const Turn &) = delete;
};

class Child {
 public:
  using Send = std::function<void(const std::string &line)>;
  // Forks; the child runs `body` and leaves by _exit(0), its stdout turned to stderr. Throws std::system_error.
  explicit Child(const std::function<void(const Send &)> &body);
  ~Child();  // kills what still runs
  Child(const Child &) = delete;
  Child &operator=(const Child &) = delete;

  enum class Event { line, ended, timeout };
  // The next line within `milliseconds`. Other threads have their turns while it waits.
  Event next(int milliseconds, std::string &out_line);
  void kill();
  // Waits for its end, with turns for others; "exit status 3", "SIGSEGV", ...; empty for a clean end.
  std::string wait();

 private:
  pid_t pid_ = -1;
  int fd_ = -1;
  std::string buffer_;
};

}  // namespace rayo::conform
