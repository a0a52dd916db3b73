// SPDX-License-Identifier: Apache-2.0
//
// The list of devices without asking a driver. Making a Vulkan instance loads every driver of the machine, which took
// 40 to 300 ms here (Mesa 22.3, four drivers), and a runtime lists its devices at every start; so what the drivers said
// is kept, together with all that it can depend on: manifests, libraries, device files, environment, this boot.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "driver.h"

namespace rayo::vulkan {

struct DeviceList {
  std::vector<rayo_device_info> devices;
  std::string reason;  // why there is none
};

// What was kept, if nothing has changed since.
std::optional<DeviceList> kept_device_list();
void keep_device_list(const Driver &driver);

}  // namespace rayo::vulkan
