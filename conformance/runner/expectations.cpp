// SPDX-License-Identifier: Apache-2.0
#include "runner/expectations.hpp"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "runner/options.hpp"
#include "suites/case.hpp"
#include "suites/catalogue.hpp"

namespace rayo::conform {
namespace {

constexpr std::uintmax_t kLargestFile = 1 << 20;

bool glob(const std::string &pattern, std::string_view text) {
  return ::fnmatch(pattern.c_str(), std::string(text).c_str(), FNM_NOESCAPE) == 0;
}

std::string trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r";
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(kBlank) - first + 1));
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  for (std::string &word : split(text, ' ')) {
    if (!word.empty()) words.push_back(std::move(word));
  }
  return words;
}

bool is_whole_case(std::string_view text) {
  try {
    (void)parse_case(text);
    return text.find_first_of("*?") == std::string_view::npos;
  } catch (const CaseError &) {
    return false;
  }
}

[[noreturn]] void refuse(const Expectation &at, const std::string &what) {
  throw UsageError(fmt::format("{}:{}: {}", at.file, at.line, what));
}

Expectation parse_line(std::string_view text, const std::string &file, std::size_t number) {
  Expectation e{file, number, {}, {}, {}, 0};
  const std::size_t first = text.find('|');
  const std::size_t second = first == std::string_view::npos ? first : text.find('|', first + 1);
  if (second == std::string_view::npos) {
    refuse(e, fmt::format("'{}': expected three columns, PLUGIN | CASE | REASON", trimmed(text)));
  }
  e.plugin = trimmed(text.substr(0, first));
  e.cases = fmt::format("{}", fmt::join(words_of(trimmed(text.substr(first + 1, second - first - 1))), " "));
  e.reason = trimmed(text.substr(second + 1));
  if (e.plugin.empty()) refuse(e, "PLUGIN is empty; write the plugin's name, or * for any");
  if (e.cases.empty()) refuse(e, "CASE is empty; write an op and what else tells the case, or a whole case line");
  if (e.reason.empty()) refuse(e, "REASON is empty; say why this fails and where that is tracked");
  const std::string op = e.cases.substr(0, e.cases.find(' '));
  const auto all = catalogue();
  if (!is_whole_case(e.cases) &&
      std::none_of(all.begin(), all.end(), [&op](const OpInfo &info) { return glob(op, info.name); })) {
    refuse(e, fmt::format("'{}' matches no op that is judged; `rayo ops` lists them", op));
  }
  return e;
}

}  // namespace

std::vector<Expectation> parse_expectations(std::string_view text, const std::string &file) {
  std::vector<Expectation> list;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  std::size_t number = 0;
  for (const std::string &line : split(text, '\n')) {
    ++number;
    const std::string content = trimmed(line);
    if (content.empty() || content.front() == '#') continue;
    list.push_back(parse_line(content, file, number));
  }
  return list;
}

std::vector<Expectation> load_expectations(const std::string &file) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(file, error)) {
    throw UsageError(fmt::format("--expectations {}: {}", file, error ? error.message() : "is not a regular file"));
  }
  if (std::filesystem::file_size(file, error) > kLargestFile) {
    throw UsageError(fmt::format("--expectations {}: is larger than 1 MiB; this is no list of known failures", file));
  }
  std::ifstream stream(file, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  if (!stream) throw UsageError(fmt::format("--expectations {}: {}", file, std::strerror(errno)));
  return parse_expectations(text, file);
}

bool matches(const Expectation &expectation, std::string_view plugin, std::string_view case_line) {
  if (!glob(expectation.plugin, plugin)) return false;
  if (is_whole_case(expectation.cases)) return expectation.cases == case_line;
  const std::vector<std::string> wanted = words_of(expectation.cases);
  const std::vector<std::string> fields = words_of(case_line);
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (i >= fields.size()) return false;
    const auto fits = [&](const std::string &field) { return glob(wanted[i], field); };
    const bool found = i < 2 ? fits(fields[i]) : std::any_of(fields.begin() + 2, fields.end(), fits);
    if (!found) return false;
  }
  return true;
}

void apply_expectations(std::span<Expectation> expectations, std::span<PluginReport> reports) {
  for (PluginReport &report : reports) {
    for (CaseResult &c : report.cases) {
      Verdict &v = c.verdict;
      if (v.state == State::unsupported || v.state == State::not_evaluated) continue;
      const Expectation *first = nullptr;
      for (Expectation &e : expectations) {
        if (!matches(e, report.plugin, c.line)) continue;
        ++e.matched;
        if (first == nullptr) first = &e;
      }
      if (first == nullptr) continue;
      const std::string place = fmt::format("{}:{}", first->file, first->line);
      if (v.state == State::passed) {
        v.state = State::failed;
        v.message =
            fmt::format("surprise pass: {} expects it to fail ({}); remove or narrow that line", place, first->reason);
      } else if (v.state == State::failed || v.state == State::distrusted) {
        v.state = State::expected_fail;
        v.message = fmt::format("{} ({}): {}", first->reason, place, v.message);
      }
    }
  }
}

}  // namespace rayo::conform
