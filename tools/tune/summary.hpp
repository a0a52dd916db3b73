// SPDX-License-Identifier: Apache-2.0
//
// What `rayo tune` tells at its end: where the profile is, and per op where another candidate takes over.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "check.hpp"
#include "tuner.hpp"

namespace rayo::tools::tune {

void print_summary(const Profile &profile, const Outcome &outcome, const std::string &file, double seconds);
nlohmann::json summary_json(const Profile &profile, const Outcome &outcome, const std::string &file, double seconds);

void print_regret(const Regret &regret);
nlohmann::json regret_json(const Regret &regret);

}  // namespace rayo::tools::tune
