// SPDX-License-Identifier: Apache-2.0
//
// The sub-command `rayo bench`.
#pragma once

#include <span>
#include <string>

namespace rayo::bench {

// `arguments`: what follows "bench". Throws tools::CommandError as sub-commands do. Exit code: 0 measured, 1
// interrupted or slower than the baseline, 3 nothing could be run. Devices limited to an instruction set are measured
// in child processes of the same program.
int bench_command(std::span<const std::string> arguments);

}  // namespace rayo::bench
