// SPDX-License-Identifier: Apache-2.0
#include "claims/cuda_code.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "claims/claim.hpp"

namespace rayo::conform::claims {
namespace {

std::map<std::string, const PtxFunction *, std::less<>> entries_of(const std::vector<PtxModule> &modules) {
  std::map<std::string, const PtxFunction *, std::less<>> all;
  for (const PtxModule &module : modules) {
    for (const PtxFunction &function : module.functions) {
      if (!function.entry) continue;
      if (!all.insert({function.name, &function}).second) {
        throw Refuted(fmt::format("two modules have an entry point {}", function.name));
      }
    }
  }
  return all;
}

std::vector<const PtxFunction *> entries_with(const std::vector<PtxModule> &modules, std::string_view prefix) {
  std::vector<const PtxFunction *> found;
  for (const auto &[name, function] : entries_of(modules)) {
    if (name.starts_with(prefix)) found.push_back(function);
  }
  if (found.empty()) throw Refuted(fmt::format("no entry point is named {}*", prefix));
  return found;
}

bool is_barrier(const PtxInstruction &i) {
  return i.opcode.starts_with("bar.sync") || i.opcode.starts_with("barrier.sync");
}

/// Reads or writes shared memory by an address: the part in brackets, else empty.
std::string_view shared_address(const PtxInstruction &i) {
  if (!i.opcode.starts_with("ld.shared") && !i.opcode.starts_with("st.shared")) return {};
  const std::string_view operands = i.operands;
  const auto open = operands.find('[');
  const auto close = operands.find(']', open);
  if (open == std::string_view::npos || close == std::string_view::npos) return {};
  return operands.substr(open + 1, close - open - 1);
}

std::size_t number_before(std::string_view line, std::string_view what) {
  const auto at = line.find(what);
  if (at == std::string_view::npos) return 0;
  std::size_t begin = at;
  while (begin > 0 && line[begin - 1] == ' ') --begin;
  const std::size_t end = begin;
  while (begin > 0 && line[begin - 1] >= '0' && line[begin - 1] <= '9') --begin;
  std::size_t value = 0;
  std::from_chars(line.data() + begin, line.data() + end, value);
  return value;
}

constexpr std::size_t kMostShared = std::size_t{48} << 10, kMostRegisters = 255;

}  // namespace

std::string judge_entries(const std::vector<PtxModule> &modules) {
  const auto entries = entries_of(modules);
  for (const ExpectedKernel &kernel : expected_kernels()) {
    if (!entries.contains(kernel.name)) throw Refuted(fmt::format("the PTX has no entry point {}", kernel.name));
  }
  for (const auto &[name, function] : entries) {
    const bool expected = std::any_of(expected_kernels().begin(), expected_kernels().end(),
                                      [&wanted = name](const ExpectedKernel &k) { return k.name == wanted; });
    if (!expected) throw Refuted(fmt::format("the PTX has an entry point {} that nothing names", name));
    if (function->code.empty()) throw Refuted(fmt::format("entry point {} is empty", name));
  }
  return fmt::format("{} entry points in {} modules, each of the {} expected ones and no other", entries.size(),
                     modules.size(), expected_kernels().size());
}

std::string judge_shared_addresses(const std::vector<PtxModule> &modules) {
  std::size_t kernels = 0, accesses = 0;
  for (const PtxFunction *f : entries_with(modules, "gemm_")) {
    std::size_t loads = 0, stores = 0;
    for (const PtxInstruction &i : f->code) {
      const std::string_view address = shared_address(i);
      if (address.empty()) continue;
      if (address.starts_with("%rd")) {
        throw Refuted(fmt::format("{}: {} {}: a 64-bit address of shared memory", f->name, i.opcode, i.operands));
      }
      ++(i.opcode.starts_with("ld") ? loads : stores);
    }
    if (loads == 0 || stores == 0) {
      throw Refuted(fmt::format("{}: {} loads from and {} stores to shared memory", f->name, loads, stores));
    }
    ++kernels;
    accesses += loads + stores;
  }
  return fmt::format("{} gemm kernels: {} accesses to shared memory, all by 32-bit addresses", kernels, accesses);
}

std::string judge_barriers(const std::vector<PtxModule> &modules, std::string_view prefix) {
  std::string shown;
  for (const PtxFunction *f : entries_with(modules, prefix)) {
    const auto n = std::count_if(f->code.begin(), f->code.end(), is_barrier);
    if (n == 0) throw Refuted(fmt::format("{} has no bar.sync", f->name));
    shown += fmt::format("{}{} {}", shown.empty() ? "" : ", ", f->name, n);
  }
  return fmt::format("bar.sync in each: {}", shown);
}

std::string judge_causal_names(const std::vector<PtxModule> &modules) {
  const auto entries = entries_of(modules);
  std::size_t pairs = 0;
  for (const auto &[name, function] : entries) {
    const auto at = name.find("causal");
    if (at != std::string::npos && !name.ends_with("_causal")) {
      throw Refuted(fmt::format("{}: a causal variant's name ends in _causal", name));
    }
    if (at == std::string::npos && name.starts_with("attention_")) {
      const auto causal = entries.find(name + "_causal");
      if (causal == entries.end()) throw Refuted(fmt::format("{} has no causal variant {}_causal", name, name));
      // Not the same code under two names: the mask costs at least a comparison.
      const auto comparisons = [](const PtxFunction &f) {
        return std::count_if(f.code.begin(), f.code.end(),
                             [](const PtxInstruction &i) { return i.opcode.starts_with("setp"); });
      };
      if (comparisons(*causal->second) <= comparisons(*function)) {
        throw Refuted(fmt::format("{} compares no more than {}: where is its mask?", causal->first, name));
      }
      ++pairs;
    }
    if (at != std::string::npos && !entries.contains(name.substr(0, name.size() - 7))) {
      throw Refuted(fmt::format("{} has no plain variant", name));
    }
  }
  if (pairs == 0) throw Refuted("no entry point is named attention_*");
  return fmt::format("{} attention kernel(s), each with a variant named _causal that compares more", pairs);
}

std::string judge_loops_of_ptx(const std::vector<PtxModule> &modules) {
  const auto entries = entries_of(modules);
  std::size_t loops = 0;
  for (const ExpectedKernel &kernel : expected_kernels()) {
    const auto found = entries.find(kernel.name);
    if (found == entries.end()) throw Refuted(fmt::format("the PTX has no entry point {}", kernel.name));
    const PtxLoops has = find_loops(*found->second);
    if (!has.defect.empty()) throw Refuted(fmt::format("{}: {}", kernel.name, has.defect));
    if (has.count != kernel.loops) {
      throw Refuted(fmt::format("{} has {} loops, its source has {}", kernel.name, has.count, kernel.loops));
    }
    loops += has.count;
  }
  return fmt::format(
      "{} loops in {} kernels, as many as their source has: each goes back to its only way in, and is left", loops,
      expected_kernels().size());
}

std::vector<PtxasUse> parse_ptxas_report(std::string_view text) {
  std::vector<PtxasUse> all;
  PtxasUse current;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::string_view mark = "Function properties for ";
    if (const auto at = line.find(mark); at != std::string_view::npos) {
      current = {};
      current.kernel = line.substr(at + mark.size());
    } else if (line.find("spill stores") != std::string_view::npos) {
      current.stack = number_before(line, "bytes stack frame");
      current.spill_stores = number_before(line, "bytes spill stores");
      current.spill_loads = number_before(line, "bytes spill loads");
    } else if (const auto used = line.find("Used "); used != std::string_view::npos && !current.kernel.empty()) {
      current.registers = number_before(line, "registers");
      current.shared = number_before(line, "bytes smem");
      all.push_back(current);
      current = {};
    }
  }
  return all;
}

std::string judge_use(const std::vector<PtxModule> &modules, std::span<const std::string> architectures,
                      const Assemble &assemble, Limit limit) {
  std::size_t reports = 0, most = 0;
  std::string greatest;
  for (const std::string &architecture : architectures) {
    for (const PtxModule &module : modules) {
      std::set<std::string> reported;
      for (const PtxasUse &use : parse_ptxas_report(assemble(module, architecture))) {
        const std::size_t value = limit == Limit::spills   ? use.spill_stores + use.spill_loads
                                  : limit == Limit::shared ? use.shared
                                                           : use.registers;
        const std::size_t allowed = limit == Limit::spills ? 0 : limit == Limit::shared ? kMostShared : kMostRegisters;
        if (value > allowed) {
          throw Refuted(fmt::format("{} on {}: {} {}, allowed {}", use.kernel, architecture, value,
                                    limit == Limit::spills   ? "bytes spilled"
                                    : limit == Limit::shared ? "bytes of static shared memory"
                                                             : "registers",
                                    allowed));
        }
        if (value >= most) greatest = use.kernel;
        most = std::max(most, value);
        reported.insert(use.kernel);
      }
      for (const PtxFunction &f : module.functions) {
        if (f.entry && !reported.contains(f.name)) {
          throw Refuted(fmt::format("ptxas for {} reports nothing of {}", architecture, f.name));
        }
      }
      reports += reported.size();
    }
  }
  if (reports == 0) throw Refuted("there is no kernel to assemble");
  return fmt::format(
      "{} ptxas reports ({}): {}", reports, fmt::join(architectures, ", "),
      limit == Limit::spills
          ? std::string("0 bytes spilled in every one")
          : fmt::format("at most {} {} ({})", most,
                        limit == Limit::shared ? "bytes of static shared memory" : "registers", greatest));
}

std::string judge_assembly(const std::vector<PtxModule> &modules, std::span<const std::string> architectures,
                           const Assemble &assemble) {
  std::size_t assembled = 0;
  for (const PtxModule &module : modules) {
    const unsigned target = architecture_number(module.target);
    bool own = false;
    for (const std::string &architecture : architectures) {
      if (architecture_number(architecture) < target) continue;
      own = own || architecture_number(architecture) == target;
      (void)assemble(module, architecture);
      ++assembled;
    }
    if (!own) throw Refuted(fmt::format("the assembler does not list the modules' own target {}", module.target));
  }
  if (assembled == 0) throw Refuted("there is no module to assemble");
  return fmt::format("{} modules for {} architectures from their target up ({}): {} assemblies without an error",
                     modules.size(), architectures.size(), fmt::join(architectures, " "), assembled);
}

unsigned architecture_number(std::string_view name) {
  if (!name.starts_with("sm_")) return 0;
  unsigned value = 0;
  const auto [end, error] = std::from_chars(name.data() + 3, name.data() + name.size(), value);
  return error == std::errc() && end == name.data() + name.size() ? value : 0;
}

std::vector<std::string> listed_architectures(std::string_view help) {
  std::set<unsigned> numbers;
  for (auto at = help.find("sm_"); at != std::string_view::npos; at = help.find("sm_", at + 3)) {
    std::size_t end = at + 3;
    while (end < help.size() && (std::isalnum(static_cast<unsigned char>(help[end])) != 0)) ++end;
    if (const unsigned n = architecture_number(help.substr(at, end - at)); n != 0) numbers.insert(n);
  }
  std::vector<std::string> names;
  for (const unsigned n : numbers) names.push_back(fmt::format("sm_{}", n));
  return names;
}

}  // namespace rayo::conform::claims
