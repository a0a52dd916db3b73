// SPDX-License-Identifier: Apache-2.0
//
// The guard divergence with a budget judges pieces of a call. A piece of each op's result must be what scalar computes
// for that piece alone: else pieces would object to right results, and every check would cost a whole scalar run.
#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "../integration/fixture.hpp"

namespace {

using rayo_test::last_error;
using rayo_test::View;

constexpr DLDataType kI8 = RAYO_DTYPE(kDLInt, 8);
constexpr DLDataType kU8 = RAYO_DTYPE(kDLUInt, 8);
constexpr DLDataType kI32 = RAYO_DTYPE(kDLInt, 32);
constexpr DLDataType kI64 = RAYO_DTYPE(kDLInt, 64);

struct Operand {
  std::vector<int64_t> shape;
  DLDataType dtype = RAYO_F32;
  std::vector<int64_t> strides = {};
};

struct Case {
  const char *op;
  std::vector<Operand> inputs;
  Operand output;
  std::vector<rayo_attr> attrs = {};
};

const int64_t kZero = 0, kOne = 1, kPerm[] = {2, 0, 1}, kMiddle = 1;

// Each with more than one piece along the axis that is cut.
std::vector<Case> cases() {
  const auto integer = [](const char *name, const int64_t *value) { return rayo_attr{name, RAYO_ATTR_INT, 1, value}; };
  const auto integers = rayo_attr_ints;
  const Operand number{std::vector<int64_t>{}};
  return {
      {"add", {{{5000}}, {{5000}}}, {{5000}}},
      {"add", {{{40, 300}}, {{300}}}, {{40, 300}}},                      // B is read whole
      {"mul", {{{3, 1, 900}}, {{20, 1}}}, {{3, 20, 900}}},               // few rows: the longest axis is cut
      {"add", {{{64, 64}, RAYO_F32, {1, 64}}, {{64, 64}}}, {{64, 64}}},  // a transposed view
      {"clip", {{{2000}}, number, number}, {{2000}}},
      {"where", {{{2000}, kU8}, {{2000}}, {{1}}}, {{2000}}},
      {"tanh", {{{33, 77}}}, {{33, 77}}},
      {"softmax", {{{50, 60}}}, {{50, 60}}},
      {"softmax", {{{20, 700}}}, {{20, 700}}, {integer("axis", &kZero)}},  // cut along the columns
      {"layer_norm", {{{30, 4, 50}}, {{50}}, {{50}}}, {{30, 4, 50}}},
      {"rms_norm", {{{30, 4, 50}}, {{4, 50}}}, {{30, 4, 50}}, {integer("axis", &kMiddle)}},
      {"reduce_sum", {{{40, 100}}}, {{40, 1}}, {integers("axes", &kOne, 1)}},
      {"reduce_max", {{{30, 40, 20}}}, {{30, 20}}, {integers("axes", &kOne, 1), integer("keepdims", &kZero)}},
      {"reduce_mean", {{{100, 40}}}, {{40}}, {integers("axes", &kZero, 1), integer("keepdims", &kZero)}},
      {"argmax", {{{40, 100}}}, {{40, 1}, kI64}, {integer("axis", &kOne)}},
      {"matmul", {{{40, 30}}, {{30, 20}}}, {{40, 20}}},
      {"matmul", {{{3, 50}}, {{50, 90}}}, {{3, 90}}},  // cut along the columns
      {"matmul", {{{40, 30}}, {{30}}}, {{40}}},        // matrix times vector
      {"matmul", {{{30}}, {{30, 40}}}, {{40}}},
      {"matmul", {{{20, 1, 8, 30}}, {{2, 30, 9}}}, {{20, 2, 8, 9}}},  // batches, broadcast
      {"gemm", {{{40, 30}}, {{30, 20}}, {{20}}}, {{40, 20}}},
      {"gemm", {{{30, 40}}, {{20, 30}}, {{40, 1}}}, {{40, 20}}, {integer("transA", &kOne), integer("transB", &kOne)}},
      {"gemm", {{{3, 30}}, {{90, 30}}}, {{3, 90}}, {integer("transB", &kOne)}},
      {"transpose", {{{8, 50, 30}}}, {{30, 8, 50}}, {integers("perm", kPerm, 3)}},
      {"matmul_integer", {{{40, 30}, kU8}, {{30, 20}, kI8}, {{40}, kU8}, {{20}, kI8}}, {{40, 20}, kI32}},
      {"matmul_integer", {{{3, 30}, kU8}, {{30, 90}, kI8}, {{3}, kU8}, {{90}, kI8}}, {{3, 90}, kI32}},
      {"quantize_linear", {{{40, 50}}, {{40}}, {{40}, kU8}}, {{40, 50}, kU8}, {integer("axis", &kZero)}},
      {"quantize_linear", {{{40, 50}}, {{50}}, {{50}, kU8}}, {{40, 50}, kU8}, {integer("axis", &kOne)}},
      {"dequantize_linear", {{{40, 50}, kI8}, number}, {{40, 50}}},
      {"cast", {{{3000}}}, {{3000}}},
  };
}

int64_t count_of(const Operand &operand) {
  int64_t count = 1;
  for (const int64_t extent : operand.shape) count *= extent;
  return count;
}

std::vector<char> random_bytes(const Operand &operand, uint32_t *state) {
  const size_t item = operand.dtype.bits / 8;
  std::vector<char> bytes(static_cast<size_t>(count_of(operand)) * item);
  for (size_t at = 0; at < bytes.size(); at += item) {
    *state = *state * 1664525u + 1013904223u;
    const float value = static_cast<float>(*state >> 8) * 0x1p-23f + 0.25f;  // [0.25, 2.25)
    const auto byte = static_cast<uint8_t>(*state >> 24);
    if (item == 1) bytes[at] = static_cast<char>(byte);
    if (item == 4) std::memcpy(&bytes[at], &value, 4);
  }
  return bytes;
}

// Plans of their own: the first call of a plan is judged, and there is time for one piece, from a random place.
TEST(Pieces, OfRightResultsAreRightForEveryOp) {
  const char *files[] = {RAYO_AVX2_PLUGIN, RAYO_SCALAR_PLUGIN};
  rayo_runtime_options options = RAYO_RUNTIME_OPTIONS_INIT;
  options.flags = RAYO_RUNTIME_NO_ENVIRONMENT | RAYO_RUNTIME_ONLY_FILES | RAYO_RUNTIME_METRICS;
  options.plugin_files = files;
  options.plugin_file_count = 2;
  options.device = "avx2";
  options.verify = "divergence,budget=0.0001%";
  uint32_t state = 1;
  for (const Case &each : cases()) {
    rayo_runtime *runtime = nullptr;
    if (rayo_runtime_create(&options, &runtime) != RAYO_OK) {
      ASSERT_NE(last_error().find("avx2"), std::string::npos) << last_error();
      GTEST_SKIP() << last_error();
    }
    std::vector<std::vector<char>> data;
    std::vector<std::unique_ptr<View>> views;
    std::vector<const rayo_tensor *> in;
    for (const Operand &operand : each.inputs) {
      data.push_back(random_bytes(operand, &state));
      views.push_back(std::make_unique<View>(data.back().data(), operand.shape, operand.strides, operand.dtype));
      in.push_back(&views.back()->tensor);
    }
    std::vector<char> result(static_cast<size_t>(count_of(each.output)) * 8);
    const View output(result.data(), each.output.shape, {}, each.output.dtype);
    const rayo_tensor *out[] = {&output.tensor};
    std::vector<rayo_attr> attrs = each.attrs;
    attrs.push_back(RAYO_ATTR_END);
    rayo_call_desc desc = RAYO_CALL_DESC_INIT;
    desc.op = rayo_op_find(each.op);
    desc.inputs = in.data();
    desc.input_count = static_cast<uint32_t>(in.size());
    desc.attrs = attrs.data();
    constexpr int kPlans = 24;
    for (int plan_number = 0; plan_number < kPlans; ++plan_number) {
      rayo_plan *plan = nullptr;
      ASSERT_EQ(rayo_plan_create(runtime, &desc, &plan), RAYO_OK) << each.op << ": " << last_error();
      EXPECT_EQ(rayo_plan_run(plan, in.data(), out), RAYO_OK) << each.op << ": " << last_error();
      rayo_plan_destroy(plan);
    }
    std::string metrics(rayo_metrics_text(runtime, nullptr, 0), '\0');
    rayo_metrics_text(runtime, metrics.data(), metrics.size() + 1);
    // A piece that objected would have had the whole call judged, which does not count as a part.
    const std::string wanted = "rayo_guard_partial_total{guard=\"divergence\",op=\"" + std::string(each.op) +
                               "\",device=\"avx2\"} " + std::to_string(kPlans) + "\n";
    EXPECT_NE(metrics.find(wanted), std::string::npos) << wanted << metrics;
    rayo_runtime_destroy(runtime);
  }
}

}  // namespace
