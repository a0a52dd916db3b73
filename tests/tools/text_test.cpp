// SPDX-License-Identifier: Apache-2.0
//
// The small parts: near names, tables, schema texts, attributes, comparison, digests.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "attributes.hpp"
#include "command.hpp"
#include "compare.hpp"
#include "host_tensor.hpp"
#include "schema.hpp"
#include "suggest.hpp"
#include "table.hpp"

namespace rayo::tools {
namespace {

using nlohmann::json;
using Names = std::vector<std::string>;

HostTensor floats(const std::vector<float> &values) {
  HostTensor tensor = allocate_tensor(RAYO_F32, {static_cast<int64_t>(values.size())}, false, "test");
  std::memcpy(tensor.data.get(), values.data(), values.size() * sizeof(float));
  return tensor;
}

TEST(Suggest, FindsNearNamesAndNoFarOnes) {
  const Names names = {"matmul", "mul", "max", "softmax", "reduce_sum"};
  EXPECT_EQ(near_names("matmull", names), Names{"matmul"});
  EXPECT_EQ(near_names("sum", names), Names{"reduce_sum"});
  EXPECT_EQ(near_names("zzzzzz", names), Names{});
  EXPECT_EQ(near_names(std::string(100000, 'a'), names), Names{});
  EXPECT_EQ(did_you_mean("sofmax", names), " (did you mean 'softmax'?)");
}

TEST(TableText, FitsEightyColumns) {
  Table table({"A", "LONGER", "TEXT"});
  table.add_row(
      {"first", "x", std::string("word ") + std::string(40, 'w') + " and many more words to wrap around here"});
  const std::string text = table.text();
  std::size_t begin = 0;
  for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
    EXPECT_LE(end - begin, 80U);
    begin = end + 1;
  }
  EXPECT_EQ(begin, text.size());
}

TEST(Schema, OperandsAndTypesAreSplit) {
  const auto operands = parse_operands("A:T B:i8 [C:T]");
  ASSERT_EQ(operands.size(), 3U);
  EXPECT_EQ(operands[1].type, "i8");
  EXPECT_FALSE(operands[1].optional);
  EXPECT_EQ(operands[2].name, "C");
  EXPECT_EQ(operands[2].type, "T");
  EXPECT_TRUE(operands[2].optional);
  EXPECT_EQ(all_dtypes("T=f32,f64 U=i8,f32"), (Names{"f32", "f64", "i8"}));
}

// An op with one attribute of each kind.
class AttributesTest : public ::testing::Test {
 protected:
  AttributesTest() {
    axes_.name = "axes";
    axes_.kind = RAYO_ATTR_INT;
    axes_.flags = RAYO_ATTR_LIST;
    alpha_.name = "alpha";
    alpha_.kind = RAYO_ATTR_FLOAT;
    mode_.name = "mode";
    mode_.kind = RAYO_ATTR_STRING;
    mode_.legal = "none|tanh";
    op_.name = "test_op";
    op_.attr_count = 3;
    op_.attrs = list_;
  }
  std::string refusal(const json &values) {
    try {
      AttributeList attributes(op_, values);
    } catch (const CommandError &error) {
      EXPECT_EQ(error.exit_code(), kExitUsage);
      return error.what();
    }
    return "accepted";
  }
  rayo_attr_def axes_{};
  rayo_attr_def alpha_{};
  rayo_attr_def mode_{};
  const rayo_attr_def *list_[3] = {&axes_, &alpha_, &mode_};
  rayo_op_info op_{};
};

TEST_F(AttributesTest, TextAndJsonGiveTheSameValues) {
  const json text = attributes_from_arguments({"axes=0,-2", "alpha=0.5", "mode=tanh"});
  for (const json &values : {text, json{{"axes", {0, -2}}, {"alpha", 0.5}, {"mode", "tanh"}}}) {
    const AttributeList attributes(op_, values);
    int seen = 0;
    for (const rayo_attr *a = attributes.list(); a->name != nullptr; ++a, ++seen) {
      if (std::string(a->name) == "axes") {
        ASSERT_EQ(a->count, 2U);
        EXPECT_EQ(static_cast<const int64_t *>(a->data)[1], -2);
      } else if (std::string(a->name) == "alpha") {
        EXPECT_EQ(*static_cast<const double *>(a->data), 0.5);
      } else {
        EXPECT_STREQ(static_cast<const char *>(a->data), "tanh");
        EXPECT_EQ(a->count, 4U);
      }
    }
    EXPECT_EQ(seen, 3);
  }
}

TEST_F(AttributesTest, AnEmptyListIsLegal) {
  const AttributeList attributes(op_, attributes_from_arguments({"axes="}));
  EXPECT_EQ(attributes.list()[0].count, 0U);
}

TEST_F(AttributesTest, RefusalsNameTheAttributeTheValueAndTheLegalOnes) {
  EXPECT_EQ(refusal({{"axs", 1}}),
            "test_op: unknown attribute 'axs' (did you mean 'axes'?); legal: axes, alpha, mode; 'rayo ops test_op' "
            "explains them");
  for (const char *bad : {"1.5", "x", "1,,2", "99999999999999999999", " 1"}) {
    const std::string text = refusal({{"axes", bad}});
    EXPECT_NE(text.find(std::string("'") + bad + "'"), std::string::npos) << text;
    EXPECT_NE(text.find("axes=INT"), std::string::npos) << text;
  }
  EXPECT_NE(refusal({{"axes", {{"a", 1}}}}).find("axes"), std::string::npos);
  EXPECT_NE(refusal({{"axes", 1.5}}).find("1.5"), std::string::npos);
  EXPECT_NE(refusal({{"alpha", "fast"}}).find("alpha=FLOAT"), std::string::npos);
  EXPECT_NE(refusal({{"mode", 3}}).find("none|tanh"), std::string::npos);
  EXPECT_NE(refusal(json::array()).find("legal: an object"), std::string::npos);
  EXPECT_THROW(attributes_from_arguments({"axes"}), CommandError);
  EXPECT_THROW(attributes_from_arguments({"=1"}), CommandError);
  EXPECT_THROW(attributes_from_arguments({"axes=1", "axes=2"}), CommandError);
}

TEST(Compare, CountsUlpsAcrossZeroAndTreatsNansAlike) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float tiny = std::numeric_limits<float>::denorm_min();
  EXPECT_EQ(compare(floats({1, nan}), floats({1, -nan})).differing, 0U);
  const Comparison next = compare(floats({1, 2}), floats({1, std::nextafter(2.0F, 3.0F)}));
  EXPECT_EQ(next.differing, 1U);
  EXPECT_EQ(next.max_ulp, 1U);
  EXPECT_EQ(next.worst_element, 1U);
  EXPECT_EQ(compare(floats({tiny}), floats({-tiny})).max_ulp, 2U);
  const Comparison zeros = compare(floats({0.0F}), floats({-0.0F}));
  EXPECT_EQ(zeros.differing, 1U);  // bits differ
  EXPECT_EQ(zeros.max_ulp, 0U);    // values do not
  EXPECT_EQ(compare(floats({1}), floats({nan})).max_ulp, std::numeric_limits<uint64_t>::max());
}

TEST(Digest, IsSha256OfTheElementsWithOneNan) {
  // sha256sum of the four bytes 00 00 80 3f.
  EXPECT_EQ(digest(floats({1})), "e00e5eb9444182f352323374ef4e08ebcb784725fdd4fd612d7730540b3e0c8c");
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(digest(floats({nan})), digest(floats({-nan})));
  EXPECT_NE(digest(floats({0.0F})), digest(floats({-0.0F})));
}

TEST(Allocate, WhatNoMachineHoldsIsAMessage) {
  for (const std::vector<int64_t> &shape :
       {std::vector<int64_t>{1000000, 1000000, 1000}, std::vector<int64_t>{INT64_MAX, INT64_MAX}}) {
    try {
      allocate_tensor(RAYO_F32, shape, false, "the output");
      FAIL() << "was allocated";
    } catch (const CommandError &error) {
      EXPECT_EQ(error.status(), RAYO_OUT_OF_MEMORY);
      EXPECT_NE(std::string(error.what()).find("out of memory: the output"), std::string::npos) << error.what();
    }
  }
}

}  // namespace
}  // namespace rayo::tools
