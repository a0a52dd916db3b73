// SPDX-License-Identifier: Apache-2.0
//
// What the deciders of the Vulkan claims share: the plugin's devices, asked through plugin.h.
#pragma once

#include <string>
#include <vector>

#include "claims/claim.hpp"

namespace rayo::conform::claims {

struct VulkanDevice {
  std::string id;    // "vulkan0"
  std::string name;  // of the hardware
  std::uint64_t max_buffer_bytes = 0;
};
// Those of Vulkan's kind, at least one; otherwise throws NotEvaluated.
std::vector<VulkanDevice> vulkan_devices(const Backend &backend);

}  // namespace rayo::conform::claims
