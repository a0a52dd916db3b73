// SPDX-License-Identifier: Apache-2.0
//
// What the deciders are made of: cases of every op, loops in a disassembly, the schema's validator.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "claims/calls.hpp"
#include "claims/command_output.hpp"
#include "claims/disassembly.hpp"
#include "claims/schema.hpp"

namespace rayo::conform::claims {
namespace {

TEST(Cases, EveryOpOfTheCatalogueHasOneAtAnyLength) {
  for (const Typed &typed : all_typed_ops()) {
    for (const std::int64_t n : {1, 17, 1000}) {
      const auto c = sized_case(*typed.op, typed.types, n, "uniform", 1);
      ASSERT_TRUE(c.has_value()) << typed.op->name << ": its shape rule " << typed.op->shape_rule
                                 << " is not known in claims/calls.cpp";
      EXPECT_EQ(format_case(parse_case(format_case(*c))), format_case(*c));
    }
  }
}

TEST(Cases, TypesAreCombinedFreely) {
  std::size_t products = 0;
  for (const Typed &typed : all_typed_ops()) products += typed.op->name == "matmul_integer" ? 1 : 0;
  EXPECT_EQ(products, 4u);
}

TEST(Numbers, AreGroupedByThousands) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1000), "1,000");
  EXPECT_EQ(grouped(4294967296), "4,294,967,296");
}

constexpr const char *kText = R"(
file.so:     file format elf64-x86-64

0000000000001000 <void k::outer<float>(long)>:
    1000:	mov    %rdi,%rax
    1003:	vmovups (%rsi),%ymm0
    1007:	vaddps (%rdx),%ymm0,%ymm0
    100b:	dec    %rcx
    100e:	jne    1007 <void k::outer<float>(long)+0x7>
    1010:	dec    %rax
    1013:	jne    1003 <void k::outer<float>(long)+0x3>
    1015:	jmp    2000 <other>
    101a:	ret

0000000000002000 <other>:
    2000:	ret
)";

TEST(Disassembly, FindsInnermostLoopsOnly) {
  const std::vector<Function> functions = parse_disassembly(kText);
  ASSERT_EQ(functions.size(), 2u);
  EXPECT_EQ(functions[0].name, "void k::outer<float>(long)");
  EXPECT_EQ(functions[0].code.size(), 9u);
  const auto loops = innermost_loops(functions[0]);
  ASSERT_EQ(loops.size(), 1u);
  ASSERT_EQ(loops[0].size(), 3u);
  EXPECT_EQ(loops[0][0].text, "vaddps (%rdx),%ymm0,%ymm0");
  EXPECT_TRUE(innermost_loops(functions[1]).empty());
}

TEST(Disassembly, ReadsBranchesOfAArch64) {
  const std::vector<Function> functions = parse_disassembly(
      "0000000000000100 <f>:\n 100:\tfmla\tv0.4s, v1.4s, v2.4s\n 104:\tsubs\tx0, x0, #0x1\n"
      " 108:\tb.ne\t100 <f>  // b.any\n 10c:\tcbnz\tx1, 10c <f+0xc>\n 110:\tret\n");
  ASSERT_EQ(functions.size(), 1u);
  EXPECT_EQ(innermost_loops(functions[0]).size(), 2u);
}

TEST(Commands, SayWhetherTheyCouldBeRun) {
  const CommandOutput output = run_command({"echo", "two words"});
  EXPECT_TRUE(output.started);
  EXPECT_EQ(output.text, "two words\n");
  EXPECT_EQ(output.exit_status, 0);
  EXPECT_EQ(run_command({"false"}).exit_status, 1);
  EXPECT_FALSE(run_command({"rayo-no-such-program"}).started);
}

TEST(Schema, FindsTheFirstViolation) {
  using nlohmann::json;
  const json schema = json::parse(report_schema());
  const json good = {{"claims", {{{"id", "A-001"}, {"verdict", "upheld"}, {"evidence", "1"}, {"command", ""}}}}};
  EXPECT_EQ(schema_violation(schema, good), "");
  json bad = good;
  bad["claims"][0]["verdict"] = "maybe";
  EXPECT_NE(schema_violation(schema, bad).find("$.claims[0].verdict"), std::string::npos);
  bad = good;
  bad["claims"][0].erase("evidence");
  EXPECT_NE(schema_violation(schema, bad).find("evidence"), std::string::npos);
  bad = good;
  bad["claims"][0]["id"] = "Z-1";
  EXPECT_NE(schema_violation(schema, bad).find("pattern"), std::string::npos);
}

TEST(Schema, AnUnknownKeywordIsAnError) {
  EXPECT_THROW((void)schema_violation({{"multipleOf", 3}}, 9), std::invalid_argument);
  EXPECT_THROW((void)schema_violation({{"type", "colour"}}, 9), std::invalid_argument);
}

}  // namespace
}  // namespace rayo::conform::claims
