// SPDX-License-Identifier: Apache-2.0
//
// What another program prints: the disassembler, the emulator. No shell is involved.
#pragma once

#include <string>
#include <vector>

namespace rayo::conform::claims {

struct CommandOutput {
  bool started = false;  // false: no such program (error says so)
  int exit_status = -1;  // -1: killed by a signal
  std::string text;      // stdout
  std::string error;     // one line: why there is no output, or how it ended if not by 0
};

// argv[0] is looked up in PATH. Its stderr goes where ours goes.
CommandOutput run_command(const std::vector<std::string> &argv);

}  // namespace rayo::conform::claims
