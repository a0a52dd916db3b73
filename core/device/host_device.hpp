// SPDX-License-Identifier: Apache-2.0
//
// The host behind the same table of functions as a plugin's device: plain memory, queues with a thread each, timelines
// that poison. So one set of functions, and one set of tests, serves host and device.
#pragma once

#include <rayo/plugin.h>
#include <sys/types.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <set>
#include <string>

namespace rayo {

class Trace;

const rayo_device_api &host_device_api() noexcept;
rayo_device_info host_device_info(const std::string &id);
// Its queues write what they run into `trace` (null: nothing).
void watch_host_device(rayo_device *device, Trace *trace, const std::string &id);

// What `state` of a submission to the host points to. `kernel` of the submission is not looked at.
struct HostWork {
  rayo_kernel_fn fn = nullptr;
  const void *state = nullptr;
  uint64_t workspace_size = 0;
  uint64_t workspace_alignment = 0;
  uint32_t threads = 1;
  const std::atomic<const rayo_executor *> *executor = nullptr;
  const char *op = "";  // for the trace, with the kernel's name
  const char *kernel = "";
  std::atomic<uint32_t> *queued = nullptr;  // counted up while it is in a queue; may be null
};

namespace host_device {

struct Failure {
  rayo_status status = RAYO_OK;
  std::string text;
};

// A counter of one semaphore; guarded by the device's mutex.
struct Timeline {
  uint64_t reached = 0;
  uint64_t promised = 0;  // the highest value signalled or submitted for signalling
  Failure poison;         // status RAYO_OK: none
};

// What a device's queues and semaphores have in common; outlives each of them.
struct Shared {
  pid_t pid = 0;
  std::mutex mutex;
  std::condition_variable changed;
  Trace *trace = nullptr;
  std::string id;
  std::set<uint32_t> numbers;  // of its queues, for their rows in the trace; guarded by mutex
};

// Throws RAYO_FORKED in a child, before any lock is taken.
void check_usable(const Shared &shared);

rayo_status queue_create(rayo_device *device, rayo_queue **out, rayo_error *error);
void queue_destroy(rayo_queue *queue);
rayo_status queue_wait(rayo_queue *queue, uint64_t timeout_ns, rayo_error *error);
rayo_status submit(rayo_queue *queue, const rayo_submit *submit);
rayo_status copy(rayo_queue *queue, const rayo_copy *copy);

}  // namespace host_device
}  // namespace rayo
