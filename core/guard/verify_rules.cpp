// SPDX-License-Identifier: Apache-2.0
#include "guard/verify_rules.hpp"

#include <charconv>
#include <cmath>

#include "base/env.hpp"
#include "base/error.hpp"

namespace rayo {
namespace {

constexpr double kDefaultSlowdown = 2;
constexpr double kMostSlowdown = 1e6;

[[noreturn]] void refuse(std::string_view source, std::string_view item) {
  fail(RAYO_INVALID_ARGUMENT,
       "{} holds {}; legal, with commas between: nan, inf, divergence, nondeterminism, each also as NAME:1/N (one call "
       "in N, N up to 4294967295); slowdown or slowdown:FACTOR (above 1); budget=PERCENT% (above 0, up to 100) or "
       "budget=off; action=stop|log|report; report=/FOLDER; or off",
       source, quote(item));
}

template <class T>
bool parse_number(std::string_view text, T *out) {
  const auto result = std::from_chars(text.data(), text.data() + text.size(), *out);
  return result.ec == std::errc() && result.ptr == text.data() + text.size();
}

// "1/16"
bool parse_rate(std::string_view text, uint32_t *out) {
  return text.substr(0, 2) == "1/" && parse_number(text.substr(2), out) && *out > 0;
}

bool set_action(std::string_view name, VerifyRules *rules) {
  for (const GuardAction action : {GuardAction::stop, GuardAction::log, GuardAction::report}) {
    if (name != action_name(action)) continue;
    rules->action = action;
    return true;
  }
  return false;
}

// "0.5%", "off"
bool set_budget(std::string_view value, VerifyRules *rules) {
  double percent = 0;
  if (value != "off") {
    if (value.empty() || value.back() != '%' || !parse_number(value.substr(0, value.size() - 1), &percent))
      return false;
    if (!(percent > 0 && percent <= 100)) return false;
  }
  rules->budget = percent / 100;
  return true;
}

bool set_guard(std::string_view name, std::string_view value, bool has_value, VerifyRules *rules) {
  if (name == guard_name(GuardKind::slowdown)) {
    rules->slowdown = kDefaultSlowdown;
    return !has_value ||
           (parse_number(value, &rules->slowdown) && rules->slowdown > 1 && rules->slowdown <= kMostSlowdown);
  }
  for (size_t i = 0; i < kSampledGuards; ++i) {
    if (name != guard_name(static_cast<GuardKind>(i))) continue;
    rules->every[i] = 1;
    return !has_value || parse_rate(value, &rules->every[i]);
  }
  return false;
}

bool parse_item(std::string_view item, VerifyRules *rules) {
  constexpr std::string_view kAction = "action=";
  constexpr std::string_view kReport = "report=";
  constexpr std::string_view kBudget = "budget=";
  if (item.substr(0, kBudget.size()) == kBudget) return set_budget(item.substr(kBudget.size()), rules);
  if (item.substr(0, kAction.size()) == kAction) return set_action(item.substr(kAction.size()), rules);
  if (item.substr(0, kReport.size()) == kReport) {
    rules->folder = item.substr(kReport.size());
    return !rules->folder.empty() && rules->folder.front() == '/';
  }
  const size_t colon = item.find(':');
  const bool has_value = colon != std::string_view::npos;
  return set_guard(item.substr(0, colon), has_value ? item.substr(colon + 1) : std::string_view(), has_value, rules);
}

}  // namespace

const char *guard_name(GuardKind kind) noexcept {
  static constexpr const char *kNames[] = {"nan", "inf", "divergence", "nondeterminism", "slowdown"};
  return kNames[static_cast<size_t>(kind)];
}

const char *action_name(GuardAction action) noexcept {
  static constexpr const char *kNames[] = {"stop", "log", "report"};
  return kNames[static_cast<size_t>(action)];
}

VerifyRules parse_verify(std::string_view source, std::string_view text) {
  VerifyRules rules;
  if (text == "off") return rules;
  for (size_t from = 0; from <= text.size();) {
    const size_t comma = std::min(text.find(',', from), text.size());
    const std::string_view item = text.substr(from, comma - from);
    if (!parse_item(item, &rules)) refuse(source, item);
    from = comma + 1;
  }
  if (!rules.any()) refuse(source, text);  // an action without a guard
  return rules;
}

}  // namespace rayo
