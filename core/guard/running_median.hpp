// SPDX-License-Identifier: Apache-2.0
//
// Is a call slow against those before it?
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <mutex>

namespace rayo {

// Median of the last 31 calls; callable from many threads (a call whose turn collides is neither judged nor counted).
class RunningMedian {
 public:
  // Less than this more than the median is the scheduler's noise, whatever the factor.
  static constexpr int64_t kNoise = 100'000;
  static constexpr size_t kKept = 31;
  static constexpr size_t kLeast = 15;  // calls before the first is judged

  // True if ns > factor * median and more than kNoise above it; *out_median is the median without this call.
  bool slow(int64_t ns, double factor, int64_t *out_median) noexcept {
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock) return false;
    bool found = false;
    if (count_ >= kLeast) {
      std::array<int64_t, kKept> sorted = times_;
      const size_t known = std::min(count_, kKept);
      auto *const middle = sorted.data() + known / 2;
      std::nth_element(sorted.data(), middle, sorted.data() + known);
      *out_median = *middle;
      found = static_cast<double>(ns) > factor * static_cast<double>(*middle) && ns - *middle > kNoise;
    }
    times_[count_ % kKept] = ns;
    ++count_;
    return found;
  }

 private:
  std::mutex mutex_;
  std::array<int64_t, kKept> times_{};
  size_t count_ = 0;
};

}  // namespace rayo
