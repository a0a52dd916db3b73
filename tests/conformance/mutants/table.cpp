// SPDX-License-Identifier: Apache-2.0
#include "mutants/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <exception>
#include <mutex>
#include <set>
#include <thread>

#include "runner/session.hpp"
#include "suites/generator.hpp"

namespace rayo::conform {
namespace {

const std::array kMutants = {
#define MUTANT(name, tried, check, also, bug) Mutant{#name, tried, check, also, bug},
#include "mutants/bugs.def"
#undef MUTANT
};

// A race is lost differently every time, and what stands in a process's environment has addresses and numbers of its
// own: the check that sees it is the same, its words are not.
bool is_in_other_words(const std::string &mutant, const std::string &check) {
  return mutant == "tasks_share_an_accumulator" || check.starts_with("env ");
}

std::string file_of(const MutantFiles &files, const std::string &name) {
  return fmt::format("{}/mutant_{}.so", files.folder, name);
}

SessionOptions session(const MutantFiles &files) {
  SessionOptions options;
  options.reference = files.reference;
  options.case_seconds = 10;
  return options;
}

PluginReport judge(const MutantFiles &files, const std::string &name, const std::vector<Case> &cases) {
  return judge_plugin(file_of(files, name), cases, session(files));
}

std::vector<Case> cases_of(const Mutant &mutant) {
  if (mutant.one_case()) return {parse_case(mutant.tried)};
  const std::vector<std::string> ops = split(mutant.tried, ',');
  return generate(ops, true, 1);
}

// The check that spoke: the state, or what a failure's message begins with.
std::string check_of(const Verdict &verdict) {
  if (verdict.state != State::failed) return std::string(state_name(verdict.state));
  return verdict.message.substr(0, verdict.message.find(':'));
}

// Is `check` the one named, or a kind of it ("env locale" is an "env")?
bool is_kind_of(const std::string &check, std::string_view named) {
  return check == named || (check.starts_with(named) && check[named.size()] == ' ');
}

bool is_expected(const std::string &check, const Mutant &mutant) {
  if (is_kind_of(check, mutant.check)) return true;
  const std::vector<std::string> also = split(mutant.also, ',');
  return std::any_of(also.begin(), also.end(),
                     [&](const std::string &other) { return !other.empty() && is_kind_of(check, other); });
}

Verdict verdict_of(const MutantFiles &files, const Row &row, const std::string &line) {
  return judge(files, row.mutant.name, {parse_case(line)}).cases.at(0).verdict;
}

// The line alone, in another process.
void replay(const MutantFiles &files, Row &row) {
  const Verdict verdict = verdict_of(files, row, row.line);
  if (check_of(verdict) != row.check) {
    row.complaints.push_back(
        fmt::format("its line alone gives '{}', not '{}': {}", check_of(verdict), row.check, verdict.message));
  } else if (verdict.message != row.message && !is_in_other_words(row.mutant.name, row.check)) {
    row.complaints.push_back(fmt::format("its line alone gives other numbers: {}", verdict.message));
  }
}

Row judge_mutant(const Mutant &mutant, const MutantFiles &files) {
  Row row;
  row.mutant = mutant;
  const PluginReport report = judge(files, mutant.name, cases_of(mutant));
  row.executed = report.executed();
  if (!report.refused.empty()) row.complaints.push_back("refused: " + report.refused);
  for (const CaseResult &c : report.cases) {
    if (!is_defect(c.verdict.state)) continue;
    ++row.defects;
    const std::string check = check_of(c.verdict);
    if (!is_expected(check, mutant)) {
      row.complaints.push_back(
          fmt::format("'{}' spoke, which bugs.def does not name: {}: {}", check, c.line, c.verdict.message));
    }
    if (!is_kind_of(check, mutant.check) || (!row.line.empty() && row.line.size() <= c.line.size())) continue;
    row.check = check;
    row.line = c.line;
    row.message = c.verdict.message;
  }
  if (row.line.empty()) {
    row.complaints.push_back(fmt::format("not caught by '{}' ({} cases executed)", mutant.check, row.executed));
  } else {
    replay(files, row);
  }
  return row;
}

std::string document_row(const Row &row, const std::string &line) {
  return fmt::format("| {} | {} | {} | {} | `{}` |", row.mutant.name, row.mutant.bug, row.mutant.ops(), row.check,
                     line);
}

// Without a bug everything passes that was tried with one, and every row's line.
Row judge_none(std::span<const Row> rows, const MutantFiles &files) {
  std::set<std::string> ops;
  std::vector<Case> lines;
  for (const Row &row : rows) {
    if (row.mutant.one_case()) {
      lines.push_back(parse_case(row.mutant.tried));
    } else {
      for (const std::string &op : split(row.mutant.tried, ',')) ops.insert(op);
    }
    if (!row.line.empty()) lines.push_back(parse_case(row.line));
  }
  std::vector<Case> cases = generate(std::vector<std::string>(ops.begin(), ops.end()), true, 1);
  cases.insert(cases.end(), lines.begin(), lines.end());
  const PluginReport report = judge(files, "none", cases);
  Row row;
  row.mutant = {"none", fmt::format("{}", fmt::join(ops, ",")), "-", "", "none"};
  row.check = "-";
  row.executed = report.executed();
  if (!report.good()) row.complaints.push_back(report.refused.empty() ? "is not GOOD" : report.refused);
  for (std::size_t i = 0; i < report.cases.size(); ++i) {
    const Verdict &verdict = report.cases[i].verdict;
    if (is_defect(verdict.state)) row.complaints.push_back(report.cases[i].line + ": " + verdict.message);
    const bool is_line = i >= cases.size() - lines.size() && i < cases.size();
    if (is_line && verdict.state != State::passed) {
      row.complaints.push_back(fmt::format("{}: {}, not passed", report.cases[i].line, state_name(verdict.state)));
    }
  }
  return row;
}

}  // namespace

std::span<const Mutant> mutants() { return kMutants; }

std::vector<Row> judge_mutants(const MutantFiles &files) {
  std::vector<Row> rows(kMutants.size());
  std::atomic<std::size_t> next{0};
  std::exception_ptr failure;
  std::mutex failure_mutex;
  const auto work = [&] {
    for (std::size_t i = next++; i < rows.size(); i = next++) {
      try {
        rows[i] = judge_mutant(kMutants[i], files);
      } catch (...) {
        const std::lock_guard lock(failure_mutex);
        failure = std::current_exception();
      }
    }
  };
  std::vector<std::thread> workers;
  for (unsigned i = 1; i < std::max(1u, std::thread::hardware_concurrency()); ++i) workers.emplace_back(work);
  work();
  for (std::thread &worker : workers) worker.join();
  if (failure) std::rethrow_exception(failure);
  rows.push_back(judge_none(rows, files));
  return rows;
}

std::string text_table(std::span<const Row> rows) {
  std::string text = fmt::format("{:<32} {:<16} {:<10} {:>10}  {}\n", "mutant", "op", "caught by", "cases",
                                 "planted bug; replay line");
  for (const Row &row : rows) {
    const bool none = row.mutant.name == "none";
    text += fmt::format("{:<32} {:<16} {:<10} {:>10}  {}\n", row.mutant.name, none ? "all of these" : row.mutant.ops(),
                        row.check.empty() ? "NOT CAUGHT" : row.check, fmt::format("{}/{}", row.defects, row.executed),
                        row.mutant.bug);
    if (!row.line.empty()) text += fmt::format("{:<72}{}\n", "", row.line);
    for (const std::string &complaint : row.complaints) text += fmt::format("  WRONG: {}\n", complaint);
  }
  return text;
}

std::string document(std::span<const Row> rows) {
  std::string text = R"(# Who tests the conformance suite

Each mutant is one plugin, written from the arithmetic contract, with one bug planted (`tests/conformance/mutants`). The
suite must catch each by the check that is meant for it; without a bug the same cases all pass. Written by
`mutant_table --write docs/conformance-mutants.md` (build target `mutant_table`); a test runs it and compares.

The checks: *oracle*, a value is beyond its bound; *bits*, it is within it, but not what the contract says; *memory*,
something outside the output changed; *repeat*, equal calls differ; *law*, calls on related inputs disagree; *crashed*,
*hung*: the process died or gave no answer; *abi*, a rule of `rayo/plugin.h` is broken; *env*, the process is not as it
was. Of the cases that a check failed, the line is the shortest: `rayo conform --plugin FILE --case 'LINE'` replays it.

| mutant | planted bug | op | caught by | replay line |
| --- | --- | --- | --- | --- |
)";
  for (const Row &row : rows) {
    if (row.mutant.name == "none") continue;
    text += document_row(row, row.line) + '\n';
  }
  return text;
}

std::vector<std::string> document_faults(const std::string &text, std::span<const Row> rows, const MutantFiles &files) {
  const std::vector<std::string> actual = split(text, '\n');
  const std::vector<std::string> expected = split(document(rows), '\n');
  std::vector<std::string> faults;
  if (actual.size() != expected.size()) {
    faults.push_back(fmt::format("{} lines, expected {}", actual.size(), expected.size()));
  }
  for (std::size_t i = 0; i < std::min(actual.size(), expected.size()); ++i) {
    if (actual[i] == expected[i]) continue;
    const auto row =
        std::find_if(rows.begin(), rows.end(), [&](const Row &r) { return document_row(r, r.line) == expected[i]; });
    const std::size_t tick = actual[i].find('`');
    const std::size_t end = actual[i].rfind('`');
    const std::string line = end > tick ? actual[i].substr(tick + 1, end - tick - 1) : std::string();
    if (row == rows.end() || actual[i] != document_row(*row, line)) {
      faults.push_back(fmt::format("line {} is '{}', expected '{}'", i + 1, actual[i], expected[i]));
      continue;
    }
    const std::string check = check_of(verdict_of(files, *row, line));
    if (check != row->check) faults.push_back(fmt::format("line {}: '{}' gives '{}' now", i + 1, line, check));
  }
  return faults;
}

}  // namespace rayo::conform
