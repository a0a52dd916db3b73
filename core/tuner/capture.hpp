// SPDX-License-Identifier: Apache-2.0
//
// RAYO_CAPTURE=FILE: writes down each distinct call that an application binds, for `rayo tune --shapes FILE`. Runs
// where a call is bound, never where it is repeated: a call that hits its thread's memory costs nothing.
#pragma once

#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "dispatch/bind.hpp"

namespace rayo {

class Capture {
 public:
  // Appends to `path`, one JSON object a line, so that several processes may share it. Throws Error(RAYO_IO).
  explicit Capture(const std::string &path);
  ~Capture();
  Capture(const Capture &) = delete;
  Capture &operator=(const Capture &) = delete;

  // Thread-safe. A line that cannot be written is lost, not an error of the call.
  void record(const BoundCall &call) noexcept;

 private:
  int fd_ = -1;
  std::mutex mutex_;
  std::set<std::string> seen_;
};

}  // namespace rayo
