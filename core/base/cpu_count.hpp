// SPDX-License-Identifier: Apache-2.0
//
// How many CPUs this process may really use: the affinity mask, cut by the container's quota (cgroup v2 cpu.max).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace rayo {

// At least 1.
uint32_t usable_cpus() noexcept;

// CPUs that a cgroup v2 cpu.max line allows ("150000 100000" = 2, rounded up); 0 = no limit or not understood.
uint32_t cpus_of_quota(std::string_view cpu_max) noexcept;

// The CPU's model as the system calls it; "CPU" when it does not say.
std::string cpu_model();

}  // namespace rayo
