// SPDX-License-Identifier: Apache-2.0
//
// Publishing a device profile in a runtime.
#pragma once

#include "capi/runtime.hpp"

namespace rayo {

// A number that no runtime and no profile of this process has had.
uint64_t next_generation() noexcept;

// Reads the layers and publishes the table that follows from them and the plugins there are now (nullopt: the static
// order); calls bound from here on use it. change_mutex is held, or nobody else has the runtime yet. Throws Error, with
// nothing changed, when the application's own profile is not there.
void publish_profile(rayo_runtime *runtime, const std::optional<ProfileSources> &sources);

}  // namespace rayo
