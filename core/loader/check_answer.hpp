// SPDX-License-Identifier: Apache-2.0
//
// What a plugin's query answered with, checked before anything of it is used.
#pragma once

#include <rayo/plugin.h>

#include <memory>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "registry/registry.hpp"

namespace rayo {

// The usable parts of a plugin's tables, parsed. KernelRecord::owner is left to the caller.
struct PluginAnswer {
  std::vector<std::unique_ptr<Schema>> schemas;
  std::vector<std::unique_ptr<KernelRecord>> kernels;
};

// Throws Error naming the first thing that is wrong. A kernel for a catalogue op that this version does not know is
// left out with a log line, not an error: a plugin may be newer than the core.
PluginAnswer check_answer(const rayo_plugin *plugin, const rayo_note_desc &note, const Log &log);

// "0.1" for a RAYO_ABI_VERSION; and why this core cannot serve a plugin of that ABI, "" = it can.
std::string abi_name(uint32_t abi);
std::string abi_mismatch(uint32_t plugin_abi, uint32_t plugin_needs);

}  // namespace rayo
