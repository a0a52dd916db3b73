// SPDX-License-Identifier: Apache-2.0
//
// The embedded shaders, and what is added to them for a device before they are given to its driver.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "device.h"

namespace rayo::vulkan {

std::span<const uint32_t> embedded(Shader shader);
const char *shader_name(Shader shader);

// The module with every floating-point operation decorated NoContraction, and with the execution modes of the float
// controls that the device has. Throws RAYO_INTERNAL for a malformed module.
std::vector<uint32_t> with_exact_arithmetic(std::span<const uint32_t> module, const FloatControls &controls);

}  // namespace rayo::vulkan
