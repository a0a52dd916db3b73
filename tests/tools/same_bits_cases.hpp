// SPDX-License-Identifier: Apache-2.0
//
// The calls that the same-bits test makes: odd shapes around vector lengths and blocks, for every op of the catalogue.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace rayo::tools::test {

struct BitsCase {
  std::vector<std::vector<int64_t>> shapes;  // of the inputs
  nlohmann::json attributes = nlohmann::json::object();
  std::vector<std::string> dtypes = {};  // of the inputs; "" or missing = the kernel's
};

// Cases of an op by its name, else by its family; empty for an op that nobody has thought of: the test then fails.
std::vector<BitsCase> bits_cases(const std::string &op, const std::string &family);

}  // namespace rayo::tools::test
