// SPDX-License-Identifier: Apache-2.0
//
// Measuring: all work items on all devices of one instruction set, beside the peers, in this process.
#pragma once

#include <csignal>

#include <nlohmann/json.hpp>

#include "options.hpp"

namespace rayo::bench {

// The limit that peers get beside this device of ours: "avx2", "baseline" for scalar, else "native" (peer.h).
std::string isa_of_device(const std::string &device);

// The document of `rayo bench --json`: machine, rows, skipped items, interrupted. All devices share `isa`.
nlohmann::json measure(const BenchOptions &options, const std::string &isa, const volatile std::sig_atomic_t *stop);

}  // namespace rayo::bench
