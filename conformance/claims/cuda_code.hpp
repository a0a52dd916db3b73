// SPDX-License-Identifier: Apache-2.0
//
// The claims about built CUDA code that need no GPU, as judgements on PTX modules and on ptxas's reports: each returns
// its evidence, or throws Refuted. The deciders feed them the plugin's own; tests feed them broken ones.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "claims/ptx.hpp"

namespace rayo::conform::claims {

/// A kernel of the plugin, and how many loops its source has.
struct ExpectedKernel {
  std::string_view name;
  std::size_t loops;
};
std::span<const ExpectedKernel> expected_kernels();

std::string judge_entries(const std::vector<PtxModule> &modules);                            // D-051
std::string judge_shared_addresses(const std::vector<PtxModule> &modules);                   // D-052, of gemm_*
std::string judge_barriers(const std::vector<PtxModule> &modules, std::string_view prefix);  // D-053, D-054
std::string judge_causal_names(const std::vector<PtxModule> &modules);                       // D-055
std::string judge_loops_of_ptx(const std::vector<PtxModule> &modules);                       // D-059

/// What `ptxas -v` reports of one kernel.
struct PtxasUse {
  std::string kernel;
  std::size_t spill_stores = 0, spill_loads = 0, stack = 0, registers = 0, shared = 0;
};
/// Of its output; kernels without a line on registers are left out.
std::vector<PtxasUse> parse_ptxas_report(std::string_view text);

/// Assembles a module for an architecture ("sm_90"): its report, or throws Refuted with ptxas's error.
using Assemble = std::function<std::string(const PtxModule &, const std::string &architecture)>;
enum class Limit { spills, shared, registers };
std::string judge_use(const std::vector<PtxModule> &modules, std::span<const std::string> architectures,
                      const Assemble &assemble, Limit limit);  // D-060, D-063, D-064
std::string judge_assembly(const std::vector<PtxModule> &modules, std::span<const std::string> architectures,
                           const Assemble &assemble);  // D-061

/// "sm_90" -> 90; 0 for a name with a suffix, whose code runs on that architecture alone.
unsigned architecture_number(std::string_view name);
/// The architectures that `ptxas --help` names, without suffixes, ascending.
std::vector<std::string> listed_architectures(std::string_view help);

}  // namespace rayo::conform::claims
