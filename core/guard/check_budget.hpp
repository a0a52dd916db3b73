// SPDX-License-Identifier: Apache-2.0
//
// How much time the checks of a plan's calls may take: a share of what the calls themselves take.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace rayo {

// One call in every `every` is due for a check and earns the time for it: share * every * the time of a call. What a
// check takes beyond that, later ones go without. Callable from many threads: then an amount may be lost.
class CheckBudget {
 public:
  // share 0: no limit.
  CheckBudget(double share, uint32_t every) noexcept : per_call_(share * every) {}

  bool limited() const noexcept { return per_call_ > 0; }

  // For a call that is due: false if no time is left for a check of it.
  bool earn() noexcept {
    const int64_t typical = typical_ns_.load(std::memory_order_relaxed);
    if (typical == 0) return true;  // the first one, which shows how long calls take
    const auto allowance = static_cast<int64_t>(per_call_ * static_cast<double>(typical));
    const int64_t left = std::min(left_ns_.load(std::memory_order_relaxed) + allowance, allowance);
    left_ns_.store(left, std::memory_order_relaxed);
    return left > 0;
  }
  // How long the check may take of a call that took `call_ns`.
  int64_t learn(int64_t call_ns) noexcept {
    // A call that was interrupted says nothing about the others.
    const int64_t known = typical_ns_.load(std::memory_order_relaxed);
    const int64_t typical = std::max<int64_t>(known == 0 ? call_ns : std::min(call_ns, known + known / 4 + 1), 1);
    typical_ns_.store(typical, std::memory_order_relaxed);
    if (known != 0) return left_ns_.load(std::memory_order_relaxed);
    return static_cast<int64_t>(per_call_ * static_cast<double>(typical));
  }
  void spend(int64_t ns) noexcept { left_ns_.fetch_sub(ns, std::memory_order_relaxed); }

 private:
  double per_call_;
  std::atomic<int64_t> typical_ns_{0};
  std::atomic<int64_t> left_ns_{0};
};

}  // namespace rayo
