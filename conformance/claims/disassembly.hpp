// SPDX-License-Identifier: Apache-2.0
//
// Loops of named functions in a shared object, read from the disassembler's text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rayo::conform::claims {

struct Instruction {
  std::uint64_t address = 0;
  std::string text;  // mnemonic and operands
};

struct Function {
  std::string name;  // demangled
  std::vector<Instruction> code;
};

// Every function of the file that the disassembler names. Throws NotEvaluated: no such program, no symbols.
std::vector<Function> disassemble(const std::string &file, const std::string &objdump);
// The same from objdump's text ("-d --no-show-raw-insn -C").
std::vector<Function> parse_disassembly(std::string_view text);

// Innermost loops: from the target of a branch back to that branch, none inside it.
std::vector<std::vector<Instruction>> innermost_loops(const Function &function);

}  // namespace rayo::conform::claims
