// SPDX-License-Identifier: Apache-2.0
//
// mutant_table: judges every mutant, prints the table (and leaves it beside the mutants, for the developer script), and
// fails if a row is not as planned.
//
//   mutant_table --check docs/conformance-mutants.md    and if the document says anything else
//   mutant_table --write docs/conformance-mutants.md    writes the document
#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "mutants/table.hpp"

namespace {

using namespace rayo::conform;

std::string read(const std::string &path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void write(const std::string &path, const std::string &text) {
  std::ofstream file(path);
  file << text;
  file.close();
  if (!file) throw std::runtime_error(fmt::format("{}: cannot be written", path));
}

int run(const std::vector<std::string> &args) {
  const bool legal = args.empty() || (args.size() == 2 && (args[0] == "--check" || args[0] == "--write"));
  if (!legal) {
    fmt::print(stderr, "usage: mutant_table [--check FILE | --write FILE]\n");
    return 2;
  }
  const MutantFiles files = {RAYO_MUTANT_DIR, RAYO_SCALAR_FILE};
  const std::vector<Row> rows = judge_mutants(files);
  const std::string table = text_table(rows);
  fmt::print("{}", table);
  write(files.folder + "/table.txt", table);
  std::size_t wrong = 0;
  for (const Row &row : rows) wrong += row.complaints.empty() ? 0 : 1;
  fmt::print("{} mutants, {} rows wrong\n", mutants().size(), wrong);
  if (wrong > 0) return 1;
  if (args.empty()) return 0;
  if (args[0] == "--write") {
    write(args[1], document(rows));
    return 0;
  }
  const std::vector<std::string> faults = document_faults(read(args[1]), rows, files);
  for (const std::string &fault : faults) fmt::print("{}: {}\n", args[1], fault);
  if (!faults.empty()) fmt::print("mutant_table --write {} renews it\n", args[1]);
  return faults.empty() ? 0 : 1;
}

}  // namespace

int main(int argc, char **argv) {
  try {
    return run({argv + 1, argv + argc});
  } catch (const std::exception &error) {
    std::fprintf(stderr, "mutant_table: %s\n", error.what());
    return 1;
  }
}
