// SPDX-License-Identifier: Apache-2.0
//
// How host tensors travel to a device and back: a bounded number of lanes (a queue, two pinned chunks), and blocks of
// device memory that are kept for the next call. On a device with unified memory a block is mapped and nothing travels.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "device/device.hpp"

namespace rayo {

// Device memory borrowed from the pool.
struct Block {
  rayo_buffer *raw = nullptr;
  void *data = nullptr;  // what DLTensor.data holds
  char *host = nullptr;  // its address where memory is unified, else null
  uint64_t size = 0;
};

// One call's way to the device: work in order on a queue of its own. Used by one thread at a time. Functions throw
// Error; after that the lane is settled by its lease.
class Lane {
 public:
  explicit Lane(Device &device);
  ~Lane();
  Lane(const Lane &) = delete;
  Lane &operator=(const Lane &) = delete;

  // Host memory must stay until finish() has returned or thrown.
  void upload(rayo_buffer *buffer, uint64_t offset, const char *host, uint64_t bytes);
  void download(rayo_buffer *buffer, uint64_t offset, char *host, uint64_t bytes);
  void submit(rayo_submit work, const std::vector<rayo_point> &waits);
  void finish();  // until all of it is done and the downloaded bytes are in place

 private:
  friend class LaneLease;
  struct Chunk {
    rayo_buffer *raw = nullptr;
    char *host = nullptr;
    uint64_t used = 0;
    uint64_t busy_until = 0;  // value of the timeline
  };
  struct Arrival {
    uint64_t value;
    const char *from;
    char *to;
    uint64_t bytes;
    Chunk *chunk;
  };

  void begin();
  void settle() noexcept;
  void make_chunks();
  // Room for up to `wanted` bytes in a pinned chunk; waits for the other chunk where this one is full.
  std::pair<Chunk *, char *> room(uint64_t wanted, uint64_t *out_bytes);
  void copy(rayo_copy work);
  void wait_for(uint64_t value);
  void land(const Chunk *chunk);  // arrivals of a chunk go to their host memory; null = all

  Device &device_;
  rayo_queue *queue_ = nullptr;
  rayo_semaphore *done_ = nullptr;
  uint64_t value_ = 0;
  bool pinned_ = true;  // false: the device gives no pinned memory, copies name host memory themselves
  Chunk chunks_[2];
  int current_ = 0;
  std::vector<Arrival> arrivals_;
};

class LaneLease {
 public:
  explicit LaneLease(Staging &staging);
  ~LaneLease();
  LaneLease(const LaneLease &) = delete;
  LaneLease &operator=(const LaneLease &) = delete;
  Lane *operator->() const noexcept { return lane_; }

 private:
  Staging &staging_;
  Lane *lane_;
  int exceptions_ = std::uncaught_exceptions();
};

// Returns its block to the pool.
class BlockLease {
 public:
  BlockLease() = default;
  BlockLease(Staging &staging, uint64_t bytes);
  ~BlockLease();
  BlockLease(BlockLease &&other) noexcept : staging_(std::exchange(other.staging_, nullptr)), block_(other.block_) {}
  BlockLease &operator=(BlockLease &&) = delete;
  const Block *operator->() const noexcept { return &block_; }
  const Block &get() const noexcept { return block_; }

 private:
  Staging *staging_ = nullptr;
  Block block_;
};

class Staging {
 public:
  // So many calls travel at once; more wait. Each lane has two pinned chunks of kChunk bytes once it needs them.
  static constexpr size_t kMostLanes = 4;
  static constexpr uint64_t kChunk = uint64_t{4} << 20;
  // Free blocks kept for later calls: at most this, and at most a quarter of the device's memory.
  static constexpr uint64_t kMostKept = uint64_t{256} << 20;

  explicit Staging(Device &device) : device_(device) {}
  ~Staging() { close(); }
  Staging(const Staging &) = delete;
  Staging &operator=(const Staging &) = delete;

  void close() noexcept;  // no lane or block is out

 private:
  friend class LaneLease;
  friend class BlockLease;
  Lane *acquire();
  void give_back(Lane *lane) noexcept;
  Block take(uint64_t bytes);
  Block create(uint64_t bytes);
  void give_back(const Block &block) noexcept;
  void destroy(const Block &block) noexcept;
  bool trim() noexcept;  // destroys the free blocks; true if there were any

  Device &device_;
  std::mutex mutex_;
  std::condition_variable lane_free_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::vector<Lane *> idle_;
  size_t lane_count_ = 0;
  std::vector<Block> free_;
  uint64_t kept_ = 0;
};

}  // namespace rayo
