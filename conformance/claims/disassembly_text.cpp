// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "claims/claim.hpp"
#include "claims/command_output.hpp"
#include "claims/disassembly.hpp"

namespace rayo::conform::claims {
namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) text.remove_suffix(1);
  return text;
}

bool parse_hex(std::string_view text, std::uint64_t &out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out, 16);
  return error == std::errc{} && end == text.data() + text.size() && !text.empty();
}

// x86 jumps begin with j; AArch64 branches are b, b.COND, cbz, cbnz, tbz, tbnz. Calls (call, bl) are none.
bool is_branch(std::string_view mnemonic) {
  return mnemonic.starts_with('j') || mnemonic == "b" || mnemonic.starts_with("b.") || mnemonic.starts_with("cb") ||
         mnemonic.starts_with("tb");
}

// The address before " <" at the end of a branch.
bool branch_target(std::string_view text, std::uint64_t &out) {
  const std::size_t space = text.find_first_of(" \t");
  if (space == std::string_view::npos || !is_branch(text.substr(0, space))) return false;
  const std::size_t label = text.find(" <");
  std::string_view operands = trimmed(text.substr(space, label == std::string_view::npos ? label : label - space));
  const std::size_t last = operands.find_last_of(" ,\t");
  if (last != std::string_view::npos) operands = operands.substr(last + 1);
  return parse_hex(operands, out);
}

}  // namespace

std::vector<Function> parse_disassembly(std::string_view text) {
  std::vector<Function> functions;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::size_t open = line.find(" <");
    std::uint64_t address = 0;
    if (open != std::string_view::npos && line.ends_with(">:") && parse_hex(line.substr(0, open), address)) {
      functions.push_back({std::string(line.substr(open + 2, line.size() - open - 4)), {}});
      continue;
    }
    const std::size_t colon = line.find(":\t");
    if (functions.empty() || colon == std::string_view::npos) continue;
    if (!parse_hex(trimmed(line.substr(0, colon)), address)) continue;
    functions.back().code.push_back({address, std::string(trimmed(line.substr(colon + 2)))});
  }
  return functions;
}

std::vector<Function> disassemble(const std::string &file, const std::string &objdump) {
  const CommandOutput run = run_command({objdump, "-d", "--no-show-raw-insn", "-C", file});
  if (!run.started) {
    throw NotEvaluated(fmt::format("{}: {}; it comes with the package binutils (for ARM: binutils-aarch64-linux-gnu)",
                                   objdump, run.error));
  }
  if (run.exit_status != 0) throw NotEvaluated(fmt::format("{} -d {}: {}", objdump, file, run.error));
  return parse_disassembly(run.text);
}

std::vector<std::vector<Instruction>> innermost_loops(const Function &function) {
  struct Span {
    std::uint64_t first;
    std::uint64_t last;
  };
  std::vector<Span> spans;
  for (const Instruction &instruction : function.code) {
    std::uint64_t target = 0;
    if (!branch_target(instruction.text, target)) continue;
    if (target <= instruction.address && target >= function.code.front().address) {
      spans.push_back({target, instruction.address});
    }
  }
  std::vector<std::vector<Instruction>> loops;
  for (const Span &span : spans) {
    const bool inner = std::none_of(spans.begin(), spans.end(), [&](const Span &other) {
      return other.first >= span.first && other.last <= span.last &&
             (other.first != span.first || other.last != span.last);
    });
    if (!inner) continue;
    loops.emplace_back();
    for (const Instruction &instruction : function.code) {
      if (instruction.address >= span.first && instruction.address <= span.last) loops.back().push_back(instruction);
    }
  }
  return loops;
}

}  // namespace rayo::conform::claims
