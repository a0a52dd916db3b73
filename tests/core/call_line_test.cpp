// SPDX-License-Identifier: Apache-2.0
//
// A call as a line of text, and back: what is written is read as the same call, and what no call wrote is refused with
// what is wrong with it. Lines come from files and from other processes.
#include "dispatch/call_line.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "registry/ops.hpp"

namespace rayo {
namespace {

// The text of the error; "" = the line is taken.
std::string refusal(const std::string &line, rayo_status *out_status = nullptr) {
  try {
    const LineCall call(line);
  } catch (const Error &error) {
    if (out_status != nullptr) *out_status = error.status();
    return error.what();
  }
  return "";
}

OperandDesc operand(DLDataType dtype, const std::vector<int64_t> &shape, const std::vector<int64_t> &strides) {
  OperandDesc made;
  made.dtype = dtype;
  for (const int64_t extent : shape) made.shape[made.ndim++] = extent;
  std::copy(strides.begin(), strides.end(), made.strides);
  return made;
}

class CallLine : public testing::Test {
 protected:
  void SetUp() override { ASSERT_FALSE(catalogue().empty()); }
};

TEST_F(CallLine, ReadsBackAsTheSameCall) {
  OperandList in;
  OperandList out;
  in.fill({operand(RAYO_F32, {2, 3}, {-3, 0}), OperandDesc{}, operand(RAYO_F32, {}, {})}, {kDLCPU, 0}, 0, nullptr);
  out.fill({operand(RAYO_F32, {2, 3}, {1, 40})}, {kDLCPU, 0}, 0, nullptr);
  Attributes attributes;
  attributes.add_ints("axes", {-2, std::numeric_limits<int64_t>::max()});
  attributes.add_ints("none", {});
  attributes.add_floats("alpha", {std::numeric_limits<double>::infinity(), -0.0, 0.1});
  attributes.add_string("mode", "a \"word\"");
  rayo_op_desc desc{};
  desc.op = find_op("gemm");
  desc.schema_version = 3;
  desc.max_threads = 7;
  desc.numerics = RAYO_NUMERICS_STRICT;
  desc.inputs = in.pointers();
  desc.input_count = in.size();
  desc.outputs = out.pointers();
  desc.output_count = out.size();
  desc.attrs = attributes.view().data();
  desc.attr_count = static_cast<uint32_t>(attributes.view().size());
  const std::string line = call_line("gemm_f32", desc);
  EXPECT_EQ(line.find('\n'), std::string::npos);

  const LineCall call(line);
  EXPECT_EQ(call.kernel(), "gemm_f32");
  EXPECT_EQ(call.text(), "gemm on f32[2, 3] and none and f32[]");
  EXPECT_EQ(call.desc().struct_type, RAYO_TYPE_OP_DESC);
  EXPECT_EQ(call.desc().op, desc.op);
  EXPECT_EQ(call.desc().schema_version, 3u);
  EXPECT_EQ(call.desc().max_threads, 7u);
  EXPECT_EQ(call.desc().numerics, desc.numerics);
  ASSERT_EQ(call.desc().input_count, 3u);
  EXPECT_EQ(call.desc().inputs[0]->strides[0], -3);
  EXPECT_EQ(call.desc().inputs[0]->shape[1], 3);
  EXPECT_EQ(call.desc().inputs[1]->dtype.bits, 0);
  EXPECT_EQ(call.desc().inputs[2]->ndim, 0);
  ASSERT_EQ(call.desc().output_count, 1u);
  EXPECT_EQ(call.desc().outputs[0]->strides[1], 40);
  ASSERT_EQ(call.desc().attr_count, 4u);
  const rayo_attr *read = call.desc().attrs;
  EXPECT_STREQ(read[0].name, "axes");
  ASSERT_EQ(read[0].count, 2u);
  EXPECT_EQ(static_cast<const int64_t *>(read[0].data)[0], -2);
  EXPECT_EQ(static_cast<const int64_t *>(read[0].data)[1], std::numeric_limits<int64_t>::max());
  EXPECT_EQ(read[1].count, 0u);
  ASSERT_EQ(read[2].kind, RAYO_ATTR_FLOAT);
  ASSERT_EQ(read[2].count, 3u);
  EXPECT_TRUE(std::isinf(static_cast<const double *>(read[2].data)[0]));
  EXPECT_TRUE(std::signbit(static_cast<const double *>(read[2].data)[1]));
  EXPECT_EQ(static_cast<const double *>(read[2].data)[2], 0.1);
  ASSERT_EQ(read[3].kind, RAYO_ATTR_STRING);
  EXPECT_EQ(std::string(static_cast<const char *>(read[3].data), read[3].count), "a \"word\"");
  EXPECT_EQ(call_line(call.kernel(), call.desc()), line);
}

TEST_F(CallLine, AnOpWithoutANameIsWrittenAndNotReadBack) {
  rayo_op_desc desc{};
  desc.op = RAYO_OP_NONE;
  desc.max_threads = 1;
  desc.numerics = RAYO_NUMERICS_STRICT;
  const std::string line = call_line("k", desc);
  EXPECT_NE(line.find("\"op\":\"\""), std::string::npos) << line;
  rayo_status status = RAYO_OK;
  EXPECT_NE(refusal(line, &status).find("names the op '', which is not known"), std::string::npos);
  EXPECT_EQ(status, RAYO_NOT_FOUND);
}

// A line that is taken, with one member replaced.
std::string with(const std::string &member, const std::string &value) {
  std::string out;
  const std::pair<std::string, std::string> members[] = {{"kernel", "\"k\""},
                                                         {"op", "\"neg\""},
                                                         {"schema", "1"},
                                                         {"in", R"([["f32",[2],[1]]])"},
                                                         {"out", R"([["f32",[2],[1]]])"},
                                                         {"attrs", "[]"},
                                                         {"threads", "1"},
                                                         {"numerics", "2"}};
  for (const auto &[name, usual] : members) {
    if (name == member && value.empty()) continue;
    out += (out.empty() ? "{\"" : ",\"") + name + "\":" + (name == member ? value : usual);
  }
  return out + "}";
}

struct Wrong {
  const char *member;
  std::string value;  // "" = it is not there
  const char *text;   // in the refusal; "" = taken
};

std::string repeated(const std::string &item, size_t count) {
  std::string out;
  for (size_t i = 0; i < count; ++i) out += (i == 0 ? "" : ",") + item;
  return "[" + out + "]";
}

TEST_F(CallLine, EachWrongThingIsNamed) {
  const Wrong wrongs[] = {
      {"", "", ""},
      {"kernel", "", "has no 'kernel'"},
      {"kernel", "7", "is not a text"},
      {"op", "\"no_such_op\"", "names the op 'no_such_op'"},
      {"op", "null", "is not a text"},
      {"schema", "4294967295", ""},
      {"schema", "4294967296", "is out of range"},
      {"schema", "-1", "is not a whole number from 0 up"},
      {"threads", "0", "is out of range"},
      {"threads", "1024", ""},
      {"threads", "1025", "is out of range"},
      {"numerics", "0", "is out of range"},
      {"numerics", "3", ""},
      {"numerics", "4", "is out of range"},
      {"in", "{}", "is not a list"},
      {"in", repeated("null", RAYO_MAX_OPERANDS), ""},
      {"in", repeated("null", RAYO_MAX_OPERANDS + 1), "has too many operands"},
      {"out", repeated("null", RAYO_MAX_OPERANDS + 1), "has too many operands"},
      {"in", "[[]]", "is too short"},
      {"in", R"([["f99",[2],[1]]])", "names no type"},
      {"in", R"([["f32",[2]]])", "is too short"},
      {"in", R"([["f32",[2],[1,1]]])", "has no legal rank"},
      {"in", "[[\"f32\"," + repeated("1", RAYO_MAX_NDIM) + "," + repeated("1", RAYO_MAX_NDIM) + "]]", ""},
      {"in", "[[\"f32\"," + repeated("1", RAYO_MAX_NDIM + 1) + "," + repeated("1", RAYO_MAX_NDIM + 1) + "]]",
       "has no legal rank"},
      {"in", R"([["f32",[2.5],[1]]])", "is not a whole number of 64 bits"},
      {"in", R"([["f32",[-1],[1]]])", "extent -1 of axis 0 is negative"},
      {"in", R"([["f32",[2],[9223372036854775807]]])", "does not fit 2^63 bytes"},
      {"attrs", R"([["a","ints",[1]],["b","floats",[0]],["c","text",""]])", ""},
      {"attrs", R"([["a","ints"]])", "is too short"},
      {"attrs", R"([["a","ints",1]])", "is not a list"},
      {"attrs", R"([["a","ints",["1"]]])", "is not a whole number of 64 bits"},
      {"attrs", R"([["a","floats",[-1]]])", "is not a whole number from 0 up"},
      {"attrs", R"([["a","text",[1]]])", "is not a text"},
      {"attrs", R"([["a","numbers",[1]]])", "names no kind of values"},
      {"attrs", repeated(R"(["a","text",""])", 64), ""},
      {"attrs", repeated(R"(["a","text",""])", 65), "has too many attributes"},
      {"attrs", "[[\"a\",\"ints\"," + repeated("1", 4096) + "]]", ""},
      {"attrs", "[[\"a\",\"ints\"," + repeated("1", 4097) + "]]", "has too many values"},
  };
  for (const Wrong &wrong : wrongs) {
    const std::string text = refusal(with(wrong.member, wrong.value));
    if (*wrong.text == '\0') {
      EXPECT_EQ(text, "") << wrong.member << " " << wrong.value.substr(0, 60);
    } else {
      EXPECT_NE(text.find(wrong.text), std::string::npos) << wrong.value.substr(0, 60) << ": '" << text << "'";
    }
  }
}

TEST_F(CallLine, EveryTruncationIsRefused) {
  const std::string line = with("", "");
  ASSERT_EQ(refusal(line), "");
  for (size_t length = 0; length < line.size(); ++length) EXPECT_NE(refusal(line.substr(0, length)), "") << length;
  EXPECT_NE(refusal(line + line), "");
}

}  // namespace
}  // namespace rayo
