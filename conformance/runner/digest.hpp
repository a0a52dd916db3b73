// SPDX-License-Identifier: Apache-2.0
//
// What a call returned, in 128 bits: equal digests mean equal shapes and equal bits (NaNs count as one). Two uses: a
// result that was judged once need not be judged again for the next plugin, and two runs of a plugin can be compared.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "oracle/oracle.hpp"
#include "runner/state.hpp"

namespace rayo::conform {

struct Digest {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  friend bool operator==(const Digest &, const Digest &) = default;
};

Digest digest_of(std::span<const OutputShape> shapes, std::span<const std::vector<double>> results);

std::string digest_text(const Digest &digest);  // 32 hex digits

// A result that passed, and under which promise (numerics class, flushing): the next plugin of one run that returns the
// same bits under the same promise has passed as well, because oracle, reference and contract are the same.
struct KnownResult {
  std::uint32_t promise = 0;
  Digest digest;
  Verdict verdict;
};

}  // namespace rayo::conform
