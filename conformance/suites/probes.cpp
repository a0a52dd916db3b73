// SPDX-License-Identifier: Apache-2.0
#include "suites/probes.hpp"

#include <array>

namespace rayo::conform {
namespace {

constexpr auto kProbes = std::to_array<ProbeInfo>({
    {"abi", "symbols", "the file exports rayo_plugin_query and nothing else"},
    {"abi", "note", "the note tells the same name and tiers as the plugin"},
    {"abi", "query_repeats", "query answers the same each time, whatever the host"},
    {"abi", "query_null", "query without host or out-parameter is an error status"},
    {"abi", "other_major", "query refuses another ABI major"},
    {"abi", "newer_minor", "query accepts a newer ABI minor"},
    {"abi", "larger_struct_size", "structs larger than known are accepted, and nothing is written beyond"},
    {"abi", "unknown_extension", "chained structs of unknown type are skipped"},
    {"abi", "must_understand", "an unknown must-understand struct is refused with RAYO_UNSUPPORTED"},
    {"abi", "error_null", "a refusal without room for its text is still a status"},
    {"abi", "kernel_list", "every kernel of the list is declared in legal terms"},
    {"abi", "schemas", "every op of the plugin's own has a schema that refuses wrong operands"},
    {"abi", "capabilities", "what the list and supports() claim is what prepare and call do"},
    {"abi", "instances", "two instances live side by side; one may go first"},
    {"abi", "reload", "the file can be loaded, used and unloaded again and again"},
    {"abi", "workspace", "a workspace's old content does not matter, and its size is kept to"},
    {"abi", "executor", "bits do not depend on the order of tasks, workers or the number of threads"},
    {"abi", "allocations", "memory taken from the host is given back"},
    {"abi", "unknown_op", "an op that nobody has is an error status"},
    {"abi", "unknown_attribute", "an attribute that the op lacks is an error status"},
    {"abi", "wrong_rank", "operands of impossible rank or shape are an error status"},
    {"abi", "null_pointers", "missing operands are an error status"},
    {"env", "fp_mode", "rounding, flushing and masks of the floating-point unit stay"},
    {"env", "locale", "the locale stays"},
    {"env", "cwd", "working directory and umask stay"},
    {"env", "signals", "signal handlers and masks stay"},
    {"env", "files", "no file descriptor is left open or closed"},
    {"env", "variables", "environment variables stay"},
    {"env", "stdout", "nothing is written to stdout or stderr"},
    {"env", "threads", "no thread that the note does not declare"},
});

}  // namespace

std::span<const ProbeInfo> probes() { return kProbes; }

const ProbeInfo *find_probe(std::string_view suite, std::string_view name) {
  for (const ProbeInfo &probe : kProbes) {
    if (probe.suite == suite && probe.name == name) return &probe;
  }
  return nullptr;
}

bool is_probe_suite(std::string_view op) { return op == "abi" || op == "env"; }

}  // namespace rayo::conform
