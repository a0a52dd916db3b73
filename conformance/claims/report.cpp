// SPDX-License-Identifier: Apache-2.0
#include "claims/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "runner/options.hpp"
#include "suites/case.hpp"

namespace rayo::conform::claims {
namespace {

using nlohmann::json;

constexpr std::size_t kWidth = 110;
constexpr std::size_t kIndent = 6;

std::size_t count(std::span<const Finding> findings, Outcome outcome) {
  return static_cast<std::size_t>(
      std::count_if(findings.begin(), findings.end(), [&](const Finding &f) { return f.outcome == outcome; }));
}

// Words of `text` in lines of at most kWidth, all indented.
std::string wrapped(std::string_view text) {
  std::string out;
  std::size_t column = 0;
  for (const std::string &word : split(text, ' ')) {
    const bool fits = column != 0 && column + 1 + word.size() <= kWidth;
    out += fits ? fmt::format(" {}", word) : fmt::format("{}{:{}}{}", out.empty() ? "" : "\n", "", kIndent, word);
    column = (fits ? column + 1 : kIndent) + word.size();
  }
  return out + "\n";
}

std::string text_of(const Finding &f) {
  std::string text = fmt::format("{} {:<14}{}\n", f.claim->id, outcome_name(f.outcome), f.claim->title);
  text += wrapped(f.evidence);
  // What has no decider yet is not decided by any command either.
  if (f.claim->decide != nullptr) text += fmt::format("{:{}}$ {}\n", "", kIndent, f.command);
  return text;
}

}  // namespace

std::string text_report(std::span<const Finding> findings) {
  std::string text;
  // Claims that nothing can decide yet come in one block at the end: they are many, and say little.
  std::string open;
  for (const Finding &f : findings) {
    if (f.claim->decide == nullptr) {
      open += fmt::format("{} {}\n{}", f.claim->id, f.claim->title, wrapped(f.evidence));
    } else {
      text += text_of(f) + "\n";
    }
  }
  if (!open.empty()) text += "Not evaluated, for want of what the claim is about:\n\n" + open + "\n";
  text += fmt::format("{} claims: {} upheld, {} refuted, {} not evaluated\n", findings.size(),
                      count(findings, Outcome::upheld), count(findings, Outcome::refuted),
                      count(findings, Outcome::not_evaluated));
  return text;
}

std::string json_report(std::span<const Finding> findings) {
  json list = json::array();
  for (const Finding &f : findings) {
    list.push_back({{"id", f.claim->id},
                    {"title", f.claim->title},
                    {"verdict", outcome_name(f.outcome)},
                    {"evidence", f.evidence},
                    {"command", f.command},
                    {"seconds", f.seconds}});
  }
  const json root = {{"claims", list},
                     {"summary",
                      {{"upheld", count(findings, Outcome::upheld)},
                       {"refuted", count(findings, Outcome::refuted)},
                       {"not_evaluated", count(findings, Outcome::not_evaluated)}}}};
  return root.dump(1, ' ', false, json::error_handler_t::replace) + "\n";
}

std::vector<const Claim *> choose_claims(const std::string &list) {
  std::vector<const Claim *> chosen;
  const std::span<const Claim> all = all_claims();
  if (list.empty()) {
    for (const Claim &claim : all) chosen.push_back(&claim);
    return chosen;
  }
  for (const std::string &id : split(list, ',')) {
    const auto found = std::find_if(all.begin(), all.end(), [&](const Claim &claim) { return claim.id == id; });
    if (found == all.end()) {
      throw UsageError(
          fmt::format("--claim {}: no such claim; they are {} to {}, and `rayo conform --claims` lists them", id,
                      all.front().id, all.back().id));
    }
    chosen.push_back(&*found);
  }
  return chosen;
}

bool any_refuted(std::span<const Finding> findings) { return count(findings, Outcome::refuted) != 0; }

}  // namespace rayo::conform::claims
