// SPDX-License-Identifier: Apache-2.0
//
// The suite's random numbers: PCG32 (PCG-XSH-RR 64/32, M. E. O'Neill 2014), chosen because its reference output is
// published and checked by a test. Floats are built from its bits by hand: the standard library's distributions
// differ between platforms, and a case line must mean the same data everywhere.
#pragma once

#include <cstdint>

namespace rayo::conform {

class Pcg32 {
 public:
  explicit Pcg32(std::uint64_t seed, std::uint64_t stream = 0) : increment_((stream << 1) | 1u) {
    next();
    state_ += seed;
    next();
  }

  std::uint32_t next() {
    const std::uint64_t old = state_;
    state_ = old * UINT64_C(6364136223846793005) + increment_;
    const auto folded = static_cast<std::uint32_t>(((old >> 18) ^ old) >> 27);
    const auto rotation = static_cast<std::uint32_t>(old >> 59);
    return (folded >> rotation) | (folded << ((32u - rotation) & 31u));
  }

  std::uint64_t next64() {
    const std::uint64_t high = next();
    return (high << 32) | next();
  }

  // Below `bound` without bias (rejection); bound > 0.
  std::uint32_t below(std::uint32_t bound) {
    const std::uint32_t threshold = (0u - bound) % bound;
    for (;;) {
      const std::uint32_t r = next();
      if (r >= threshold) return r % bound;
    }
  }

  // [0, 1) on the grid of 2^-24, exact in f32.
  double unit24() { return static_cast<double>(next() >> 8) * 0x1p-24; }
  // [0, 1) on the grid of 2^-53.
  double unit53() { return static_cast<double>(next64() >> 11) * 0x1p-53; }

 private:
  std::uint64_t state_ = 0;
  std::uint64_t increment_;
};

}  // namespace rayo::conform
