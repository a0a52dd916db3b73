// SPDX-License-Identifier: Apache-2.0
//
// What it costs to move data to a device and back: copies of growing sizes, fitted as latency + bytes / rate.
#pragma once

#include <csignal>
#include <string>
#include <utility>
#include <vector>

#include "tools/session.hpp"
#include "tuner/profile.hpp"

namespace rayo::tools::tune {

struct TransferFit {
  double latency_ns = 0;
  double bytes_per_ns = 0;
};

// The line through (bytes, ns) whose largest points do not drown the smallest: least squares of the relative
// deviations, with a latency of at least 0. Points: at least one, with times above 0.
TransferFit fit_transfer(const std::vector<std::pair<double, double>> &points);

// Copies from and to memory of the application, and, where the device has it, from and to pinned memory in its queue;
// launch_ns is left at 0. About a second at most. Throws CommandError where the device cannot be used.
ProfileTransfer measure_transfers(const Session &session, const std::string &id,
                                  const volatile std::sig_atomic_t *stop);

}  // namespace rayo::tools::tune
