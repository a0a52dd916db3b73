// SPDX-License-Identifier: Apache-2.0
//
// A device that exists only to judge the device tier of the ABI: memory that the host cannot address (a handle stands
// for it), in-order queues with a worker thread each, timeline semaphores that poison, a device that can be lost, and
// no use after fork. This header holds its types; one source file per role.
#pragma once

#include <rayo/plugin.h>
#include <rayo/plugin_support.hpp>
#include <rayo/plugin_trace.hpp>

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "control.h"

namespace mock {

using rayo::plugin::Error;
using rayo::plugin::fence;

#ifndef MOCK_NAME  // of the plugin; another one is another device beside it, whose memory has plain pointers
#define MOCK_NAME "mock"
#define MOCK_DEVICE_ID 0
#define MOCK_DEVICE_FLAGS 0
#else
#define MOCK_DEVICE_ID 1
#define MOCK_DEVICE_FLAGS RAYO_DEVICE_PEER_POINTERS
#endif

#ifdef MOCK_LARGE  // the same device with more memory and a matmul: for tests of who runs which call
constexpr uint64_t kMemoryBytes = uint64_t{1} << 30;
constexpr uint64_t kMaxBufferBytes = uint64_t{256} << 20;
constexpr uint32_t kKernelCount = 3;
#else
constexpr uint64_t kMemoryBytes = uint64_t{64} << 20;
constexpr uint64_t kMaxBufferBytes = uint64_t{16} << 20;
constexpr uint32_t kKernelCount = 2;
#endif

struct Failure {
  rayo_status status;
  std::string text;
};

// A counter of one semaphore; guarded by its Shared::mutex.
struct Timeline {
  uint64_t reached = 0;
  uint64_t promised = 0;  // the highest value signalled or submitted for signalling
  std::optional<Failure> poison;
};

// What a device's queues, buffers and semaphores have in common; outlives each of them.
struct Shared {
  const rayo_host *host;
  pid_t pid;
  std::mutex mutex;
  std::condition_variable changed;
  uint64_t live_bytes = 0;
  bool paused = false;
  bool lost = false;
  bool unified = false;
  rayo::plugin::Numbers numbers;  // of its queues
};

// Device memory: gone, and no longer counted, when the last holder lets go.
struct Memory {
  Memory(std::shared_ptr<Shared> owner, uint64_t length, uint32_t memory_kind);
  Memory(std::shared_ptr<Shared> owner, std::byte *host, uint64_t length);  // imported
  ~Memory();
  Memory(const Memory &) = delete;
  Memory &operator=(const Memory &) = delete;

  std::shared_ptr<Shared> shared;
  std::vector<std::byte> bytes;
  std::byte *data;
  uint64_t size;
  uint32_t kind;
};

struct Point {
  std::shared_ptr<Timeline> timeline;
  uint64_t value;
};

struct Job {
  const char *name = "copy";   // for the trace
  std::function<void()> work;  // throws Error
  double cost_ns = 0;          // it takes at least that long
  std::vector<Point> waits;
  std::vector<Point> signals;
  std::vector<std::shared_ptr<Memory>> held;
};

// One operand as a kernel sees it.
struct View {
  float *first;  // logical element 0
};

// Faults and counts of the whole process (control.h).
void fault_point();  // throws the armed status at its step
extern std::atomic<uint64_t> g_alive;
extern std::atomic<uint64_t> g_imports;
extern std::atomic<bool> g_unified;
extern const mock_faults kFaults;

// Counts its owner as alive.
struct Alive {
  Alive() { ++g_alive; }
  Alive(const Alive &) { ++g_alive; }
  Alive &operator=(const Alive &) = default;
  ~Alive() { --g_alive; }
};

// What prepare binds: run is called on a queue's thread.
struct State {
  std::function<void(const std::vector<View> &inputs, const std::vector<View> &outputs)> run;
  uint32_t inputs;
  double cost_ns = 0;
  Alive alive{};
};

// Costs (cost.cpp).
double kernel_cost(double volume, double smallest);
double copy_cost(double bytes);
void take_until(std::chrono::steady_clock::time_point begin, double cost_ns);

bool forked(const Shared &shared);
// Throws RAYO_FORKED or RAYO_DEVICE_LOST; to be called before anything of the device is touched.
void check_usable(const Shared &shared);

extern const rayo_device_api kDeviceApi;
extern const rayo_kernel *const kKernels[kKernelCount];
extern const rayo_op_schema *const kSchemas[1];

// Queue side of the device API.
rayo_status queue_create(rayo_device *device, rayo_queue **out, rayo_error *error);
void queue_destroy(rayo_queue *queue);
rayo_status queue_wait(rayo_queue *queue, uint64_t timeout_ns, rayo_error *error);
rayo_status submit(rayo_queue *queue, const rayo_submit *submit);
rayo_status copy(rayo_queue *queue, const rayo_copy *copy);

// Semaphore side.
rayo_status semaphore_create(rayo_device *device, uint64_t initial, rayo_semaphore **out, rayo_error *error);
void semaphore_destroy(rayo_semaphore *semaphore);
rayo_status semaphore_query(rayo_semaphore *semaphore, uint64_t *out_value, rayo_error *error);
rayo_status semaphore_wait(rayo_semaphore *semaphore, uint64_t value, uint64_t timeout_ns, rayo_error *error);
rayo_status semaphore_signal(rayo_semaphore *semaphore, uint64_t value, rayo_error *error);

// Waits on `changed` until ready() or the time is up; false = time is up.
bool wait_until(Shared &shared, std::unique_lock<std::mutex> &lock, uint64_t timeout_ns,
                const std::function<bool()> &ready);

}  // namespace mock

struct rayo_instance {
  const rayo_host *host;
};

struct rayo_device {
  std::shared_ptr<mock::Shared> shared;
  mock::Alive alive{};
};

struct rayo_buffer {
  std::shared_ptr<mock::Memory> memory;
  mock::Alive alive{};
};

struct rayo_semaphore {
  std::shared_ptr<mock::Shared> shared;
  std::shared_ptr<mock::Timeline> timeline;
  mock::Alive alive{};
};

struct rayo_queue {
  std::shared_ptr<mock::Shared> shared;
  std::deque<mock::Job> jobs;
  std::optional<mock::Failure> failure;  // since the last queue_wait
  bool busy = false;
  bool stop = false;
  uint32_t number = 0;
  rayo::plugin::TraceRow row;
  std::thread worker;
  mock::Alive alive{};
};
