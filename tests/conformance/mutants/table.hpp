// SPDX-License-Identifier: Apache-2.0
//
// Judges every mutant of bugs.def and puts the verdicts side by side: who caught it, by which case, and whether the
// case's line alone tells the same again.
#pragma once

#include <span>
#include <string>
#include <vector>

namespace rayo::conform {

struct Mutant {
  std::string name;
  std::string tried;  // ops, or one case line
  std::string check;
  std::string also;
  std::string bug;

  bool one_case() const { return tried.find(' ') != std::string::npos; }
  std::string ops() const { return tried.substr(0, tried.find(' ')); }
};
std::span<const Mutant> mutants();

struct Row {
  Mutant mutant;
  std::string check;  // that caught it, as its message begins
  std::string line;   // the shortest of the cases it caught the mutant by
  std::string message;
  std::size_t defects = 0;  // cases that are not as they should be, by any check
  std::size_t executed = 0;
  std::vector<std::string> complaints;  // what is wrong with this row; empty = as planned
};

struct MutantFiles {
  std::string folder;     // mutant_<name>.so
  std::string reference;  // the scalar plugin
};

// All of them, and the plugin without a bug ("none") on everything that is tried with any of them, and on every row's
// line. In as many processes as there are processors.
std::vector<Row> judge_mutants(const MutantFiles &files);

std::string text_table(std::span<const Row> rows);
// The whole of docs/conformance-mutants.md.
std::string document(std::span<const Row> rows);
// Where `text` says otherwise than document(rows). A replay line may be one of another day, if it still fails by the
// same check: it is run.
std::vector<std::string> document_faults(const std::string &text, std::span<const Row> rows, const MutantFiles &files);

}  // namespace rayo::conform
