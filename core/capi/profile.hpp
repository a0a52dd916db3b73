// SPDX-License-Identifier: Apache-2.0
//
// Publishing a device profile in a runtime.
#pragma once

#include "capi/runtime.hpp"

namespace rayo {

// A number that no runtime and no profile of this process has had.
uint64_t next_generation() noexcept;

// Reads the layers and publishes the table that follows from them; calls bound from here on use it. Throws Error when
// the application's own profile is not there.
void publish_profile(rayo_runtime *runtime, const ProfileSources &sources);

}  // namespace rayo
