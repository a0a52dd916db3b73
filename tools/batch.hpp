// SPDX-License-Identifier: Apache-2.0
//
// `rayo run --batch`: many jobs in one process, one JSON line in and one JSON line out.
#pragma once

#include <string>

#include "session.hpp"

namespace rayo::tools {

// Settings of the command line that hold for every line.
struct BatchSettings {
  bool u2_is_bf16 = false;
  uint32_t repeat = 1;
  bool verify = false;
};

// Runs the lines of `file` ("-": standard input) in order and prints a result line for each; blank lines are skipped.
// A line that fails is reported and the next one runs. Returns 1 if any failed. Throws when the file cannot be read.
int run_batch(const Session &session, const SessionOptions &options, const std::string &file,
              const BatchSettings &settings);

}  // namespace rayo::tools
