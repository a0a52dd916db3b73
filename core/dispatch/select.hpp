// SPDX-License-Identifier: Apache-2.0
//
// Which kernel runs a validated call. Until a measured profile exists the order is static: the plugins' stated
// preference (avx512 over avx2 over scalar), best first, masked by device choice and numerics policy.
#pragma once

#include <rayo/rayo.h>

#include <string>
#include <vector>

#include "dispatch/bind.hpp"
#include "registry/registry.hpp"

namespace rayo {

// What the addresses of a call ask of a kernel, on top of its descriptor.
struct Addressing {
  bool in_place = false;      // an output is exactly an input
  uint32_t alignment = 4096;  // largest power of two (up to this) that all addresses are multiples of
};

struct Candidate {
  const KernelRecord *kernel = nullptr;
  uint32_t state = RAYO_CANDIDATE_POSSIBLE;  // POSSIBLE, MASKED or UNSUPPORTED
  std::string reason;
};

// Every kernel of the op in the order it would be tried, each with its verdict.
std::vector<Candidate> rank_candidates(const Registry &registry, const BoundCall &call, const CallRequest &request,
                                       const Addressing &addressing);

// Refuses a device name that is neither "auto" nor ready; the text says why a known plugin is not. Throws Error.
void check_device(const Registry &registry, const char *device);

}  // namespace rayo
