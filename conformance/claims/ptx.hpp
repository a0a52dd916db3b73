// SPDX-License-Identifier: Apache-2.0
//
// PTX as far as the claims about it need: modules, entry points, instructions, and the loops of an entry by its control
// flow. A plugin with PTX keeps it as plain text in its section .rayo.ptx, modules separated by NUL.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace rayo::conform::claims {

struct PtxInstruction {
  std::string guard;   // "%p3", "!%p3"; empty = always
  std::string opcode;  // "ld.shared.f32"
  std::string operands;
};

/// Instructions, and labels by the index of the instruction behind them.
struct PtxFunction {
  struct Label {
    std::string name;
    std::size_t at;
  };
  std::string name;
  bool entry = false;  // else a .func
  std::vector<PtxInstruction> code;
  std::vector<Label> labels;
};

struct PtxModule {
  std::string text;
  std::string target;  // "sm_80"
  std::vector<PtxFunction> functions;
};

/// Throws std::runtime_error with what is malformed: no .target, a body without end, a branch to no label.
PtxModule parse_ptx(std::string_view text);
/// Of the bytes of a section .rayo.ptx.
std::vector<PtxModule> parse_ptx_section(std::string_view bytes);

struct PtxLoops {
  std::size_t count = 0;  // headers that some branch goes back to
  std::string defect;     // a cycle without one header, a loop without an exit; empty = none
};
PtxLoops find_loops(const PtxFunction &function);

}  // namespace rayo::conform::claims
