// SPDX-License-Identifier: Apache-2.0
//
// A finding as a picture: where in an output the wrong elements are.
#pragma once

#include <string>

#include "dispatch/shape_rules.hpp"
#include "guard/finding.hpp"

namespace rayo {

// The bytes of a PNG file, or "" where libpng is not installed. The last axis runs to the right (vectors are folded
// into a near-square); above 512 pixels the worst element of a block stands for it. The distance to the other result on
// a logarithmic scale from black over red to yellow, or without another result the value's magnitude in greys; NaN is
// magenta, +Inf white, -Inf blue.
std::string heat_map_png(const Finding &finding, const OperandDesc &operand);

}  // namespace rayo
