// SPDX-License-Identifier: Apache-2.0
//
// The handles of the host device. They complete the ABI's opaque types, as a plugin does in its own file: included by
// the host device's sources alone.
#pragma once

#include <sys/types.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <deque>
#include <thread>
#include <vector>

#include "base/error.hpp"
#include "device/host_device.hpp"

namespace rayo::host_device {

struct Memory {
  explicit Memory(uint64_t bytes);     // owned
  Memory(void *host, uint64_t bytes);  // the application's
  ~Memory();
  Memory(const Memory &) = delete;
  Memory &operator=(const Memory &) = delete;
  char *data = nullptr;
  uint64_t size = 0;
  bool owned = false;
};

struct Point {
  std::shared_ptr<Timeline> timeline;
  uint64_t value = 0;
};

// Counts a piece of work down when it is done with.
struct Uncount {
  void operator()(std::atomic<uint32_t> *count) const noexcept { count->fetch_sub(1, std::memory_order_release); }
};

// A piece of queued work, self-contained.
struct Job {
  const HostWork *kernel = nullptr;  // null: a copy
  std::vector<const void *> inputs;
  std::vector<void *> outputs;
  uint64_t bytes = 0;     // of a copy from inputs[0] to outputs[0]
  const char *copy = "";  // "upload", "download" or "copy", for the trace
  std::vector<Point> waits;
  std::vector<Point> signals;
  std::vector<std::shared_ptr<Memory>> held;
  std::unique_ptr<std::atomic<uint32_t>, Uncount> counted;
};

// Runs `body`, which throws Error; the text goes where a cold function leaves it.
template <class Body>
rayo_status cold(rayo_error *error, const Body &body) noexcept {
  const rayo_status status = fence(body);
  if (status != RAYO_OK && error != nullptr) {
    error->status = status;
    const std::string_view text = last_error();
    const size_t length = std::min<size_t>(text.size(), RAYO_ERROR_TEXT - 1);
    std::memcpy(error->text, text.data(), length);
    error->text[length] = '\0';
  }
  return status;
}

// Waits on `changed` until ready() or the time is up; false = time is up.
template <class Ready>
bool wait_until(Shared &shared, std::unique_lock<std::mutex> &lock, uint64_t timeout_ns, const Ready &ready) {
  constexpr uint64_t kForEver = uint64_t{1} << 60;  // above: the clock's arithmetic would overflow
  if (timeout_ns < kForEver) {
    return shared.changed.wait_for(lock, std::chrono::nanoseconds(static_cast<int64_t>(timeout_ns)), ready);
  }
  shared.changed.wait(lock, ready);
  return true;
}

}  // namespace rayo::host_device

struct rayo_device {
  std::shared_ptr<rayo::host_device::Shared> shared;
};

struct rayo_buffer {
  std::shared_ptr<rayo::host_device::Shared> shared;
  std::shared_ptr<rayo::host_device::Memory> memory;
};

struct rayo_semaphore {
  std::shared_ptr<rayo::host_device::Shared> shared;
  std::shared_ptr<rayo::host_device::Timeline> timeline;
};

struct rayo_queue {
  std::shared_ptr<rayo::host_device::Shared> shared;
  std::deque<rayo::host_device::Job> jobs;
  rayo::host_device::Failure failure;  // since the last queue_wait
  uint32_t number = 0;                 // the lowest that was free on its device
  uint32_t track = 0;                  // its row in the trace; 0 = none
  bool busy = false;
  bool stop = false;
  std::thread worker;
};
