// SPDX-License-Identifier: Apache-2.0
//
// malloc and its kin for this program and the libraries it loads: counted, and made to fail on request.
#pragma once

#include <cstddef>
#include <cstdint>

namespace rayo_test {

// While armed, the thread's allocations are numbered from 1 and `fail_at` fails (0 = none). disarm() returns how many
// there were.
void arm(uint64_t fail_at) noexcept;
uint64_t disarm() noexcept;
bool failed() noexcept;  // did one fail since arm()?

// Blocks of the whole program that are allocated now.
int64_t live_blocks() noexcept;

}  // namespace rayo_test
