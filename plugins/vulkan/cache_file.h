// SPDX-License-Identifier: Apache-2.0
//
// Small files kept between runs in the user's cache folder. They are a convenience: unreadable, damaged or not
// writable, one is as if it were not there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace rayo::vulkan {

// The content as it was written, or empty.
std::vector<std::byte> read_cached(const std::string &name);
// Atomic: a reader sees the old content or the new one, whoever else writes.
void write_cached(const std::string &name, std::span<const std::byte> content);

// FNV-1a, continued from `sum`.
inline constexpr uint64_t kChecksumStart = 0xcbf29ce484222325u;
uint64_t checksum_of(std::span<const std::byte> data, uint64_t sum = kChecksumStart);

}  // namespace rayo::vulkan
