// SPDX-License-Identifier: Apache-2.0
//
// Elements of any type as doubles, for the small exact values of the smoke test and for its messages.
#pragma once

#include <dlpack/dlpack.h>

namespace rayo::probe {

// `value` is exactly representable in the type, but for signs in unsigned types: these get |value|.
void store_element(DLDataType dtype, double value, unsigned char *out);
double load_element(DLDataType dtype, const unsigned char *in);

}  // namespace rayo::probe
