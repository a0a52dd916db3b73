// SPDX-License-Identifier: Apache-2.0
//
// Which calls are looked at: one in every `every` consecutive ones, at a place that a hash chooses anew each time, so
// that a fault with a period of its own does not slip through between fixed steps.
#pragma once

#include <atomic>
#include <cstdint>

namespace rayo {

// splitmix64: the number behind `state` in a sequence of well mixed ones.
constexpr uint64_t kSplitmixStep = 0x9e3779b97f4a7c15u;
inline uint64_t splitmix64(uint64_t state) noexcept {
  uint64_t z = state + kSplitmixStep;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

class Sampler {
 public:
  // every: 0 = never, 1 = each call. Equal seeds choose equal calls. The first place is random too, so that a plan that
  // runs once is looked at with probability 1/every.
  Sampler(uint32_t every, uint64_t seed) noexcept : every_(every), state_(seed) {
    if (every_ > 1) next_window(0);
  }

  // For the next call. Callable from many threads: then a call may be counted twice or not at all.
  bool take() noexcept {
    if (every_ <= 1) return every_ == 1;
    const uint32_t left = left_.load(std::memory_order_relaxed);
    if (left != 0) {
      left_.store(left - 1, std::memory_order_relaxed);
      return false;
    }
    next_window(behind_.load(std::memory_order_relaxed));
    return true;
  }

  // How many calls take() will pass over before the next one that it takes; they may be passed over at once.
  uint32_t waiting() const noexcept {
    return every_ <= 1 ? (every_ == 1 ? 0 : UINT32_MAX) : left_.load(std::memory_order_relaxed);
  }
  void pass(uint32_t calls) noexcept {
    if (every_ <= 1) return;
    const uint32_t left = left_.load(std::memory_order_relaxed);
    left_.store(left > calls ? left - calls : 0, std::memory_order_relaxed);
  }

 private:
  uint32_t random_place() noexcept {
    return static_cast<uint32_t>(splitmix64(state_.fetch_add(kSplitmixStep, std::memory_order_relaxed)) % every_);
  }
  void next_window(uint32_t left_of_this_one) noexcept {
    const uint32_t place = random_place();
    const uint64_t wait = uint64_t{left_of_this_one} + place;
    left_.store(wait > UINT32_MAX ? UINT32_MAX : static_cast<uint32_t>(wait), std::memory_order_relaxed);
    behind_.store(every_ - 1 - place, std::memory_order_relaxed);
  }

  uint32_t every_;
  std::atomic<uint64_t> state_;
  std::atomic<uint32_t> left_{0};    // calls before the next one that is taken
  std::atomic<uint32_t> behind_{0};  // calls of its window behind it
};

}  // namespace rayo
