// SPDX-License-Identifier: Apache-2.0
//
// Which case runs in which lane, and in what order.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "runner/session.hpp"
#include "suites/case.hpp"

namespace rayo::conform {

// About what a case costs, in element evaluations; only ratios matter.
double expected_work(const Case &c);

// Indices of the cases for each of options.lanes lanes (fewer if there are fewer cases, at least one): every case once,
// lanes of about equal work. In the cases' order, or a permutation of it if options.shuffle.
std::vector<std::vector<std::size_t>> share_out(std::span<const Case> cases, const SessionOptions &options);

}  // namespace rayo::conform
