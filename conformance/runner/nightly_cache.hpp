// SPDX-License-Identifier: Apache-2.0
//
// Verdicts of runs that take too long for every day (all 2^32 inputs of a function), kept in the user's cache and bound
// to the SHA-256 of the plugin they are about: written by whoever made the run, quoted with their date afterwards.
//
//   $XDG_CACHE_HOME/rayo/conformance/<sha256>/<op>_<dtype>[_<attributes>].<check>.json      (default: ~/.cache)
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "runner/state.hpp"

namespace rayo::conform {

struct NightlyKey {
  std::string sha256;
  std::string op;
  std::string dtype;       // "f32"
  std::string attributes;  // as on a case line, "approximate=tanh"; empty = the defaults
  std::string check;       // "bound": every value within the op's bound; other checks name what they assert
};

struct NightlyVerdict {
  std::string plugin;        // its name
  std::uint64_t inputs = 0;  // different inputs judged; 2^32 is all of f32
  Verdict verdict;
  std::string date;  // "2026-03-01", UTC; empty = today, when it is stored
};

// Where verdicts are kept; empty where neither XDG_CACHE_HOME nor HOME is an absolute path.
std::filesystem::path nightly_folder();

// Replaces what was there, by a temporary file and a rename. Throws std::runtime_error naming the file.
void store_nightly(const NightlyKey &key, const NightlyVerdict &verdict);
// Nothing if there is none, or none that can be read.
std::optional<NightlyVerdict> load_nightly(const NightlyKey &key);

}  // namespace rayo::conform
