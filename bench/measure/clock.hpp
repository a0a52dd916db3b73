// SPDX-License-Identifier: Apache-2.0
//
// Clocks. With one thread the thread's processor time: other processes come and go, and what they take is not ours.
// With more threads the wall clock, as processor time says nothing about waiting.
#pragma once

#include <cstdint>

namespace rayo::bench {

enum class Clock { thread_cpu, wall };

inline Clock clock_for(uint32_t threads) { return threads == 1 ? Clock::thread_cpu : Clock::wall; }
const char *clock_name(Clock clock);

// Nanoseconds since some start; monotonic.
double now_ns(Clock clock);

// What reading the clock twice in a row takes, in the median: readings must be far above it.
double clock_resolution_ns(Clock clock);

}  // namespace rayo::bench
