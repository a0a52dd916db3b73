// SPDX-License-Identifier: Apache-2.0
//
// The rows of the fault table.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace rayo::faults {

struct Fault {
  std::string group;   // load, probe, hostile, ...
  std::string name;    // of the test, too
  std::string state;   // what `rayo devices` says: "rejected", "quarantined" or "ready"
  std::string reason;  // must be part of its reason
  // Puts the fault into a folder of plugins and returns the path whose verdict is judged.
  std::function<std::string(const std::string &folder)> make;
  bool slow = false;  // waits for its limit in time
};

const std::vector<Fault> &all_faults();

}  // namespace rayo::faults
