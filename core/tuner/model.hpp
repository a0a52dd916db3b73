// SPDX-License-Identifier: Apache-2.0
//
// From measured points to costs everywhere, and from costs to breakpoints. Between two volumes of one level a cost is
// affine in the volume: exact for a fixed cost plus a rate. Between two levels it is geometric in the level. Built into
// the core and into the tools.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "tuner/features.hpp"
#include "tuner/profile.hpp"

namespace rayo {

// A candidate must be faster by its measured noise to take over, by at most this much: noisier points say too little to
// move a breakpoint by more than about a tenth of its size.
constexpr double kMostNoise = 0.03;

// Nanoseconds of a candidate at `at`, by interpolation; beyond the points by the nearest segment's trend. Below 0: the
// entry has no points of this shape class, or none of the candidate.
double predict(const ProfileEntry &entry, uint32_t candidate, const Features &at);

// Nanoseconds to move `bytes` to (or from) a device: latency + bytes / rate.
double transfer_ns(const ProfileTransfer &transfer, bool to_device, uint64_t bytes) noexcept;

// Is `at` within the volumes that were measured for its class?
bool measured_range(const ProfileEntry &entry, const Features &at);

// The breakpoints that follow from an entry's times for calls of at most `threads` threads, with the candidates that
// `allowed` accepts: one row for every half octave of level between the measured ones. At a tie within the noise fewer
// threads win, then the earlier candidate. No row where no allowed candidate has a point.
std::vector<ChoiceRow> derive_choices(const ProfileEntry &entry, uint32_t threads,
                                      const std::function<bool(uint32_t)> &allowed);

// The numbers of threads that an entry's candidates have, ascending.
std::vector<uint32_t> thread_counts(const ProfileEntry &entry);

}  // namespace rayo
