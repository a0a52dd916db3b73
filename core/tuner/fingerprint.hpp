// SPDX-License-Identifier: Apache-2.0
//
// Which machine this is, for a profile: what was measured on one kind of machine holds for that kind.
#pragma once

#include "tuner/profile.hpp"

namespace rayo {

// The class key of a profile that was written by hand for any machine.
constexpr std::string_view kAnyMachine = "*";

// This machine without its devices; RAYO_CPU_DISABLE and the affinity mask do not change it.
Machine this_machine();

// Why times of `measured`'s CPUs do not hold on `here`; "" = they do.
std::string foreign_machine(const Machine &measured, const Machine &here);

}  // namespace rayo
