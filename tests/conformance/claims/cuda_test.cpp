// SPDX-License-Identifier: Apache-2.0
//
// The claims about built CUDA code: each upheld on the code it is about and refuted by one planted break in it; loops
// found in PTX; ptxas's reports read. The built plugin's own PTX is judged where it is built.
#include <gtest/gtest.h>

#include <fstream>

#include "abi/elf_file.hpp"
#include "claims/claim.hpp"
#include "claims/cuda_code.hpp"

namespace rayo::conform::claims {
namespace {

std::string head() { return ".version 9.0\n.target sm_80\n.address_size 64\n"; }
std::string entry(const std::string &name, const std::string &body) {
  return ".visible .entry " + name +
         "(\n .param .align 8 .b8 p[8]\n)\n.maxntid 256\n{\n .reg .pred %p<3>;\n .reg .b32 %r<9>;\n" + body +
         "\n ret;\n}\n";
}
std::vector<PtxModule> module(const std::string &text) { return {parse_ptx(head() + text)}; }
constexpr const char *kLoop = "$L1:\n add.s32 %r1, %r1, 1;\n setp.lt.s32 %p1, %r1, %r2;\n @%p1 bra $L1;\n";

/// What a judgement says against the code; empty = it upholds.
template <class Judge>
std::string refusal(Judge judge) {
  try {
    (void)judge();
  } catch (const Refuted &refuted) {
    return refuted.what();
  }
  return "";
}

TEST(Ptx, ReadsEntriesInstructionsAndLabels) {
  const PtxModule m = parse_ptx(
      head() + "// .entry no\n.func (.param .b32 r) helper(.param .b32 a)\n{\n ret;\n}\n" +
      entry("k", " { // a scope\n mov.u32 %r1, %tid.x;\n ld.shared.v4.f32 {%f1, %f2, %f3, %f4}, [%r1+16];\n }\n" +
                     std::string(kLoop)));
  EXPECT_EQ(m.target, "sm_80");
  ASSERT_EQ(m.functions.size(), 2u);
  EXPECT_FALSE(m.functions[0].entry);
  EXPECT_EQ(m.functions[0].name, "helper");
  const PtxFunction &k = m.functions[1];
  EXPECT_TRUE(k.entry);
  EXPECT_EQ(k.name, "k");
  ASSERT_EQ(k.code.size(), 6u);
  EXPECT_EQ(k.code[1].opcode, "ld.shared.v4.f32");
  EXPECT_EQ(k.code[1].operands, "{%f1, %f2, %f3, %f4}, [%r1+16]");
  EXPECT_EQ(k.code[4].guard, "%p1");
  ASSERT_EQ(k.labels.size(), 1u);
  EXPECT_EQ(k.labels[0].at, 2u);
}

TEST(Ptx, MalformedTextIsAnError) {
  EXPECT_THROW((void)parse_ptx("hello"), std::runtime_error);
  EXPECT_THROW((void)parse_ptx(head() + ".visible .entry k()\n{\n ret;\n"), std::runtime_error);
  EXPECT_THROW((void)parse_ptx(head() + entry("k", " bra $L9;")), std::runtime_error);
}

TEST(Ptx, SectionsHoldModulesSeparatedByNul) {
  const std::string bytes = head() + entry("a", "") + '\0' + head() + entry("b", "") + '\0';
  const std::vector<PtxModule> modules = parse_ptx_section(bytes);
  ASSERT_EQ(modules.size(), 2u);
  EXPECT_EQ(modules[1].functions[0].name, "b");
}

TEST(Ptx, CountsLoopsByControlFlow) {
  const auto loops = [](const std::string &body) {
    return find_loops(parse_ptx(head() + entry("k", body)).functions[0]);
  };
  EXPECT_EQ(loops("").count, 0u);
  EXPECT_EQ(loops(kLoop).count, 1u);
  EXPECT_EQ(loops(kLoop).defect, "");
  // Nested, with a branch to code laid out before it that is no loop.
  const PtxLoops nested = loops(" bra $OUTER;\n$TAIL:\n ret;\n$OUTER:\n mov.u32 %r1, %r3;\n" + std::string(kLoop) +
                                " setp.gt.s32 %p2, %r1, 5;\n @%p2 bra $OUTER;\n bra.uni $TAIL;\n");
  EXPECT_EQ(nested.count, 2u);
  EXPECT_EQ(nested.defect, "");
  // Entered past its header; never left.
  EXPECT_NE(loops(" @%p2 bra $MID;\n$L1:\n add.s32 %r1, %r1, 1;\n$MID:\n setp.lt.s32 %p1, %r1, %r2;\n @%p1 bra $L1;\n")
                .defect,
            "");
  EXPECT_NE(loops("$L1:\n add.s32 %r1, %r1, 1;\n bra.uni $L1;\n").defect.find("never left"), std::string::npos);
}

constexpr const char *kGemm =
    " st.shared.f32 [%r3], %f1;\n bar.sync 0;\n ld.shared.f32 %f2, [%r4+64];\n ld.shared.f32 %f3, [tile+4];";

TEST(CudaCode, GemmWithoutSharedMemoryOrBarrierIsRefuted) {
  const auto good = module(entry("gemm_f32", kGemm));
  EXPECT_EQ(refusal([&] { return judge_shared_addresses(good); }), "");
  EXPECT_EQ(refusal([&] { return judge_barriers(good, "gemm_"); }), "");
  const auto wide =
      module(entry("gemm_f32", " st.shared.f32 [%r3], %f1;\n bar.sync 0;\n ld.shared.f32 %f2, [%rd4+64];"));
  EXPECT_NE(refusal([&] { return judge_shared_addresses(wide); }).find("64-bit address"), std::string::npos);
  const auto none = module(entry("gemm_f32", " ld.global.f32 %f2, [%rd4];"));
  EXPECT_NE(refusal([&] { return judge_shared_addresses(none); }).find("0 loads"), std::string::npos);
  EXPECT_NE(refusal([&] { return judge_barriers(none, "gemm_"); }).find("no bar.sync"), std::string::npos);
  EXPECT_NE(refusal([&] { return judge_barriers(good, "attention_"); }), "") << "a claim about no kernel is not upheld";
}

TEST(CudaCode, CausalVariantsCarryTheirNameAndTheirMask) {
  const std::string mask = " setp.gt.s32 %p1, %r1, %r2;";
  const auto good = module(entry("attention_f32", kLoop) + entry("attention_f32_causal", kLoop + mask));
  EXPECT_EQ(refusal([&] { return judge_causal_names(good); }), "");
  EXPECT_NE(
      refusal([&] { return judge_causal_names(module(entry("attention_f32", kLoop))); }).find("no causal variant"),
      std::string::npos);
  const auto misnamed = module(entry("attention_f32", kLoop) + entry("attention_causal_f32", kLoop + mask));
  EXPECT_NE(refusal([&] { return judge_causal_names(misnamed); }).find("ends in _causal"), std::string::npos);
  const auto copied = module(entry("attention_f32", kLoop) + entry("attention_f32_causal", kLoop));
  EXPECT_NE(refusal([&] { return judge_causal_names(copied); }).find("where is its mask"), std::string::npos);
}

/// Entries as the plugin has them, each with as many loops as expected, less what `change` does.
std::string all_entries(const std::string &odd_one, std::size_t odd_loops, const std::string &left_out = "") {
  std::string text;
  for (const ExpectedKernel &k : expected_kernels()) {
    if (k.name == left_out) continue;
    std::string body;
    for (std::size_t i = 0; i < (k.name == odd_one ? odd_loops : k.loops); ++i) {
      const std::string label = "$L" + std::to_string(i);
      body += label + ":\n add.s32 %r1, %r1, 1;\n setp.lt.s32 %p1, %r1, %r2;\n @%p1 bra ";
      body += label + ";\n";
    }
    text += entry(std::string(k.name), body);
  }
  return text;
}

TEST(CudaCode, MissingUnnamedAndChangedKernelsAreRefuted) {
  const auto good = module(all_entries("", 0));
  EXPECT_EQ(refusal([&] { return judge_entries(good); }), "");
  EXPECT_EQ(refusal([&] { return judge_loops_of_ptx(good); }), "");
  EXPECT_NE(refusal([&] {
              return judge_entries(module(all_entries("", 0, "map_exp_f32")));
            }).find("no entry point map_exp_f32"),
            std::string::npos);
  EXPECT_NE(refusal([&] { return judge_entries(module(all_entries("", 0) + entry("stray", ""))); }).find("stray"),
            std::string::npos);
  EXPECT_NE(refusal([&] {
              return judge_loops_of_ptx(module(all_entries("gemm_f32_128x128", 3)));
            }).find("gemm_f32_128x128 has 3 loops, its source has 4"),
            std::string::npos);
  EXPECT_NE(
      refusal([&] { return judge_entries(module(all_entries("", 0) + entry("map_exp_f32", ""))); }).find("two modules"),
      std::string::npos);
}

constexpr const char *kReport =
    "ptxas info    : 0 bytes gmem\n"
    "ptxas info    : Compiling entry function 'k' for 'sm_90'\n"
    "ptxas info    : Function properties for k\n"
    "    16 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads\n"
    "ptxas info    : Used 209 registers, used 1 barriers, 33792 bytes smem\n";

TEST(CudaCode, ReadsPtxasReports) {
  const std::vector<PtxasUse> uses = parse_ptxas_report(kReport);
  ASSERT_EQ(uses.size(), 1u);
  EXPECT_EQ(uses[0].kernel, "k");
  EXPECT_EQ(uses[0].stack, 16u);
  EXPECT_EQ(uses[0].spill_stores, 0u);
  EXPECT_EQ(uses[0].registers, 209u);
  EXPECT_EQ(uses[0].shared, 33792u);
}

TEST(CudaCode, SpillsLargeSharedMemoryAndManyRegistersAreRefuted) {
  const auto m = module(entry("k", ""));
  const std::vector<std::string> sm = {"sm_90"};
  const auto judge = [&](const std::string &from, const std::string &to, Limit limit) {
    std::string report = kReport;
    if (!from.empty()) report.replace(report.find(from), from.size(), to);
    return refusal([&] {
      return judge_use(
          m, sm, [&](const PtxModule &, const std::string &) { return report; }, limit);
    });
  };
  for (const Limit limit : {Limit::spills, Limit::shared, Limit::registers}) EXPECT_EQ(judge("", "", limit), "");
  EXPECT_NE(judge("0 bytes spill stores", "8 bytes spill stores", Limit::spills).find("k on sm_90: 8 bytes spilled"),
            std::string::npos);
  EXPECT_NE(judge("0 bytes spill loads", "4 bytes spill loads", Limit::spills), "");
  EXPECT_NE(judge("33792 bytes", "49153 bytes", Limit::shared), "");
  EXPECT_EQ(judge("33792 bytes", "49152 bytes", Limit::shared), "");
  EXPECT_NE(judge("Used 209", "Used 256", Limit::registers), "");
  EXPECT_NE(judge("Function properties for k", "Function properties for j", Limit::spills).find("reports nothing of k"),
            std::string::npos);
}

TEST(CudaCode, AssemblesForEveryListedArchitectureFromTheTargetUp) {
  const auto m = module(entry("k", ""));
  const std::vector<std::string> listed =
      listed_architectures("--gpu-name 'sm_75','sm_80', 'sm_90a','sm_90','sm_100f','sm_120'");
  EXPECT_EQ(listed, (std::vector<std::string>{"sm_75", "sm_80", "sm_90", "sm_120"}));
  std::vector<std::string> asked;
  const auto assemble = [&](const PtxModule &, const std::string &sm) {
    asked.push_back(sm);
    return std::string();
  };
  EXPECT_EQ(refusal([&] { return judge_assembly(m, listed, assemble); }), "");
  EXPECT_EQ(asked, (std::vector<std::string>{"sm_80", "sm_90", "sm_120"}));
  EXPECT_NE(refusal([&] {
              return judge_assembly(m, listed, [](const PtxModule &, const std::string &sm) -> std::string {
                if (sm == "sm_120") throw Refuted("ptxas for sm_120 fails");
                return "";
              });
            }),
            "");
  EXPECT_NE(refusal([&] { return judge_assembly(m, std::vector<std::string>{"sm_90"}, assemble); }).find("own target"),
            std::string::npos);
}

TEST(CudaCode, ThePtxOfTheBuiltPluginUpholdsEachClaim) {
#ifdef CUDA_PLUGIN_FILE
  const auto section = abi::ElfFile(CUDA_PLUGIN_FILE).section(".rayo.ptx");
  ASSERT_TRUE(section.has_value());
  const std::vector<PtxModule> modules = parse_ptx_section(*section);
  EXPECT_EQ(refusal([&] { return judge_entries(modules); }), "");
  EXPECT_EQ(refusal([&] { return judge_shared_addresses(modules); }), "");
  EXPECT_EQ(refusal([&] { return judge_barriers(modules, "gemm_"); }), "");
  EXPECT_EQ(refusal([&] { return judge_barriers(modules, "attention_"); }), "");
  EXPECT_EQ(refusal([&] { return judge_causal_names(modules); }), "");
  EXPECT_EQ(refusal([&] { return judge_loops_of_ptx(modules); }), "");
#else
  GTEST_SKIP() << "the CUDA plugin is not built here: no nvcc";
#endif
}

}  // namespace
}  // namespace rayo::conform::claims
