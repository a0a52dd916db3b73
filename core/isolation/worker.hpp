// SPDX-License-Identifier: Apache-2.0
//
// One worker process and what is shared with it. Not thread-safe: its owner holds a lock. A process that dies, hangs or
// answers nonsense is gone, with a reason, and another one is started by the next exchange, at a bounded rate: the
// first time at once, then after 1, 2, 4 ... 60 s since the last; a worker that lived for a minute begins anew.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <exception>
#include <string>
#include <string_view>

#include "isolation/protocol.hpp"

namespace rayo {

// The worker failed, not the call: the text is a continuation of "its worker process".
class WorkerError : public std::exception {
 public:
  WorkerError(rayo_status status, std::string text) : status_(status), text_(std::move(text)) {}
  rayo_status status() const { return status_; }  // RAYO_INTERNAL, RAYO_TIMEOUT; RAYO_RETRY: down for now
  const char *what() const noexcept override { return text_.c_str(); }

 private:
  rayo_status status_;
  std::string text_;
};

class Worker {
 public:
  Worker(std::string file, uint64_t cpu_features) : file_(std::move(file)), cpu_features_(cpu_features) {}
  ~Worker();  // ends the process, unless it is another process's child
  Worker(const Worker &) = delete;
  Worker &operator=(const Worker &) = delete;

  // Starts a process if there is none, and it may be. Throws WorkerError. True: it is a new one, which knows nothing.
  bool ensure(uint32_t limit_ms);
  // Sends and waits for the answer, its text in *out_text if not null. Throws WorkerError; the process is gone then.
  WorkerReply exchange(WorkerRequest request, std::string_view text, uint32_t limit_ms, std::string *out_text);
  // Room for so many bytes of inputs and outputs in both processes. Throws WorkerError, std::bad_alloc.
  void reserve(uint64_t input_bytes, uint64_t output_bytes, uint32_t limit_ms);
  char *inputs() const { return inputs_.data; }
  char *outputs() const { return outputs_.data; }
  // The process is not to be trusted any more.
  [[noreturn]] void give_up(rayo_status status, std::string text);

  uint64_t failures() const { return failures_; }
  void abandon() noexcept;  // in a forked child: it is the parent's
  pid_t pid() const { return pid_; }

 private:
  using Clock = std::chrono::steady_clock;
  struct Shared {
    int fd = -1;
    uint64_t size = 0;
    char *data = nullptr;
    void make(uint64_t size, bool read_only_for_others);
    void close() noexcept;
  };

  void start();
  void stop(int *out_status) noexcept;
  void share(uint32_t limit_ms);
  void send(const WorkerRequest &request, std::string_view text, bool with_files);
  WorkerReply receive(uint32_t limit_ms, bool large, std::string *out_text);
  [[noreturn]] void died();

  const std::string file_;
  const uint64_t cpu_features_;
  int socket_ = -1;
  pid_t pid_ = -1;
  Shared inputs_;
  Shared outputs_;
  uint64_t failures_ = 0;
  uint32_t in_a_row_ = 0;
  Clock::time_point started_;
  Clock::time_point not_before_;
  std::string last_failure_;
};

}  // namespace rayo
