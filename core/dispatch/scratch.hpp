// SPDX-License-Identifier: Apache-2.0
//
// Workspace of the calling thread, kept between calls so that a call allocates nothing once it has run.
#pragma once

#include <cstdint>

namespace rayo {

// Borrows `size` bytes aligned to `alignment` (a power of two) for one call; null() if there is no memory. A nested
// borrow on the same thread gets memory of its own.
class Scratch {
 public:
  Scratch(uint64_t size, uint64_t alignment) noexcept {
    if (size != 0) borrow(size, alignment);
  }
  ~Scratch() {
    if (own_ || kept_) give_back();
  }
  Scratch(const Scratch &) = delete;
  Scratch &operator=(const Scratch &) = delete;

  void *get() const noexcept { return memory_; }
  bool failed() const noexcept { return failed_; }

 private:
  void borrow(uint64_t size, uint64_t alignment) noexcept;
  void give_back() noexcept;

  void *memory_ = nullptr;
  bool failed_ = false;
  bool own_ = false;   // memory of its own, freed at the end
  bool kept_ = false;  // the thread's memory, given back at the end
};

}  // namespace rayo
