// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstring>
#include <set>
#include <thread>

#include "base/error.hpp"
#include "registry/ops.hpp"

namespace rayo {
namespace {

const Schema *find_schema(std::string_view name) {
  for (const auto &schema : catalogue()) {
    if (name == schema->raw->name) return schema.get();
  }
  return nullptr;
}

TEST(OpNames, AreInternedOnceFromManyThreads) {
  std::vector<std::thread> threads;
  std::vector<std::vector<rayo_op>> ids(4);
  for (auto &mine : ids) {
    threads.emplace_back([&mine] {
      for (int i = 0; i < 500; ++i) mine.push_back(intern_op("test.op" + std::to_string(i)));
    });
  }
  for (std::thread &thread : threads) thread.join();
  for (const auto &other : ids) EXPECT_EQ(other, ids[0]);
  EXPECT_EQ(std::set<rayo_op>(ids[0].begin(), ids[0].end()).size(), 500u);
  EXPECT_STREQ(op_name(ids[0][7]), "test.op7");
  EXPECT_EQ(find_op("test.never"), RAYO_OP_NONE);
  EXPECT_EQ(op_name(0), nullptr);
  EXPECT_EQ(op_name(0xffffffffu), nullptr);
}

TEST(Catalogue, HoldsTheDeclaredOpsWithTheirAttributes) {
  const Schema *gemm = find_schema("gemm");
  ASSERT_NE(gemm, nullptr);
  EXPECT_EQ(gemm->rule, ShapeRule::gemm);
  EXPECT_EQ(gemm->required_inputs, 2u);
  ASSERT_EQ(gemm->inputs.size(), 3u);
  EXPECT_TRUE(gemm->inputs[2].optional);
  ASSERT_EQ(gemm->raw->attr_count, 5u);
  EXPECT_STREQ(gemm->raw->attrs[0]->name, "alpha");
  EXPECT_EQ(*static_cast<const double *>(gemm->raw->attrs[0]->default_data), 1.0);

  const Schema *softmax = find_schema("softmax");
  ASSERT_NE(softmax, nullptr);
  EXPECT_EQ(*static_cast<const int64_t *>(softmax->raw->attrs[0]->default_data), -1);
  EXPECT_EQ(softmax->raw->attrs[0]->flags, RAYO_ATTR_AXES);

  const Schema *gelu = find_schema("gelu");
  ASSERT_NE(gelu, nullptr);
  EXPECT_STREQ(static_cast<const char *>(gelu->raw->attrs[0]->default_data), "none");
  EXPECT_EQ(gelu->raw->attrs[0]->default_count, 4u);
  EXPECT_EQ(gelu->op, find_op("gelu"));
  EXPECT_EQ(find_schema("add")->raw->attr_count, 0u);
}

TEST(Grammar, ParsesAndRefuses) {
  const TypeBindings bindings = parse_bindings("T=f32,f64 Q=i8");
  EXPECT_EQ(bindings.at("T").size(), 2u);
  EXPECT_TRUE(same_dtype(bindings.at("Q")[0], RAYO_I8));
  EXPECT_TRUE(parse_bindings("").empty());
  for (const char *wrong : {"T", "T=", "=f32", "T=f32,", "T=f31", "T=f32 T=f64", "f32=f64"}) {
    EXPECT_THROW(parse_bindings(wrong), Error) << wrong;
  }
  const auto operands = parse_operands("A:T [C:i64]");
  ASSERT_EQ(operands.size(), 2u);
  EXPECT_TRUE(operands[1].optional);
  EXPECT_EQ(operands[1].type, "i64");
  for (const char *wrong : {"A", "A:", ":T", "[A:T", "A:T A:T", "A:T B:T C:T D:T E:T F:T G:T H:T I:T"}) {
    EXPECT_THROW(parse_operands(wrong), Error) << wrong;
  }
  for (const char *name : {"f32", "f64", "f16", "bf16", "i8", "i32", "i64", "u8"}) {
    DLDataType dtype{};
    ASSERT_TRUE(parse_dtype(name, &dtype));
    EXPECT_EQ(dtype_name(dtype), name);
  }
  EXPECT_EQ(dtype_name(DLDataType{5, 64, 2}), "code 5 bits 64 lanes 2");
}

rayo_op_schema vendor_schema() {
  rayo_op_schema schema{};
  schema.struct_size = sizeof schema;
  schema.struct_type = RAYO_TYPE_OP_SCHEMA;
  schema.name = "acme.foo";
  schema.version = 1;
  schema.family = "unary";
  schema.inputs = "X:T";
  schema.outputs = "Y:T";
  schema.types = "T=f32";
  schema.numerics = RAYO_NUMERICS_STRICT;
  schema.infer_shape = [](const rayo_op_desc *, rayo_shape *, rayo_error *) -> rayo_status { return RAYO_OK; };
  schema.doc = "";
  return schema;
}

TEST(VendorSchema, IsAcceptedWhenWhole) {
  const rayo_op_schema raw = vendor_schema();
  const auto schema = parse_schema(&raw, "acme");
  EXPECT_EQ(schema->op, find_op("acme.foo"));
  EXPECT_EQ(schema->rule, ShapeRule::vendor);
  EXPECT_EQ(schema->origin, "acme");
}

TEST(VendorSchema, IsRefusedWhenWrong) {
  const auto refused = [](auto &&change) {
    rayo_op_schema raw = vendor_schema();
    change(raw);
    EXPECT_THROW(parse_schema(&raw, "acme"), Error);
  };
  EXPECT_THROW(parse_schema(nullptr, "acme"), Error);
  refused([](rayo_op_schema &raw) { raw.struct_size = 24; });
  refused([](rayo_op_schema &raw) { raw.name = "add"; });  // the catalogue's names are not the vendor's to take
  refused([](rayo_op_schema &raw) { raw.name = ".foo"; });
  refused([](rayo_op_schema &raw) { raw.name = nullptr; });
  refused([](rayo_op_schema &raw) { raw.version = 0; });
  refused([](rayo_op_schema &raw) { raw.outputs = ""; });
  refused([](rayo_op_schema &raw) { raw.outputs = "[Y:T]"; });
  refused([](rayo_op_schema &raw) { raw.outputs = "Y:U"; });
  refused([](rayo_op_schema &raw) { raw.in_place = 2; });
  refused([](rayo_op_schema &raw) { raw.numerics = 4; });
  refused([](rayo_op_schema &raw) { raw.infer_shape = nullptr; });
  refused([](rayo_op_schema &raw) { raw.attr_count = 1; });
  refused([](rayo_op_schema &raw) {
    static const rayo_attr_def *const none[] = {nullptr};
    raw.attr_count = 1;
    raw.attrs = none;
  });
}

}  // namespace
}  // namespace rayo
