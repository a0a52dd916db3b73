// SPDX-License-Identifier: Apache-2.0
//
// What a guard objects to in one call.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "guard/verify_rules.hpp"

namespace rayo {

class BoundCall;
struct KernelRecord;

struct Finding {
  GuardKind kind = GuardKind::nan;
  // Of output `output`: how many elements are wrong, and the worst of them.
  size_t output = 0;
  uint64_t wrong = 0;
  uint64_t total = 0;
  uint64_t index = 0;  // logical, row-major
  double actual = 0;
  double expected = 0;    // divergence: scalar's; nondeterminism: the second run's
  double allowed = 0;     // distance; 0 = the bits must agree
  bool compared = false;  // `expected` and `allowed` mean something
  // slowdown
  int64_t ns = 0;
  int64_t median_ns = 0;
  // Dense bytes of the output for a picture; `other` is empty where nothing was compared.
  std::vector<char> result;
  std::vector<char> other;
};

// "[3, 7]" of a logical index into a shape.
std::string index_text(const struct OperandDesc &operand, uint64_t index);

// One sentence: "divergence: 3 of 64 elements of C differ from scalar; worst [3, 7]: 1.5, expected 1.25 (...)".
std::string describe(const Finding &finding, const BoundCall &call);

}  // namespace rayo
