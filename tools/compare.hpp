// SPDX-License-Identifier: Apache-2.0
//
// Two results of the same call, element by element: equal in bits, or how far apart in units in the last place.
#pragma once

#include <cstdint>

#include "host_tensor.hpp"

namespace rayo::tools {

struct Comparison {
  uint64_t differing = 0;      // elements whose bits differ; any NaN equals any NaN
  uint64_t max_ulp = 0;        // largest distance among them; a NaN against a number counts as UINT64_MAX
  uint64_t worst_element = 0;  // its row-major index
};

// Both compact row-major, of the same type and shape.
Comparison compare(const HostTensor &actual, const HostTensor &expected);

}  // namespace rayo::tools
