// SPDX-License-Identifier: Apache-2.0
//
// Validates a JSON document by as much of JSON Schema (2020-12) as conformance/schema/ uses. A keyword that is not
// known here is an error, never ignored: a schema that is not read in full proves nothing.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace rayo::conform::claims {

// The schema of `rayo conform --json`, as built in.
std::string_view report_schema();

// "$.reports[0].cases[3].state: 'pass' is none of ..." for the first violation found; empty if the document is valid.
// Throws std::invalid_argument for an unknown keyword or reference.
std::string schema_violation(const nlohmann::json &schema, const nlohmann::json &document);

}  // namespace rayo::conform::claims
