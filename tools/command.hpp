// SPDX-License-Identifier: Apache-2.0
//
// What a sub-command of `rayo` is: its arguments in, an exit code out. Also the program's errors, so that every
// sub-command fails in the same way: one text on stderr and one of four exit codes.
#pragma once

#include <rayo/rayo.h>

#include <span>
#include <stdexcept>
#include <string>

namespace rayo::tools {

constexpr int kExitOk = 0;
constexpr int kExitFailed = 1;
constexpr int kExitUsage = 2;
constexpr int kExitUnsupported = 3;

// Arguments after the sub-command's name.
using Arguments = std::span<const std::string>;

// A failure with its text for people, its status for programs and the exit code of the process.
class CommandError : public std::runtime_error {
 public:
  // The exit code follows from the status: RAYO_UNSUPPORTED is 3, everything else 1.
  CommandError(rayo_status status, const std::string &text)
      : CommandError(status, status == RAYO_UNSUPPORTED ? kExitUnsupported : kExitFailed, text) {}
  CommandError(rayo_status status, int exit_code, const std::string &text)
      : std::runtime_error(text), status_(status), exit_code_(exit_code) {}

  rayo_status status() const { return status_; }
  int exit_code() const { return exit_code_; }

 private:
  rayo_status status_;
  int exit_code_;
};

// The command line (or a batch line) asks for something that does not exist or makes no sense.
inline CommandError usage_error(const std::string &text) {
  return CommandError(RAYO_INVALID_ARGUMENT, kExitUsage, text);
}

// The sub-commands, one file each. They throw CommandError, std::bad_alloc and nothing else.
int devices_command(Arguments arguments);
int ops_command(Arguments arguments);
int run_command(Arguments arguments);
int explain_command(Arguments arguments);
int plugin_command(Arguments arguments);

}  // namespace rayo::tools
