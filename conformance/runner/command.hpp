// SPDX-License-Identifier: Apache-2.0
//
// The sub-command `rayo conform`.
#pragma once

#include <span>
#include <string>

namespace rayo {

// `args`: what follows "conform" on the command line. Report to stdout or to -o FILE, progress and errors to stderr.
// Returns the exit code: 0 every judged plugin is good, 1 one is not (or nothing was executed), 2 wrong usage,
// 3 the plugin cannot run on this machine. Forks; the process must not have created a runtime.
int conform_command(std::span<const std::string> args);

}  // namespace rayo
