// SPDX-License-Identifier: Apache-2.0
#include "dispatch/scratch.hpp"

#include <algorithm>
#include <cstdlib>

namespace rayo {
namespace {

// A thread keeps at most this much between calls; a larger workspace is freed after its call.
constexpr uint64_t kMostKept = uint64_t{64} << 20;
constexpr uint64_t kLeastAlignment = 64;

void *allocate(uint64_t size, uint64_t alignment) noexcept {
  if (size > UINT64_MAX - alignment) return nullptr;
  return std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}

struct Kept {
  ~Kept() { std::free(memory); }
  void *memory = nullptr;
  uint64_t size = 0;
  uint64_t alignment = kLeastAlignment;
  bool busy = false;
};

thread_local Kept t_kept;  // reached by calls with a workspace alone

}  // namespace

void Scratch::borrow(uint64_t size, uint64_t alignment) noexcept {
  alignment = std::max(alignment, kLeastAlignment);
  Kept &kept = t_kept;
  if (kept.busy || size > kMostKept) {
    memory_ = allocate(size, alignment);
    own_ = true;
  } else {
    if (kept.size < size || kept.alignment < alignment) {
      std::free(kept.memory);
      kept.memory = allocate(size, alignment);
      kept.size = kept.memory == nullptr ? 0 : size;
      kept.alignment = alignment;
    }
    memory_ = kept.memory;
    kept.busy = memory_ != nullptr;
    kept_ = kept.busy;
  }
  failed_ = memory_ == nullptr;
}

void Scratch::give_back() noexcept {
  if (own_) std::free(memory_);
  if (kept_) t_kept.busy = false;
}

}  // namespace rayo
