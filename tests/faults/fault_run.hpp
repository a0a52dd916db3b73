// SPDX-License-Identifier: Apache-2.0
//
// What the tests of the fault table share: a runtime over one folder, calls with known answers, the program's verdicts,
// and the rows that become the table.
#pragma once

#include <gtest/gtest.h>
#include <rayo/rayo.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace rayo::faults {

std::string last_error();

struct DestroyRuntime {
  void operator()(rayo_runtime *runtime) const { rayo_runtime_destroy(runtime); }
};
using Runtime = std::unique_ptr<rayo_runtime, DestroyRuntime>;

// A runtime over this plugin path, quiet and without RAYO_* variables; nullptr and last_error() when there is none.
Runtime open_folder(const std::string &plugin_path);

// add over n whole numbers. RAYO_INTERNAL when the status was RAYO_OK and the result wrong.
rayo_status add_numbers(rayo_runtime *runtime, int64_t n);

// `rayo devices --all --json` with these variables; fails the test when the program does not end well.
nlohmann::json devices(const std::vector<std::string> &environment);
// The entry of one file; state "not listed" when it is not there.
nlohmann::json verdict_of(const nlohmann::json &document, const std::string &file);

// A row of the table (table.py), with the test's success so far.
void record(const std::string &group, const std::string &fault, const std::string &state, const std::string &reason);

}  // namespace rayo::faults
