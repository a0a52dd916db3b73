// SPDX-License-Identifier: Apache-2.0
#include "suites/case.hpp"

#include <gtest/gtest.h>

#include <set>

#include "oracle/bounds.hpp"
#include "oracle/oracle.hpp"
#include "suites/distribution.hpp"
#include "suites/generator.hpp"

namespace rayo::conform {
namespace {

TEST(CaseLine, KeepsEveryField) {
  const std::string line =
      "gemm f64 3x4,4x5,scalar -,-1x4,- 0,4 uniform,uniform,nan 18446744073709551615 alpha=0.7 transB=1 @inplace=2 "
      "@guard=front @threads=7 @repeat=3";
  const Case c = parse_case(line);
  EXPECT_EQ(format_case(c), line);
  EXPECT_EQ(c.shapes[2], Shape{});
  EXPECT_EQ(*c.operand_strides(1), (Shape{-1, 4}));
  EXPECT_FALSE(c.operand_strides(7).has_value());
  EXPECT_EQ(c.operand_offset(1), 4u);
  EXPECT_EQ(c.seed, UINT64_MAX);
  EXPECT_EQ(c.guard, Guard::front);
}

TEST(CaseLine, EveryGeneratedCaseReplaysFromItsLine) {
  std::set<std::string> lines;
  const std::vector<Case> cases = generate({}, true, 3);
  for (const Case &c : cases) {
    const std::string line = format_case(c);
    EXPECT_EQ(format_case(parse_case(line)), line);
    EXPECT_TRUE(lines.insert(line).second) << "twice: " << line;
    for (const std::string &name : c.distributions) EXPECT_TRUE(is_distribution(name)) << line;
  }
  EXPECT_GT(cases.size(), 2000u);
}

TEST(CaseLine, RefusesWhatItCannotMean) {
  for (const char *line :
       {"", "add f32 3,3 - 0 uniform", "add f31 3,3 - 0 uniform 1", "add f32 3x-1,3 - 0 uniform 1",
        "add f32 3,3 - 0 uniform x", "add f32 3,3 - 0 uniform 1 @guard=left", "add f32 3,3 - 0 uniform 1 @threads=0",
        "add f32 3,3 - 99999 uniform 1", "add f32 a,3 - 0 uniform 1", "add f32 3,3 - 0 uniform 1 keepdims"}) {
    EXPECT_THROW((void)parse_case(line), CaseError) << line;
  }
}

TEST(Catalogue, EveryOpHasOracleBoundAndGenerator) {
  ASSERT_GE(catalogue().size(), 26u);
  for (const OpInfo &op : catalogue()) {
    EXPECT_NE(find_oracle(op.name), nullptr) << op.name << ": add a row to a table in conformance/oracle/";
    EXPECT_NE(find_bound(op.name), nullptr) << op.name << ": add a row to conformance/oracle/bounds.cpp";
    EXPECT_NE(find_generator(op.name), nullptr) << op.name << ": add a row to a table in conformance/suites/";
    EXPECT_FALSE(op_dtypes(op).empty()) << op.name;
    EXPECT_GE(op.required_inputs, 1u) << op.name;
  }
}

TEST(Catalogue, EveryOpIsTriedInEveryTypeAndSeedsChangeInputs) {
  std::set<std::string> tried;
  for (const Case &c : generate({}, true, 1)) tried.insert(c.op + " " + std::string(dtype_name(c.dtype)));
  for (const OpInfo &op : catalogue()) {
    for (const Dtype dtype : op_dtypes(op)) {
      EXPECT_EQ(tried.count(op.name + " " + std::string(dtype_name(dtype))), 1u) << op.name;
    }
  }
  const std::vector<std::string> ops = {"add"};
  EXPECT_NE(generate(ops, true, 1)[5].seed, generate(ops, true, 2)[5].seed);
}

}  // namespace
}  // namespace rayo::conform
