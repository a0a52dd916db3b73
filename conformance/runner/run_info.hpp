// SPDX-License-Identifier: Apache-2.0
//
// Under which circumstances a run was made: what every report states besides the verdicts, and what decides whether
// it can be a certificate.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rayo::conform {

// One line of an expectations file, and how many executed cases it matched.
struct Expectation {
  std::string file;
  std::size_t line = 0;
  std::string plugin;  // pattern of the plugin's name
  std::string cases;   // pattern of case lines
  std::string reason;
  std::size_t matched = 0;
};

// What a run covered. Only a full run says what a plugin is worth.
enum class RunKind { full, quick, partial };  // partial: --ops, --case or --slice
std::string_view run_kind_name(RunKind kind);

struct RunInfo {
  std::string rayo;     // version of the library
  std::string date;     // "2026-03-01T12:00:00Z", when the run began
  std::string machine;  // "Intel(R) Xeon(R) CPU, 8 CPUs, x86_64, Linux 6.1.0"
  RunKind kind = RunKind::partial;
  std::uint64_t seed = 0;
  double seconds = 0;
  std::string reference;  // file that --reference named; empty = the scalar plugin that was found
  std::vector<Expectation> expectations;
};

// Version, date and machine of now and here.
RunInfo describe_run();

}  // namespace rayo::conform
