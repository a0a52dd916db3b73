// SPDX-License-Identifier: Apache-2.0
//
// What stands between a file that looks like a plugin and dlopen: the package's manifest, the verdict cache, the probe.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <vector>

#include "base/log.hpp"
#include "loader/elf_look.hpp"
#include "registry/registry.hpp"

namespace rayo {

// A file that was examined, on its way to be loaded. A reason in the record: refused.
struct PluginCandidate {
  std::unique_ptr<PluginRecord> record;
  ElfLook look;
  bool unprobed = false;  // the application answers for it (RAYO_RUNTIME_TRUST_FILES)
  bool listed = false;    // the package's own, by its manifest
  bool marked = false;    // not the package's own: its calls are marked (launch_marks.hpp)
};

struct ProofRules {
  uint64_t cpu_features = 0;  // RAYO_CPU_* that plugins may use
  uint32_t probe_ms = 0;      // limit of each probe; 0 = 2000, or more where the note asks for it
  bool use_cache = true;
};

// Takes each candidate's hash, and refuses those that no manifest lists and that did not pass a probe, now or earlier.
// Files to be probed are probed side by side.
void prove_candidates(std::vector<PluginCandidate> *candidates, const ProofRules &rules, const Log &log);

}  // namespace rayo
