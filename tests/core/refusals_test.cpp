// SPDX-License-Identifier: Apache-2.0
//
// What the validators refuse, each rule by itself: a plugin's tables (check_answer), and the operands of every shape
// rule. One thing at a time is made wrong in something that is accepted.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "dispatch/shape_rules.hpp"
#include "loader/check_answer.hpp"

namespace rayo {
namespace {

// The text of the error; "" = accepted.
std::string refusal(const std::function<void()> &body, rayo_status *out_status = nullptr) {
  try {
    body();
  } catch (const Error &error) {
    if (out_status != nullptr) *out_status = error.status();
    return error.what();
  }
  return "";
}

// ---- A plugin's tables ----

// A plugin that is accepted: one kernel for add, one schema of its own and a kernel for it. Freely changed by a test.
struct Answer {
  Answer() {
    note.version = 1;
    std::snprintf(note.name, sizeof note.name, "good");
    schema.struct_size = sizeof schema;
    schema.struct_type = RAYO_TYPE_OP_SCHEMA;
    schema.name = "acme.twice";
    schema.version = 1;
    schema.family = "unary";
    schema.inputs = "X:T";
    schema.outputs = "Y:T";
    schema.types = "T=f32";
    schema.doc = "";
    schema.numerics = RAYO_NUMERICS_STRICT;
    schema.infer_shape = [](const rayo_op_desc *, rayo_shape *, rayo_error *) { return RAYO_OK; };
    fill(&add, "add_f32", "add");
    fill(&twice, "twice_f32", "acme.twice");
    plugin.struct_size = sizeof plugin;
    plugin.struct_type = RAYO_TYPE_PLUGIN;
    plugin.abi_version = RAYO_ABI_VERSION;
    plugin.name = "good";
    plugin.vendor = plugin.version = plugin.description = "";
    plugin.create = [](const rayo_host *, rayo_instance **, rayo_error *) { return RAYO_OK; };
    plugin.destroy = [](rayo_instance *) {};
    plugin.kernels = kernels;
    plugin.kernel_count = 2;
    plugin.schemas = schemas;
    plugin.schema_count = 1;
  }
  Answer(const Answer &) = delete;
  Answer &operator=(const Answer &) = delete;

  // With a device tier that is accepted.
  void with_device() {
    note.tiers = RAYO_TIER_DEVICE;
    device_api.struct_type = RAYO_TYPE_DEVICE_API;
    device_api.struct_size = sizeof device_api;
    device_api.enumerate = [](rayo_instance *, uint32_t, rayo_device_info *const *, uint32_t *, rayo_error *) {
      return RAYO_OK;
    };
    device_api.device_open = [](rayo_instance *, uint32_t, rayo_device **, rayo_error *) { return RAYO_OK; };
    device_api.device_close = [](rayo_device *) {};
    plugin.device_api = &device_api;
  }

  static void fill(rayo_kernel *kernel, const char *name, const char *op) {
    kernel->struct_size = sizeof *kernel;
    kernel->struct_type = RAYO_TYPE_KERNEL;
    kernel->name = name;
    kernel->op = op;
    kernel->types = "T=f32";
    kernel->schema_min = kernel->schema_max = 1;
    kernel->numerics = RAYO_NUMERICS_STRICT;
    kernel->layouts = RAYO_LAYOUT_CONTIGUOUS;
    kernel->prepare = [](rayo_instance *, const rayo_op_desc *, rayo_prepared *, rayo_error *) { return RAYO_OK; };
  }

  rayo_note_desc note{};
  rayo_op_schema schema{};
  rayo_kernel add{};
  rayo_kernel twice{};
  rayo_plugin plugin{};
  rayo_device_api device_api{};
  rayo_struct extension{};
  const rayo_kernel *kernels[3] = {&add, &twice, nullptr};
  const rayo_op_schema *schemas[2] = {&schema, &schema};
};

TEST(CheckAnswer, AGoodAnswerIsTakenWithItsKernelsAndSchemas) {
  Answer answer;
  PluginAnswer taken;
  ASSERT_EQ(refusal([&] { taken = check_answer(&answer.plugin, answer.note, Log(-1, nullptr, nullptr)); }), "");
  ASSERT_EQ(taken.kernels.size(), 2u);
  ASSERT_EQ(taken.schemas.size(), 1u);
  EXPECT_EQ(taken.kernels[0]->kernel, &answer.add);
  EXPECT_EQ(taken.kernels[0]->op, find_op("add"));
  EXPECT_EQ(taken.kernels[1]->op, find_op("acme.twice"));
  EXPECT_EQ(taken.kernels[1]->types.at("T").size(), 1u);
}

struct Wrong {
  const char *text;  // in the refusal; "" = accepted all the same
  void (*change)(Answer &);
};

constexpr Wrong kWrong[] = {
    {"struct_type 1", [](Answer &a) { a.plugin.struct_type = 1; }},
    {"struct_size 8", [](Answer &a) { a.plugin.struct_size = 8; }},
    {"", [](Answer &a) { a.plugin.struct_size += 64; }},
    {"is built for ABI", [](Answer &a) { a.plugin.abi_version = (RAYO_ABI_MAJOR + 1u) << 16; }},
    {"", [](Answer &a) { a.extension.struct_type = 0x7777, a.plugin.next = &a.extension; }},
    {"needs extension",
     [](Answer &a) { a.extension.struct_type = RAYO_MUST_UNDERSTAND | 5, a.plugin.next = &a.extension; }},
    {"", [](Answer &a) { a.extension.next = &a.extension, a.plugin.next = &a.extension; }},  // a ring ends
    {"is NULL; use \"\"", [](Answer &a) { a.plugin.name = nullptr; }},
    {"is NULL; use \"\"", [](Answer &a) { a.plugin.vendor = nullptr; }},
    {"is NULL; use \"\"", [](Answer &a) { a.plugin.version = nullptr; }},
    {"is NULL; use \"\"", [](Answer &a) { a.plugin.description = nullptr; }},
    {"they must agree", [](Answer &a) { a.plugin.name = "other"; }},
    {"create or destroy is NULL", [](Answer &a) { a.plugin.create = nullptr; }},
    {"create or destroy is NULL", [](Answer &a) { a.plugin.destroy = nullptr; }},
    {"it claims 65537 kernels", [](Answer &a) { a.plugin.kernel_count = 65537; }},
    {"65537 schemas", [](Answer &a) { a.plugin.schema_count = 65537; }},
    {"but the count is not 0", [](Answer &a) { a.plugin.kernels = nullptr; }},
    {"but the count is not 0", [](Answer &a) { a.plugin.schemas = nullptr; }},
    {"", [](Answer &a) { a.plugin.kernels = nullptr, a.plugin.kernel_count = 0; }},
    {"note declares the device tier, its device_api is NULL", [](Answer &a) { a.note.tiers = RAYO_TIER_DEVICE; }},
    {"note does not declare", [](Answer &a) { a.plugin.device_api = &a.device_api; }},
    {"device_api has a wrong header",
     [](Answer &a) { a.plugin.device_api = &a.device_api, a.note.tiers = RAYO_TIER_DEVICE; }},
    {"device_api has a wrong header",
     [](Answer &a) {
       a.device_api.struct_type = RAYO_TYPE_DEVICE_API, a.device_api.struct_size = sizeof a.device_api;
       a.plugin.device_api = &a.device_api, a.note.tiers = RAYO_TIER_DEVICE;
     }},
    {"device_api has a wrong header", [](Answer &a) { a.with_device(), a.device_api.struct_size = 24; }},
    {"device_open or device_close is NULL", [](Answer &a) { a.with_device(), a.device_api.enumerate = nullptr; }},
    {"device_open or device_close is NULL", [](Answer &a) { a.with_device(), a.device_api.device_open = nullptr; }},
    {"device_open or device_close is NULL", [](Answer &a) { a.with_device(), a.device_api.device_close = nullptr; }},
    {"", [](Answer &a) { a.with_device(); }},
    {"", [](Answer &a) { a.with_device(), a.add.flags = RAYO_KERNEL_DEVICE; }},
    {"it declares op 'acme.twice' twice", [](Answer &a) { a.plugin.schema_count = 2; }},
    {"kernel 2 of 3 is NULL", [](Answer &a) { a.plugin.kernel_count = 3; }},
    {"kernel 0 has struct_type 77", [](Answer &a) { a.add.struct_type = 77; }},
    {"and struct_size 16", [](Answer &a) { a.add.struct_size = 16; }},
    {"kernel 0 has no name or no op", [](Answer &a) { a.add.name = nullptr; }},
    {"kernel 0 has no name or no op", [](Answer &a) { a.add.op = nullptr; }},
    {"two kernels are called 'add_f32'", [](Answer &a) { a.twice.name = "add_f32"; }},
    {"kernel 'add_f32': types is NULL", [](Answer &a) { a.add.types = nullptr; }},
    {"prepare is NULL", [](Answer &a) { a.add.prepare = nullptr; }},
    {"schema range 0 to 1", [](Answer &a) { a.add.schema_min = 0; }},
    {"schema range 2 to 1", [](Answer &a) { a.add.schema_min = 2; }},
    {"", [](Answer &a) { a.add.schema_max = 7; }},
    {"numerics is 0", [](Answer &a) { a.add.numerics = 0; }},
    {"numerics is 4", [](Answer &a) { a.add.numerics = RAYO_NUMERICS_RELAXED + 1; }},
    {"", [](Answer &a) { a.add.numerics = RAYO_NUMERICS_RELAXED; }},
    {"", [](Answer &a) { a.add.numerics = RAYO_NUMERICS_REPRODUCIBLE; }},
    {"it takes no layout at all", [](Answer &a) { a.add.layouts = 0; }},
    {"", [](Answer &a) { a.add.layouts = RAYO_LAYOUT_STRIDED; }},
    {"max_ndim is -1", [](Answer &a) { a.add.max_ndim = -1; }},
    {"max_ndim is", [](Answer &a) { a.add.max_ndim = RAYO_MAX_NDIM + 1; }},
    {"", [](Answer &a) { a.add.max_ndim = RAYO_MAX_NDIM; }},
    {"alignment is 3", [](Answer &a) { a.add.alignment = 3; }},
    {"", [](Answer &a) { a.add.alignment = 64; }},
    {"but the plugin has no device_api", [](Answer &a) { a.add.flags = RAYO_KERNEL_DEVICE; }},
    {"neither in the catalogue nor in the plugin's schemas", [](Answer &a) { a.add.op = "acme.thrice"; }},
    {"", [](Answer &a) { a.add.op = "of_a_newer_catalogue"; }},
    {"types bind 'Q'", [](Answer &a) { a.add.types = "T=f32 Q=i8"; }},
    {"types give T=i8", [](Answer &a) { a.add.types = "T=i8"; }},
    {"types leave 'T' of op 'add' open", [](Answer &a) { a.add.types = ""; }},
    {"", [](Answer &a) { a.add.types = "T=f64"; }},
};

TEST(CheckAnswer, EachWrongThingIsNamed) {
  for (const Wrong &wrong : kWrong) {
    Answer answer;
    wrong.change(answer);
    rayo_status status = RAYO_REFUSED;
    const std::string text =
        refusal([&] { check_answer(&answer.plugin, answer.note, Log(-1, nullptr, nullptr)); }, &status);
    EXPECT_EQ(status, RAYO_REFUSED) << text;
    if (*wrong.text == '\0') {
      EXPECT_EQ(text, "");
    } else {
      EXPECT_NE(text.find(wrong.text), std::string::npos) << "'" << wrong.text << "' in: " << text;
    }
  }
}

TEST(CheckAnswer, OpsOfANewerCatalogueAreLeftOutAndLogged) {
  Answer answer;
  answer.add.op = "of_a_newer_catalogue";
  std::vector<std::string> lines;
  const Log log(
      RAYO_LOG_WARN,
      [](void *ctx, int32_t, const char *text) { static_cast<std::vector<std::string> *>(ctx)->emplace_back(text); },
      &lines);
  EXPECT_EQ(check_answer(&answer.plugin, answer.note, log).kernels.size(), 1u);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_NE(lines[0].find("kernel 'add_f32' is for op 'of_a_newer_catalogue'"), std::string::npos) << lines[0];
  answer.plugin.kernel_count = 1;
  EXPECT_NE(refusal([&] { check_answer(&answer.plugin, answer.note, log); }).find("none of its 1 kernels"),
            std::string::npos);
}

TEST(CheckAnswer, AbiVersionsAreToldApart) {
  EXPECT_EQ(abi_name(0x00030011), "3.17");
  EXPECT_EQ(abi_mismatch(RAYO_ABI_VERSION, 0), "");
  EXPECT_EQ(abi_mismatch(RAYO_ABI_VERSION, RAYO_ABI_VERSION), "");
  EXPECT_EQ(abi_mismatch(RAYO_ABI_OLDEST, 0), "");
  EXPECT_EQ(abi_mismatch(RAYO_ABI_VERSION + 1, 0), "") << "a newer minor";
  EXPECT_NE(abi_mismatch(RAYO_ABI_VERSION, RAYO_ABI_VERSION + 1).find("update Rayo"), std::string::npos);
  EXPECT_NE(abi_mismatch((RAYO_ABI_MAJOR + 1u) << 16, 0).find("rebuild it"), std::string::npos);
  EXPECT_NE(abi_mismatch(RAYO_ABI_OLDEST - 1, 0), "");
}

// ---- Shape rules ----

OperandDesc operand(const std::vector<int64_t> &shape, DLDataType dtype = RAYO_F32) {
  OperandDesc made;
  made.dtype = dtype;
  for (const int64_t extent : shape) made.shape[made.ndim++] = extent;
  made.set_compact_strides();
  return made;
}

constexpr DLDataType kI8 = RAYO_DTYPE(kDLInt, 8);
constexpr DLDataType kU8 = RAYO_DTYPE(kDLUInt, 8);

const Schema &schema(std::string_view op) {
  for (const auto &each : catalogue()) {
    if (op == each->raw->name) return *each;
  }
  throw std::runtime_error("no such op");
}

struct Attr {
  const char *name;
  std::vector<int64_t> values;
};

// The shape of output 0, or the refusal.
std::string shape_of(const char *op, const std::vector<OperandDesc> &inputs, const std::vector<Attr> &attrs = {}) {
  std::vector<rayo_attr> given;
  for (const Attr &attr : attrs) {
    given.push_back({attr.name, RAYO_ATTR_INT, static_cast<uint32_t>(attr.values.size()), attr.values.data()});
  }
  given.push_back(RAYO_ATTR_END);
  std::string out;
  const std::string text = refusal([&] {
    Attributes attributes = resolve_attributes(schema(op), given.data(), inputs[0].ndim);
    out = shape_text(infer_outputs(schema(op), inputs, &attributes, rayo_op_desc{})[0]);
  });
  return text.empty() ? out : text;
}

struct ShapeCase {
  const char *op;
  std::vector<OperandDesc> inputs;
  std::vector<Attr> attrs;
  const char *expected;  // the shape, or a part of the refusal
};

TEST(ShapeRules, InferOrRefuseByTheOpsRule) {
  const OperandDesc none;
  const ShapeCase cases[] = {
      {"add", {operand({3, 1}), operand({4})}, {}, "[3, 4]"},
      {"add", {operand({3}), operand({4})}, {}, "broadcast"},
      {"clip", {operand({3, 4}), none, operand({4})}, {}, "[3, 4]"},
      {"clip", {operand({3, 4}), none, operand({3})}, {}, "shapes [3, 4] and [] and [3] do not broadcast"},
      {"dot", {operand({3}), operand({3})}, {}, "[]"},
      {"dot", {operand({3}), operand({4})}, {}, "two vectors of equal length"},
      {"dot", {operand({3, 1}), operand({3})}, {}, "two vectors of equal length"},
      {"dot", {operand({3}), operand({3, 1})}, {}, "two vectors of equal length"},
      {"matmul", {operand({2, 3}), operand({3, 4})}, {}, "[2, 4]"},
      {"matmul", {operand({3}), operand({3, 4})}, {}, "[4]"},
      {"matmul", {operand({2, 3}), operand({3})}, {}, "[2]"},
      {"matmul", {operand({3}), operand({3})}, {}, "[]"},
      {"matmul", {operand({5, 1, 2, 3}), operand({6, 3, 4})}, {}, "[5, 6, 2, 4]"},
      {"matmul", {operand({2, 3}), operand({4, 4})}, {}, "the last axis of A (3) and the second last of B (4)"},
      {"matmul", {operand({2, 3}), operand({4})}, {}, "the last axis of A (3)"},
      {"matmul", {operand({}), operand({4})}, {}, "operands of rank 0 are not taken"},
      {"matmul", {operand({4}), operand({})}, {}, "operands of rank 0 are not taken"},
      {"matmul", {operand({5, 2, 3}), operand({6, 3, 4})}, {}, "batch axes"},
      {"gemm", {operand({2, 3}), operand({3, 4})}, {}, "[2, 4]"},
      {"gemm", {operand({3, 2}), operand({4, 3})}, {{"transA", {1}}, {"transB", {1}}}, "[2, 4]"},
      {"gemm", {operand({2, 3}), operand({3, 4}), operand({4})}, {}, "[2, 4]"},
      {"gemm", {operand({2, 3}), operand({3, 4}), none}, {}, "[2, 4]"},
      {"gemm", {operand({2, 3}), operand({3, 4}), operand({3})}, {}, "C of shape [3] does not broadcast"},
      {"gemm", {operand({2, 3}), operand({3, 4}), operand({5, 2, 4})}, {}, "does not broadcast"},
      {"gemm", {operand({1, 3}), operand({3, 4}), operand({2, 4})}, {}, "C of shape [2, 4] does not broadcast"},
      {"gemm", {operand({2, 3}), operand({4, 4})}, {}, "inner extents 3 and 4 differ"},
      {"gemm", {operand({3, 2}), operand({4, 4})}, {{"transA", {1}}}, "inner extents 3 and 4 differ"},
      {"gemm", {operand({2}), operand({2, 4})}, {}, "must have rank 2"},
      {"gemm", {operand({2, 2}), operand({2, 4, 1})}, {}, "must have rank 2"},
      {"transpose", {operand({2, 3, 4})}, {}, "[4, 3, 2]"},
      {"transpose", {operand({2, 3, 4})}, {{"perm", {-1, 0, 1}}}, "[4, 2, 3]"},
      {"transpose", {operand({2, 3, 4})}, {{"perm", {0, 0, 1}}}, "is no permutation of the 3 axes"},
      {"transpose", {operand({2, 3, 4})}, {{"perm", {0, 1, 3}}}, "is no permutation"},
      {"transpose", {operand({2, 3, 4})}, {{"perm", {0, 1, -4}}}, "is no permutation"},
      {"transpose", {operand({2, 3, 4})}, {{"perm", {0, 1}}}, "is no permutation"},
      {"matmul_integer", {operand({2, 3}, kU8), operand({3, 4}, kI8)}, {}, "[2, 4]"},
      {"matmul_integer",
       {operand({2, 3}, kU8), operand({3, 4}, kI8), operand({}, kU8), operand({4}, kI8)},
       {},
       "[2, 4]"},
      {"matmul_integer", {operand({2, 3}, kU8), operand({3, 4}, kI8), operand({1}, kU8)}, {}, "[2, 4]"},
      {"matmul_integer", {operand({2, 3}, kU8), operand({3, 4}, kI8), operand({2}, kU8)}, {}, "[2, 4]"},
      {"matmul_integer",
       {operand({2, 3}, kU8), operand({3, 4}, kI8), operand({3}, kU8)},
       {},
       "of A has shape [3]: a scalar, [1] or [2]"},
      {"matmul_integer",
       {operand({2, 3}, kU8), operand({3, 4}, kI8), operand({1, 2}, kU8)},
       {},
       "of A has shape [1, 2]"},
      {"matmul_integer",
       {operand({2, 3}, kU8), operand({3, 4}, kI8), operand({}, kU8), operand({2}, kI8)},
       {},
       "of B has shape [2]: a scalar, [1] or [4]"},
      {"matmul_integer", {operand({3}, kU8), operand({3, 4}, kI8), operand({2}, kU8)}, {}, "a scalar, [1] or [1]"},
      {"matmul_integer",
       {operand({2, 3}, kU8), operand({3}, kI8), none, operand({2}, kI8)},
       {},
       "of B has shape [2]: a scalar, [1] or [1]"},
      {"eigh", {operand({5, 3, 3})}, {}, "[5, 3]"},
      {"eigh", {operand({3, 4})}, {}, "a square matrix"},
      {"eigh", {operand({3})}, {}, "a square matrix"},
      {"quantize_linear", {operand({2, 3}), operand({}), none}, {}, "[2, 3]"},
      {"quantize_linear", {operand({2, 3}), operand({3}), operand({3}, kU8)}, {}, "[2, 3]"},
      {"quantize_linear", {operand({2, 3}), operand({2}), operand({2}, kU8)}, {{"axis", {0}}}, "[2, 3]"},
      {"quantize_linear", {operand({2, 3}), operand({2}), none}, {}, "a scalar, or [3] along axis 1"},
      {"quantize_linear", {operand({2, 3}), operand({3, 1}), none}, {}, "a scalar, or [3]"},
      {"quantize_linear", {operand({2, 3}), operand({3}), operand({}, kU8)}, {}, "the same number of elements"},
      {"quantize_linear", {operand({}), operand({1}), none}, {}, "[]"},
      {"quantize_linear", {operand({}), operand({2}), none}, {}, "a scalar, or [1] along axis 0"},
      {"quantize_linear", {operand({2, 3}), operand({1, 1}), none}, {}, "y_scale has shape [1, 1]"},
      {"layer_norm", {operand({2, 3, 4}), operand({4}), operand({4})}, {}, "[2, 3, 4]"},
      {"layer_norm", {operand({2, 3, 4}), operand({3, 1}), none}, {{"axis", {1}}}, "[2, 3, 4]"},
      {"layer_norm", {operand({2, 3, 4}), operand({3}), none}, {}, "scale of shape [3] does not broadcast"},
      {"layer_norm", {operand({2, 3, 4}), operand({4}), operand({2})}, {}, "bias of shape [2] does not broadcast"},
      {"layer_norm", {operand({}), operand({}), none}, {}, "rank 0"},
      {"reduce_sum", {operand({2, 3, 4})}, {{"axes", {1}}}, "[2, 1, 4]"},
      {"reduce_sum", {operand({2, 3, 4})}, {{"axes", {-1, 0}}, {"keepdims", {0}}}, "[3]"},
      {"reduce_sum", {operand({2, 3, 4})}, {{"keepdims", {0}}}, "[]"},
      {"reduce_sum", {operand({2, 3})}, {{"keepdims", {2}}}, "keepdims"},
      {"reduce_sum", {operand({2, 3})}, {{"axes", {2}}}, "axes"},
      {"argmax", {operand({2, 3})}, {{"axis", {1}}}, "[2, 1]"},
      {"argmax", {operand({2, 0})}, {{"axis", {1}}}, "axis 1 of shape [2, 0] is empty"},
      {"argmax", {operand({})}, {}, "[]"},
      {"softmax", {operand({2, 3})}, {}, "[2, 3]"},
  };
  for (const ShapeCase &each : cases) {
    const std::string got = shape_of(each.op, each.inputs, each.attrs);
    if (*each.expected == '[') {
      EXPECT_EQ(got, each.expected) << each.op;
    } else {
      EXPECT_NE(got.find(each.expected), std::string::npos) << each.op << ": '" << each.expected << "' in: " << got;
    }
  }
}

// A result may be larger than each operand: by broadcasting what has no strides.
TEST(ShapeRules, AResultThatNoMemoryHoldsIsRefused) {
  OperandDesc column = operand({int64_t{1} << 40, 1});
  OperandDesc row = operand({int64_t{1} << 40});
  EXPECT_NE(shape_of("add", {column, row}).find("add: the result: shape [1099511627776, 1099511627776]"),
            std::string::npos);
}

// ---- A vendor's shape rule ----

struct VendorAnswer {
  rayo_status status;
  int32_t ndim;
  DLDataType dtype;
  int64_t extent;
  const char *text;      // in error->text
  const char *expected;  // the shape, or a part of the refusal
};

TEST(ShapeRules, WhatAVendorsRuleAnswersIsChecked) {
  static VendorAnswer current;
  Answer answer;
  answer.schema.infer_shape = [](const rayo_op_desc *, rayo_shape *out, rayo_error *error) {
    out->ndim = current.ndim;
    out->dtype = current.dtype;
    out->extents[0] = out->extents[1] = current.extent;
    std::snprintf(error->text, sizeof error->text, "%s", current.text);
    return current.status;
  };
  const auto vendor = parse_schema(&answer.schema, "good");
  const VendorAnswer answers[] = {
      {RAYO_OK, 2, RAYO_F32, 3, "", "[3, 3]"},
      {RAYO_OK, 0, RAYO_F64, 3, "", "[]"},
      {RAYO_UNSUPPORTED, 1, RAYO_F32, 3, "not this one", "acme.twice: not this one"},
      {RAYO_UNSUPPORTED, 1, RAYO_F32, 3, "", "acme.twice: its shape rule refused the inputs"},
      {RAYO_OK, -1, RAYO_F32, 3, "", "the shape rule of good answered rank -1"},
      {RAYO_OK, RAYO_MAX_NDIM + 1, RAYO_F32, 3, "", "answered rank"},
      {RAYO_OK, 1, {kDLFloat, 0, 1}, 3, "", "answered dtype"},
      {RAYO_OK, 1, {kDLFloat, 32, 2}, 3, "", "answered dtype"},
      {RAYO_OK, 1, {kDLFloat, 12, 1}, 3, "", "answered dtype"},
      {RAYO_OK, 1, RAYO_F32, -3, "", "the result: extent -3 of axis 0 is negative"},
      {RAYO_OK, 2, RAYO_F32, int64_t{1} << 40, "", "does not fit 2^63 bytes"},
  };
  for (const VendorAnswer &each : answers) {
    current = each;
    rayo_status status = RAYO_OK;
    std::string shape;
    const std::string text = refusal(
        [&] {
          Attributes none;
          shape = shape_text(infer_outputs(*vendor, {operand({2})}, &none, rayo_op_desc{})[0]);
        },
        &status);
    if (each.status != RAYO_OK) EXPECT_EQ(status, each.status);
    const std::string got = text.empty() ? shape : text;
    EXPECT_NE(got.find(each.expected), std::string::npos) << "'" << each.expected << "' in: " << got;
  }
}

// chosen_type believes what the catalogue calls legal.
TEST(ShapeRules, EveryTypeThatAnAttributeMayNameIsOneOfItsOutput) {
  int checked = 0;
  for (const auto &each : catalogue()) {
    for (uint32_t i = 0; i < each->raw->attr_count; ++i) {
      const rayo_attr_def &def = *each->raw->attrs[i];
      const std::string name = def.name;
      if (name != "to" && name != "output_dtype") continue;
      ASSERT_EQ(def.kind, RAYO_ATTR_STRING);
      ASSERT_NE(def.legal, nullptr);
      const std::string legal = def.legal;
      for (size_t at = 0; at <= legal.size();) {
        const size_t end = std::min(legal.find('|', at), legal.size());
        const std::string value = legal.substr(at, end - at);
        at = end + 1;
        DLDataType dtype{};
        if (value.empty()) continue;  // the first type
        ASSERT_TRUE(parse_dtype(value, &dtype)) << value;
        const auto &types = each->types.at(each->outputs[0].type);
        EXPECT_TRUE(std::any_of(types.begin(), types.end(), [&](DLDataType t) { return same_dtype(t, dtype); }))
            << value;
        ++checked;
      }
    }
  }
  EXPECT_GE(checked, 10);
}

TEST(ShapeRules, AnOutputsTypeIsTheOneNamedOrTheFirst) {
  const auto type_of = [](const char *op, const std::vector<OperandDesc> &inputs, const char *attr, const char *value) {
    const rayo_attr given[] = {{attr, RAYO_ATTR_STRING, static_cast<uint32_t>(std::strlen(value)), value},
                               RAYO_ATTR_END};
    Attributes attributes = resolve_attributes(schema(op), given, inputs[0].ndim);
    return dtype_name(infer_outputs(schema(op), inputs, &attributes, rayo_op_desc{})[0].dtype);
  };
  EXPECT_EQ(type_of("cast", {operand({2})}, "to", "i64"), "i64");
  EXPECT_EQ(type_of("quantize_linear", {operand({2}), operand({})}, "output_dtype", "i8"), "i8");
  EXPECT_EQ(type_of("quantize_linear", {operand({2}), operand({})}, "output_dtype", ""), "u8");
  EXPECT_EQ(type_of("quantize_linear", {operand({2}), operand({}), operand({}, kI8)}, "output_dtype", ""), "i8");
}

TEST(ShapeRules, TypesMustBeLegalAndAgree) {
  EXPECT_NE(shape_of("add", {operand({2}), operand({2}, RAYO_DTYPE(kDLFloat, 64))}).find("types are never converted"),
            std::string::npos);
  EXPECT_NE(shape_of("add", {operand({2}, kI8), operand({2}, kI8)}).find("has dtype i8; legal are"), std::string::npos);
  EXPECT_NE(shape_of("where", {operand({2}, kI8), operand({2}), operand({2})}).find("has dtype i8, expected u8"),
            std::string::npos);
}

}  // namespace
}  // namespace rayo
