// SPDX-License-Identifier: Apache-2.0
//
// The document as text for people: machine, rows, geometric means per family, the worst rows.
#pragma once

#include <string>
#include <vector>

#include "row.hpp"

namespace rayo::bench {

std::string text_report(const nlohmann::json &machine, const std::vector<Row> &rows);

}  // namespace rayo::bench
