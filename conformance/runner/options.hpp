// SPDX-License-Identifier: Apache-2.0
//
// The command line of `rayo conform`, parsed and checked.
#pragma once

#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "runner/run_info.hpp"

namespace rayo::conform {

struct Options {
  std::vector<std::string> plugins;  // files or names; empty = every ready one
  std::string reference;             // file; empty = the scalar plugin that the runtime finds
  std::vector<std::string> ops;      // empty = all
  std::vector<std::string> cases;    // lines; empty = generated
  std::uint64_t seed = 1;
  bool quick = false;
  bool shuffle = false;     // run the cases in an order drawn from the seed
  std::uint64_t parts = 1;  // of which one is run
  int case_seconds = 20;    // without an answer: the case hangs
  unsigned lanes = 0;       // child processes side by side; 0: one per CPU
  bool one_thread = false;  // leave out the cases that need threads, and run in one lane
  std::string format = "text";
  std::vector<std::string> expectations;  // files
  bool record = false;                    // keep the verdicts where a runtime that requires conformance looks
  std::string output;                     // empty = stdout
  bool claims = false;                    // decide the claims instead
  std::string claim_list;                 // their ids, with commas; empty = all
  std::string aarch64;                    // build folder for 64-bit ARM; empty = none
  bool nightly = false;                   // what takes hours
  bool help = false;
};

class UsageError : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
};

// What these options make of a run: only a full one may be recorded.
RunKind run_kind(const Options &options);

Options parse_options(std::span<const std::string> args);  // throws UsageError
std::string help_text();

}  // namespace rayo::conform
