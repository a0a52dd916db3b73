// SPDX-License-Identifier: Apache-2.0
//
// SPIR-V is a stream of instructions in a prescribed order of sections (capabilities, extensions, ..., entry points,
// execution modes, debug names, decorations, types, functions), so additions go to the end of their section.
#include "spirv.h"

#include <algorithm>

namespace rayo::vulkan {
namespace {

constexpr uint32_t kMagic = 0x07230203;
constexpr size_t kHeaderWords = 5;

// Opcodes and operands of the SPIR-V specification.
constexpr uint32_t kOpEntryPoint = 15, kOpExecutionMode = 16, kOpCapability = 17, kOpDecorate = 71;
constexpr uint32_t kNoContraction = 42;
constexpr uint32_t kDenormPreserve = 4459, kSignedZeroInfNanPreserve = 4461, kRoundingModeRTE = 4462;
constexpr uint32_t kCapabilityDenormPreserve = 4464, kCapabilitySignedZeroInfNanPreserve = 4466,
                   kCapabilityRoundingModeRTE = 4467;

// FNegate 127, FAdd 129, FSub 131, FMul 133, FDiv 136, FRem 140, FMod 141, and products of vectors and matrices 142 to
// 148: what NoContraction applies to.
bool is_arithmetic(uint32_t opcode) {
  switch (opcode) {
    case 127:
    case 129:
    case 131:
    case 133:
    case 136:
    case 140:
    case 141:
      return true;
    default:
      return opcode >= 142 && opcode <= 148;
  }
}

// fma() is an extended instruction; its fusion is what is wanted, so it is left alone.

template <class Visit>
void each_instruction(std::span<const uint32_t> module, Visit visit) {
  if (module.size() < kHeaderWords || module[0] != kMagic)
    throw Error(RAYO_INTERNAL, "an embedded shader is no SPIR-V");
  for (size_t at = kHeaderWords; at < module.size();) {
    const uint32_t words = module[at] >> 16;
    if (words == 0 || words > module.size() - at) throw Error(RAYO_INTERNAL, "an embedded shader is cut short");
    visit(module[at] & 0xffffu, module.subspan(at, words));
    at += words;
  }
}

void emit(std::vector<uint32_t> *out, uint32_t opcode, std::initializer_list<uint32_t> operands) {
  out->push_back(static_cast<uint32_t>(operands.size() + 1) << 16 | opcode);
  out->insert(out->end(), operands);
}

}  // namespace

std::vector<uint32_t> with_exact_arithmetic(std::span<const uint32_t> module, const FloatControls &controls) {
  std::vector<uint32_t> arithmetic, decorated, result(module.begin(), module.begin() + kHeaderWords);
  uint32_t entry = 0;
  each_instruction(module, [&](uint32_t opcode, std::span<const uint32_t> words) {
    if (opcode == kOpEntryPoint) entry = words[2];
    if (is_arithmetic(opcode)) arithmetic.push_back(words[2]);
    if (opcode == kOpDecorate && words[2] == kNoContraction) decorated.push_back(words[1]);
  });
  std::erase_if(arithmetic,
                [&](uint32_t id) { return std::find(decorated.begin(), decorated.end(), id) != decorated.end(); });
  const struct {
    bool there;
    uint32_t capability, mode;
  } modes[] = {{controls.round_to_even, kCapabilityRoundingModeRTE, kRoundingModeRTE},
               {controls.keep_subnormals, kCapabilityDenormPreserve, kDenormPreserve},
               {controls.keep_special, kCapabilitySignedZeroInfNanPreserve, kSignedZeroInfNanPreserve}};
  bool capabilities = true, executions = false, decorations = false;
  each_instruction(module, [&](uint32_t opcode, std::span<const uint32_t> words) {
    if (capabilities && opcode != kOpCapability) {
      for (const auto &m : modes)
        if (m.there) emit(&result, kOpCapability, {m.capability});
      capabilities = false;
    }
    if (!executions && opcode == kOpExecutionMode) {
      for (const auto &m : modes)
        if (m.there) emit(&result, kOpExecutionMode, {entry, m.mode, 32});
      executions = true;
    }
    if (!decorations && opcode == kOpDecorate) {
      for (const uint32_t id : arithmetic) emit(&result, kOpDecorate, {id, kNoContraction});
      decorations = true;
    }
    result.insert(result.end(), words.begin(), words.end());
  });
  if (!executions || !decorations)
    throw Error(RAYO_INTERNAL, "an embedded shader has no execution mode or no decoration to add to");
  return result;
}

}  // namespace rayo::vulkan
