// SPDX-License-Identifier: Apache-2.0
//
// The command line of `rayo bench`.
#pragma once

#include <string>
#include <vector>

#include "bench/work/catalogue_work.hpp"
#include "tools/command.hpp"
#include "tools/session.hpp"

namespace rayo::bench {

struct BenchOptions {
  tools::SessionOptions session;     // plugins, numerics
  std::vector<std::string> ops;      // empty: all
  std::vector<std::string> devices;  // at least one
  std::vector<uint32_t> threads;     // at least one
  Selection selection;
  std::string shapes, dtypes;  // as given, for child processes
  bool peers = false;
  std::string peer_folder;
  bool fresh = false;
  bool json = false;
  double budget_s = 0;  // 0: none
  std::string output_file, svg_file, baseline_file;
};

// false: --help was asked for and printed. Throws usage errors.
bool parse_options(tools::Arguments arguments, BenchOptions *out_options);

// The arguments that make a child process measure the same on `devices`, as JSON into `file`.
std::vector<std::string> child_arguments(const BenchOptions &options, const std::vector<std::string> &devices,
                                         double budget_s, const std::string &file);

}  // namespace rayo::bench
