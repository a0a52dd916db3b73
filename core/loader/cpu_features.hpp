// SPDX-License-Identifier: Apache-2.0
//
// The CPU gate's knowledge: which RAYO_CPU_* features this machine has AND its operating system saves. A plugin whose
// note asks for more is rejected before a byte of it runs.
#pragma once

#include <rayo/types.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace rayo {

// RAYO_CPU_* bits of this machine (x86: CPUID and XGETBV; aarch64: HWCAP). Cheap: measured once per process.
uint64_t detect_cpu_features() noexcept;

// "avx2, fma" in bit order; unknown bits as "bit 17"; "none" for 0.
std::string cpu_feature_names(uint64_t features);

// "avx512f,avx2" to bits, plus every feature that needs one of them (no avx means no avx2). Throws
// Error(RAYO_INVALID_ARGUMENT) naming `source` and the legal names.
uint64_t parse_cpu_disable(std::string_view source, std::string_view text);

}  // namespace rayo
