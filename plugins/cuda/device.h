// SPDX-License-Identifier: Apache-2.0
//
// The CUDA device tier's types: what a device's queues, buffers and semaphores share, and the ABI's opaque structs.
//
// How the ABI maps onto CUDA. A queue is a stream. A timeline semaphore is a list of (value, event): a signal records
// an event behind the work, a wait makes the stream wait for the first event at or above the value, which the ABI's
// rule 'no wait before its signal' always finds. CUDA has no failure of queued work that its context survives, so a
// failure that poisons is either the whole device lost, or a submission of several launches of which a later one was
// refused.
//
// Threads: everything mutable is under Shared::mutex; what blocks is called without it.
#ifndef RAYO_CUDA_DEVICE_H
#define RAYO_CUDA_DEVICE_H

#include <sys/types.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <rayo/plugin.h>
#include <rayo/plugin_support.hpp>

#include "driver.h"

namespace rayo::cuda {

using plugin::Error;
using plugin::fence;

struct Failure {
  rayo_status status;
  std::string text;
};

struct Shared;
class Blas;
class Solver;

/// A recorded event. `done` once it has been seen to be reached.
class Mark {
 public:
  explicit Mark(std::shared_ptr<Shared> shared);
  ~Mark();
  Mark(const Mark &) = delete;
  Mark &operator=(const Mark &) = delete;

  Event event = nullptr;
  bool done = false;

 private:
  std::shared_ptr<Shared> shared_;
};

/// One timeline. Values at or above `poison_from` are never reached.
struct Timeline {
  struct Pending {
    uint64_t value;
    std::shared_ptr<Mark> mark;
  };
  uint64_t reached = 0;
  uint64_t promised = 0;  // the highest value signalled or submitted for signalling
  std::deque<Pending> pending;
  std::optional<Failure> poison;
  uint64_t poison_from = UINT64_MAX;
};

/// What a device's handles have in common; outlives each of them.
struct Shared {
  Shared(const rayo_host *host, std::shared_ptr<const Driver> driver, Ordinal ordinal);
  ~Shared();
  Shared(const Shared &) = delete;
  Shared &operator=(const Shared &) = delete;

  /// Throws RAYO_FORKED or RAYO_DEVICE_LOST. To be called before anything of the device is touched.
  void check_usable();
  bool forked() const;
  /// Throws what a driver call's failure means; what: "allocating 64 bytes". A lost device stays lost.
  void check(Result result, const std::string &what);
  /// Has the mark been reached? A device found lost is noted, and counts as no. With the mutex held.
  bool poll(Mark &mark);
  /// Moves a timeline's value to where its events are. With the mutex held.
  void advance(Timeline &timeline);
  /// Notes that the device is gone. With the mutex held.
  void lose(Result result, const std::string &what);
  /// The kernel of that name in module `image`, loaded on first use. Throws.
  Function function(int image, const char *kernel);
  Blas &blas();      // throws RAYO_UNSUPPORTED where cuBLAS cannot be opened
  Solver &solver();  // likewise cuSOLVER
  /// Lets go of what finished work held, on all queues. With the mutex held.
  void retire_all();

  const rayo_host *host;
  std::shared_ptr<const Driver> driver;
  Ordinal ordinal;
  pid_t pid;
  std::string id;    // "cuda0"
  std::string name;  // "NVIDIA H200"
  uint64_t memory_bytes = 0;
  int sms = 1;
  Context context = nullptr;
  Stream memory_stream = nullptr;  // orders allocation and release
  Pool pool = nullptr;             // NULL: the device has no pools

  std::mutex mutex;
  std::condition_variable changed;  // a host signal, a loss
  std::optional<Failure> lost;
  std::vector<rayo_queue *> queues;

  std::mutex modules_mutex;
  std::map<int, Module> modules;
  std::map<std::string, Function> functions;
  std::unique_ptr<Blas> blas_;
  std::unique_ptr<Solver> solver_;

  std::mutex marks_mutex;
  std::vector<Event> free_events;
};

/// Makes the device's context current on this thread while it lives.
class Current {
 public:
  explicit Current(const Shared &shared) : driver_(*shared.driver) {
    pushed_ = driver_.context_push(shared.context) == kSuccess;
  }
  ~Current() {
    Context old = nullptr;
    if (pushed_) driver_.context_pop(&old);
  }
  Current(const Current &) = delete;
  Current &operator=(const Current &) = delete;

 private:
  const Driver &driver_;
  bool pushed_;
};

/// Memory of a buffer; gone when the last holder lets go.
class Memory {
 public:
  Memory(std::shared_ptr<Shared> shared, uint64_t size, uint32_t kind);   // RAYO_MEMORY_*
  Memory(std::shared_ptr<Shared> shared, void *imported, uint64_t size);  // the application's
  ~Memory();
  Memory(const Memory &) = delete;
  Memory &operator=(const Memory &) = delete;

  const std::shared_ptr<Shared> shared;
  const uint64_t size;
  Address address = 0;
  void *host = nullptr;  // NULL: not mapped

 private:
  enum class From { pool, driver, host, application };
  From from_;
};

/// A host copy that runs in stream order.
struct HostCopy {
  void *dst;
  const void *src;
  std::size_t size;
};

/// What a submission holds until its mark is reached.
struct Record {
  std::shared_ptr<Mark> mark;
  std::vector<std::shared_ptr<Memory>> held;
  std::vector<std::unique_ptr<HostCopy>> copies;
  std::vector<std::unique_ptr<char[]>> scratch;  // host memory that a library reads until then
};

extern const rayo_device_api kDeviceApi;

rayo_status queue_create(rayo_device *device, rayo_queue **out, rayo_error *error);
void queue_destroy(rayo_queue *queue);
rayo_status queue_wait(rayo_queue *queue, uint64_t timeout_ns, rayo_error *error);
rayo_status submit(rayo_queue *queue, const rayo_submit *submit);
rayo_status copy(rayo_queue *queue, const rayo_copy *copy);

rayo_status semaphore_create(rayo_device *device, uint64_t initial, rayo_semaphore **out, rayo_error *error);
void semaphore_destroy(rayo_semaphore *semaphore);
rayo_status semaphore_query(rayo_semaphore *semaphore, uint64_t *out_value, rayo_error *error);
rayo_status semaphore_wait(rayo_semaphore *semaphore, uint64_t value, uint64_t timeout_ns, rayo_error *error);
rayo_status semaphore_signal(rayo_semaphore *semaphore, uint64_t value, rayo_error *error);

/// Waits until ready() or the time is up (false). ready() is called with the lock held, first at once, then as often as
/// a GPU's events are worth looking at.
bool wait_until(Shared &shared, std::unique_lock<std::mutex> &lock, uint64_t timeout_ns,
                const std::function<bool()> &ready);

}  // namespace rayo::cuda

struct rayo_instance {
  const rayo_host *host;
  std::shared_ptr<const rayo::cuda::Driver> driver;
};

struct rayo_device {
  std::shared_ptr<rayo::cuda::Shared> shared;
};

struct rayo_buffer {
  std::shared_ptr<rayo::cuda::Memory> memory;
};

struct rayo_semaphore {
  std::shared_ptr<rayo::cuda::Shared> shared;
  std::shared_ptr<rayo::cuda::Timeline> timeline;
};

struct rayo_queue {
  std::shared_ptr<rayo::cuda::Shared> shared;
  rayo::cuda::Stream stream = nullptr;
  std::deque<rayo::cuda::Record> records;
  std::optional<rayo::cuda::Failure> failure;  // since the last queue_wait
  void *staging = nullptr;                     // pinned; for copies from and to pageable memory
};

#endif  // RAYO_CUDA_DEVICE_H
