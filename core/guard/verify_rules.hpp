// SPDX-License-Identifier: Apache-2.0
//
// What RAYO_VERIFY and the `verify` options ask for: which guards look at a call, how often, and what they do then.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace rayo {

enum class GuardKind : uint8_t { nan, inf, divergence, nondeterminism, slowdown };
constexpr size_t kSampledGuards = 4;  // all but slowdown, which times every call
const char *guard_name(GuardKind kind) noexcept;

enum class GuardAction : uint8_t { stop, log, report };
const char *action_name(GuardAction action) noexcept;

struct VerifyRules {
  std::array<uint32_t, kSampledGuards> every{};  // one call of so many, by GuardKind; 0 = off
  double slowdown = 0;                           // times the running median; 0 = off
  // Share of the calls' time that the guard divergence may take; 0 = no limit; below 0 = by its rate.
  double budget = -1;
  GuardAction action = GuardAction::stop;
  std::string folder;  // of reports; "" = the default one

  uint32_t of(GuardKind kind) const { return every[static_cast<size_t>(kind)]; }
  // The budget, decided. Whoever looks at one call in 100 or more often wants whole calls judged; rarer rates are those
  // of programs at work, which pay half a percent.
  double share() const {
    constexpr uint32_t kWhole = 100;
    constexpr double kAtWork = 0.005;
    return budget >= 0 ? budget : of(GuardKind::divergence) > kWhole ? kAtWork : 0;
  }
  bool any() const { return slowdown != 0 || every != std::array<uint32_t, kSampledGuards>{}; }
};

// "divergence:1/16,nan,inf,nondeterminism:1/100,slowdown:2,budget=1%,action=log,report=/folder"; "off" = nothing.
// Throws Error (RAYO_INVALID_ARGUMENT) naming `source`, the item and what is legal.
VerifyRules parse_verify(std::string_view source, std::string_view text);

}  // namespace rayo
