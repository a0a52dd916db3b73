// SPDX-License-Identifier: Apache-2.0
#include "device/staging.hpp"

#include <algorithm>

namespace rayo {
namespace {

constexpr uint64_t kLeastBlock = 4096;

// A quarter of a power of two apart, so that calls of similar size share blocks and at most a quarter is idle.
uint64_t block_size(uint64_t bytes) noexcept {
  if (bytes <= kLeastBlock) return kLeastBlock;
  uint64_t step = kLeastBlock / 4;
  while (step * 8 <= bytes && step < (uint64_t{1} << 60)) step *= 2;
  return (bytes + step - 1) / step * step;
}

}  // namespace

LaneLease::LaneLease(Staging &staging) : staging_(staging), lane_(staging.acquire()) {
  try {
    lane_->begin();
  } catch (...) {
    staging_.give_back(lane_);
    throw;
  }
}

LaneLease::~LaneLease() {
  if (std::uncaught_exceptions() > exceptions_) lane_->settle();
  staging_.give_back(lane_);
}

BlockLease::BlockLease(Staging &staging, uint64_t bytes) : staging_(&staging), block_(staging.take(bytes)) {}

BlockLease::~BlockLease() {
  if (staging_ != nullptr) staging_->give_back(block_);
}

Lane *Staging::acquire() {
  std::unique_lock lock(mutex_);
  lane_free_.wait(lock, [this] { return !idle_.empty() || lane_count_ < kMostLanes; });
  if (!idle_.empty()) {
    Lane *lane = idle_.back();
    idle_.pop_back();
    return lane;
  }
  ++lane_count_;
  lock.unlock();
  try {
    auto lane = std::make_unique<Lane>(device_);
    lock.lock();
    idle_.reserve(kMostLanes);  // so that giving it back cannot fail
    lanes_.push_back(std::move(lane));
    return lanes_.back().get();
  } catch (...) {
    if (!lock.owns_lock()) lock.lock();
    --lane_count_;
    lane_free_.notify_one();
    throw;
  }
}

void Staging::give_back(Lane *lane) noexcept {
  const std::lock_guard lock(mutex_);
  idle_.push_back(lane);
  lane_free_.notify_one();
}

Block Staging::take(uint64_t bytes) {
  const uint64_t most = device_.info().max_buffer_bytes;
  if (most != 0 && bytes > most) {
    fail(RAYO_OUT_OF_MEMORY, "{}: an operand of {} bytes is above the device's limit of {} for one buffer",
         device_.id(), bytes, most);
  }
  const uint64_t rounded = block_size(bytes);
  const uint64_t size = most != 0 && rounded > most ? bytes : rounded;
  {
    const std::lock_guard lock(mutex_);
    auto best = free_.end();
    for (auto it = free_.begin(); it != free_.end(); ++it) {
      // No block more than twice as large: it would be missed by the call that needs it.
      if (it->size >= size && it->size / 2 <= size && (best == free_.end() || it->size < best->size)) best = it;
    }
    if (best != free_.end()) {
      const Block block = *best;
      free_.erase(best);
      kept_ -= block.size;
      return block;
    }
  }
  return create(size);
}

Block Staging::create(uint64_t bytes) {
  const rayo_device_api &api = device_.api();
  const rayo_buffer_desc desc{sizeof(rayo_buffer_desc),
                              RAYO_TYPE_BUFFER_DESC,
                              nullptr,
                              bytes,
                              device_.unified() ? RAYO_MEMORY_UNIFIED : RAYO_MEMORY_DEVICE,
                              0};
  Block block;
  block.size = bytes;
  rayo_error error = no_error();
  rayo_status status = api.buffer_create(device_.raw(), &desc, &block.raw, &error);
  if (status == RAYO_OUT_OF_MEMORY && trim()) status = api.buffer_create(device_.raw(), &desc, &block.raw, &error);
  device_.check(status, error, "device memory");
  try {
    device_.check(api.buffer_handle(block.raw, &block.data, &error), error, "take a buffer's handle");
    if (device_.unified()) {
      void *host = nullptr;
      device_.check(api.buffer_map(block.raw, &host, &error), error, "map a buffer");
      block.host = static_cast<char *>(host);
    }
  } catch (...) {
    destroy(block);
    throw;
  }
  return block;
}

void Staging::give_back(const Block &block) noexcept {
  const uint64_t most = std::min(kMostKept, device_.info().memory_bytes / 4);
  {
    const std::lock_guard lock(mutex_);
    if (!device_.lost() && kept_ + block.size <= most) {
      try {
        free_.push_back(block);
        kept_ += block.size;
        return;
      } catch (const std::bad_alloc &) {  // not kept, then
      }
    }
  }
  destroy(block);
}

void Staging::destroy(const Block &block) noexcept {
  if (block.raw != nullptr) device_.api().buffer_destroy(block.raw);
}

bool Staging::trim() noexcept {
  std::vector<Block> gone;
  {
    const std::lock_guard lock(mutex_);
    gone.swap(free_);
    kept_ = 0;
  }
  for (const Block &block : gone) destroy(block);
  return !gone.empty();
}

void Staging::close() noexcept {
  trim();
  const std::lock_guard lock(mutex_);
  idle_.clear();
  lanes_.clear();
  lane_count_ = 0;
}

}  // namespace rayo
