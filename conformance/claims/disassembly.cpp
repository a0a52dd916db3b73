// SPDX-License-Identifier: Apache-2.0
//
// Claims about the built code: which registers the hot loops of named kernels compute in, and whether they use FMA.
// The plugin files keep their local symbols unless they were stripped.
#include "claims/disassembly.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "claims/claim.hpp"

namespace rayo::conform::claims {
namespace {

// Functions of plugins/kernels, by the end of their qualified name. Product and sums keep their chains in registers:
// their hot loop is where the arithmetic is.
struct Kernel {
  std::string_view name;  // "map_add<float>", found behind "::"
  bool fma;
};
constexpr std::array<Kernel, 14> kKernels = {{{"map_add<float>", false},
                                              {"map_add<double>", false},
                                              {"map_mul<float>", false},
                                              {"map_mul<double>", false},
                                              {"map_fma<float>", true},
                                              {"map_exp<float>", true},
                                              {"map_exp<double>", true},
                                              {"map_tanh<float>", true},
                                              {"map_sigmoid<float>", true},
                                              {"dot_block<float>", true},
                                              {"dot_block<double>", true},
                                              {"exp_total<float>", true},
                                              {"gemm_micro<float, ", true},
                                              {"gemm_micro<double, ", true}}};

struct Isa {
  std::string_view plugin;
  std::string_view reg;  // of full width, as written in the operands
  std::array<std::string_view, 8> arithmetic;
  std::array<std::string_view, 2> fma;
};

constexpr std::array<std::string_view, 8> kX86 = {"vadd", "vsub", "vmul", "vdiv", "vmax", "vmin", "vfmadd", "vfnmadd"};
constexpr Isa kAvx2 = {"avx2", "%ymm", kX86, {"vfmadd", "vfnmadd"}};
constexpr Isa kAvx512 = {"avx512", "%zmm", kX86, {"vfmadd", "vfnmadd"}};
// 128-bit registers by their arrangement: v0.4s, v0.2d.
constexpr Isa kNeonSingle = {
    "neon", ".4s", {"fadd", "fsub", "fmul", "fdiv", "fmax", "fmin", "fmla", "fmls"}, {"fmla", "fmls"}};
constexpr Isa kNeonDouble = {"neon", ".2d", kNeonSingle.arithmetic, kNeonSingle.fma};

// Arithmetic on packed elements of full width; scalar forms (…ss, …sd) never name such a register.
bool computes(const Instruction &instruction, const Isa &isa, std::span<const std::string_view> mnemonics) {
  return instruction.text.find(isa.reg) != std::string::npos &&
         std::any_of(mnemonics.begin(), mnemonics.end(),
                     [&](std::string_view m) { return std::string_view(instruction.text).starts_with(m); });
}

std::size_t best_loop(const Function &function, const Isa &isa, std::span<const std::string_view> mnemonics) {
  std::size_t best = 0;
  for (const auto &loop : innermost_loops(function)) {
    const auto n =
        std::count_if(loop.begin(), loop.end(), [&](const Instruction &i) { return computes(i, isa, mnemonics); });
    best = std::max(best, static_cast<std::size_t>(n));
  }
  return best;
}

// Of the functions with this name the one whose loop does most: the full tile of a product.
struct Hottest {
  std::size_t functions = 0;
  std::size_t instructions = 0;
};

Hottest look_for(const std::vector<Function> &functions, const Kernel &kernel, const Isa &isa, bool fma_only) {
  Hottest found;
  const std::string wanted = fmt::format("::{}", kernel.name);
  for (const Function &function : functions) {
    if (function.name.find(wanted) == std::string::npos) continue;
    ++found.functions;
    const std::size_t n = fma_only ? best_loop(function, isa, isa.fma) : best_loop(function, isa, isa.arithmetic);
    found.instructions = std::max(found.instructions, n);
  }
  return found;
}

// Every kernel of the list that the file has must do its arithmetic at full width.
std::string judge_loops(const std::string &file, const std::string &objdump, const Isa &isa, const Isa &wide_isa,
                        bool fma_only) {
  const std::vector<Function> functions = disassemble(file, objdump);
  std::string shown;
  std::size_t asked = 0;
  std::size_t named = 0;
  for (const Kernel &kernel : kKernels) {
    if (fma_only && !kernel.fma) continue;
    ++asked;
    const Isa &here = kernel.name.find("double") != std::string_view::npos ? wide_isa : isa;
    const Hottest found = look_for(functions, kernel, here, fma_only);
    if (found.functions == 0) continue;
    ++named;
    const std::size_t comma = kernel.name.find(',');  // of further template arguments
    const std::string name =
        fmt::format("{}{}", kernel.name.substr(0, comma), comma == std::string_view::npos ? "" : ">");
    if (found.instructions == 0) {
      throw Refuted(fmt::format("{}: no innermost loop of {} {} on {} registers", file, name,
                                fma_only ? "has an FMA" : "computes", here.reg),
                    fmt::format("{} -d -C {}", objdump, file));
    }
    shown += fmt::format("{}{} {}", shown.empty() ? "" : ", ", name, found.instructions);
  }
  if (named * 2 < asked) {
    throw NotEvaluated(
        fmt::format("{}: {} of {} named kernels found among {} functions: the file was stripped, or is "
                    "not built from these kernels; the build folder's copy has its symbols",
                    file, named, asked, functions.size()));
  }
  return fmt::format("{}: {} instructions on {} registers in the hottest innermost loop of each of {} kernels: {}",
                     isa.plugin, fma_only ? "FMA" : "arithmetic", isa.reg, named, shown);
}

std::string neon_file(const Setting &setting) {
  if (!setting.aarch64.empty()) return setting.aarch64 + "/lib/rayo/plugins/neon.so";
  for (const Backend &b : setting.backends) {
    if (b.name == "neon") return b.file;
  }
  throw NotEvaluated("no neon plugin was found; --aarch64 FOLDER names a cross-built tree",
                     "rayo conform --claim C-049 --aarch64 build/aarch64");
}

}  // namespace

std::string ymm_loops(const Setting &setting) {
  return judge_loops(setting.need("avx2").file, "objdump", kAvx2, kAvx2, false);
}

std::string zmm_loops(const Setting &setting) {
  return judge_loops(setting.need("avx512").file, "objdump", kAvx512, kAvx512, false);
}

std::string fma_loops(const Setting &setting) {
  return judge_loops(setting.need("avx2").file, "objdump", kAvx2, kAvx2, true) + "; " +
         judge_loops(setting.need("avx512").file, "objdump", kAvx512, kAvx512, true);
}

std::string neon_loops(const Setting &setting) {
#if defined(__aarch64__)
  const std::string objdump = "objdump";
#else
  const std::string objdump = "aarch64-linux-gnu-objdump";
#endif
  const std::string file = neon_file(setting);
  setting.step("disassembling " + file);
  return judge_loops(file, objdump, kNeonSingle, kNeonDouble, false) + "; " +
         judge_loops(file, objdump, kNeonSingle, kNeonDouble, true);
}

}  // namespace rayo::conform::claims
