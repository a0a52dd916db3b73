// SPDX-License-Identifier: Apache-2.0
//
// The same call again, under other circumstances, must give the same bits: repeated, a row alone, while other threads
// keep the processors busy, in a forked child of this process.
#pragma once

#include "runner/call.hpp"

namespace rayo::conform {

struct Rerun {
  const Call &call;
  const Subject &subject;
  const std::vector<OutputShape> &outputs;
  std::uint32_t policy;
  const Results &results;  // of the first run
};

// Each: what differs, as text that begins with the name of the check; empty if nothing (or the case does not ask).
std::string check_repeats(const Rerun &rerun);
std::string check_row(const Rerun &rerun);   // batch invariance
std::string check_load(const Rerun &rerun);  // @load=N
std::string check_fork(const Rerun &rerun);  // @fork=1

// First difference between two results; empty if none.
std::string difference(const Results &a, const Results &b, std::string_view a_name, std::string_view b_name);

}  // namespace rayo::conform
