// SPDX-License-Identifier: Apache-2.0
//
// Checks of the plugin itself instead of an op's results: how it keeps the ABI, and what it leaves of the process
// around it. Each is a case whose line is suite and name, "abi larger_struct_size"; conformance/abi/ carries them out.
#pragma once

#include <span>
#include <string_view>

namespace rayo::conform {

struct ProbeInfo {
  std::string_view suite;  // "abi" or "env": what stands for the op on a case line
  std::string_view name;
  std::string_view says;  // what must hold
};

std::span<const ProbeInfo> probes();
const ProbeInfo *find_probe(std::string_view suite, std::string_view name);
bool is_probe_suite(std::string_view op);

}  // namespace rayo::conform
