// SPDX-License-Identifier: Apache-2.0
//
// What a caller can do wrong at the C API: each answered by a status and a text that names the thing and the value.
#include "fixture.hpp"

namespace rayo_test {
namespace {

class Misuse : public ScalarRuntime {
 protected:
  // The last error holds every one of these.
  void expect_text(std::initializer_list<const char *> parts) {
    const std::string text = last_error();
    for (const char *part : parts) EXPECT_NE(text.find(part), std::string::npos) << "'" << part << "' in: " << text;
  }
};

TEST_F(Misuse, NullRuntimeAndNullOperands) {
  float x = 1;
  EXPECT_EQ(rayo_exp_f32(nullptr, 1, &x, &x), RAYO_INVALID_ARGUMENT);
  expect_text({"runtime is NULL"});
  const View view(&x, {1});
  EXPECT_EQ(run(runtime_, "add", {&view, nullptr}, {&view}), RAYO_INVALID_ARGUMENT);
  expect_text({"add", "input B", "NULL"});
  EXPECT_EQ(run(runtime_, "neg", {&view}, {nullptr}), RAYO_INVALID_ARGUMENT);
  expect_text({"neg", "output Y"});
  EXPECT_EQ(rayo_run(runtime_, rayo_op_find("neg"), nullptr, 1, nullptr, 1, nullptr), RAYO_INVALID_ARGUMENT);
  const rayo_tensor *in[] = {&view.tensor};
  EXPECT_EQ(rayo_run(runtime_, rayo_op_find("neg"), in, 1, nullptr, 1, nullptr), RAYO_INVALID_ARGUMENT);
  EXPECT_EQ(rayo_run(runtime_, rayo_op_find("neg"), in, 1, nullptr, 0, nullptr), RAYO_INVALID_ARGUMENT);
  EXPECT_EQ(rayo_exp_f32(runtime_, 4, nullptr, nullptr), RAYO_INVALID_ARGUMENT);
  expect_text({"exp", "NULL"});
  EXPECT_EQ(rayo_plan_create(runtime_, nullptr, nullptr), RAYO_INVALID_ARGUMENT);
  EXPECT_EQ(rayo_plan_run(nullptr, nullptr, nullptr), RAYO_INVALID_ARGUMENT);
  EXPECT_EQ(rayo_explain(runtime_, nullptr, nullptr), RAYO_INVALID_ARGUMENT);
}

TEST_F(Misuse, UnknownOpAndAttribute) {
  float x[2] = {1, 2};
  const View view(x, {2});
  EXPECT_EQ(rayo_op_find("sofmax"), RAYO_OP_NONE);
  EXPECT_EQ(run(runtime_, "sofmax", {&view}, {&view}), RAYO_NOT_FOUND);
  expect_text({"unknown op"});
  const int64_t axis = 0;
  const rayo_attr unknown[] = {rayo_attr_ints("axix", &axis, 1), RAYO_ATTR_END};
  EXPECT_EQ(run(runtime_, "softmax", {&view}, {&view}, unknown), RAYO_INVALID_ARGUMENT);
  expect_text({"softmax", "'axix'", "axis"});
  const int64_t far = 5;
  const rayo_attr out_of_range[] = {rayo_attr_ints("axis", &far, 1), RAYO_ATTR_END};
  EXPECT_EQ(run(runtime_, "softmax", {&view}, {&view}, out_of_range), RAYO_INVALID_ARGUMENT);
  expect_text({"'axis'", "5", "-1 to 0"});
  const rayo_attr twice[] = {rayo_attr_ints("axis", &axis, 1), rayo_attr_ints("axis", &axis, 1), RAYO_ATTR_END};
  EXPECT_EQ(run(runtime_, "softmax", {&view}, {&view}, twice), RAYO_INVALID_ARGUMENT);
  const double half = 0.5;
  const rayo_attr kind[] = {rayo_attr_floats("axis", &half, 1), RAYO_ATTR_END};
  EXPECT_EQ(run(runtime_, "softmax", {&view}, {&view}, kind), RAYO_INVALID_ARGUMENT);
  expect_text({"float", "int"});
  const rayo_attr text[] = {{"approximate", RAYO_ATTR_STRING, 4, "fast"}, RAYO_ATTR_END};
  EXPECT_EQ(run(runtime_, "gelu", {&view}, {&view}, text), RAYO_INVALID_ARGUMENT);
  expect_text({"'fast'", "none|tanh"});
}

TEST_F(Misuse, ShapesAndTypes) {
  float x[6] = {};
  float y[6] = {};
  const View three(x, {3});
  const View two(x, {2});
  const View out(y, {3});
  EXPECT_EQ(run(runtime_, "add", {&three, &two}, {&out}), RAYO_INVALID_ARGUMENT);
  expect_text({"[3]", "[2]", "broadcast"});
  const View small(y, {2});
  EXPECT_EQ(run(runtime_, "neg", {&three}, {&small}), RAYO_INVALID_ARGUMENT);
  expect_text({"[2]", "expected [3]"});
  const View integers(x, {3}, {}, RAYO_I32);
  EXPECT_EQ(run(runtime_, "neg", {&integers}, {&out}), RAYO_UNSUPPORTED);
  expect_text({"i32", "f32"});
  double wide[3] = {};
  const View doubles(wide, {3}, {}, RAYO_F64);
  EXPECT_EQ(run(runtime_, "add", {&three, &doubles}, {&out}), RAYO_INVALID_ARGUMENT);
  expect_text({"f64", "f32"});
  const View same_place(y, {3}, {0});
  EXPECT_EQ(run(runtime_, "neg", {&three}, {&same_place}), RAYO_INVALID_ARGUMENT);
  const View negative(x, {-1});
  EXPECT_EQ(run(runtime_, "neg", {&negative}, {&out}), RAYO_INVALID_ARGUMENT);
  const View vast(x, {INT64_MAX, INT64_MAX});
  EXPECT_EQ(run(runtime_, "neg", {&vast}, {&vast}), RAYO_INVALID_ARGUMENT);
  expect_text({"2^63"});
  const View far(x, {3}, {INT64_MIN});
  EXPECT_EQ(run(runtime_, "neg", {&far}, {&out}), RAYO_INVALID_ARGUMENT);
  const View deep(x, std::vector<int64_t>(17, 1));
  EXPECT_EQ(run(runtime_, "neg", {&deep}, {&deep}), RAYO_UNSUPPORTED);
  View elsewhere(x, {3});
  elsewhere.tensor.dl.device = {kDLCUDA, 0};
  EXPECT_EQ(run(runtime_, "neg", {&elsewhere}, {&out}), RAYO_UNSUPPORTED);
  View header(x, {3});
  header.tensor.struct_type = 0;
  EXPECT_EQ(run(runtime_, "neg", {&header}, {&out}), RAYO_INVALID_ARGUMENT);
  EXPECT_EQ(run(runtime_, "neg", {&three, &three}, {&out}), RAYO_INVALID_ARGUMENT);
  const int64_t perm[2] = {0, 0};
  const View matrix(x, {2, 3});
  const View turned(y, {3, 2});
  const rayo_attr bad_perm[] = {rayo_attr_ints("perm", perm, 2), RAYO_ATTR_END};
  EXPECT_EQ(run(runtime_, "transpose", {&matrix}, {&turned}, bad_perm), RAYO_INVALID_ARGUMENT);
  expect_text({"perm", "0, 0"});
  EXPECT_EQ(run(runtime_, "matmul", {&matrix, &matrix}, {&turned}), RAYO_INVALID_ARGUMENT);
  const View empty(nullptr, {0});
  int64_t index = 0;
  EXPECT_EQ(rayo_argmax_f32(runtime_, 0, x, &index), RAYO_INVALID_ARGUMENT);
}

TEST_F(Misuse, DevicesAndPolicies) {
  float x[3] = {1, 2, 3};
  float y[3] = {};
  const View in(x, {3});
  const View out(y, {3});
  const rayo_tensor *inputs[] = {&in.tensor};
  const rayo_tensor *outputs[] = {&out.tensor};
  rayo_run_options options = RAYO_RUN_OPTIONS_INIT;
  options.device = "avx9000";
  EXPECT_EQ(rayo_run_with(runtime_, rayo_op_find("neg"), inputs, 1, outputs, 1, nullptr, &options), RAYO_NOT_FOUND);
  expect_text({"avx9000", "scalar"});
  options.device = "scalar";
  options.numerics = 77;
  EXPECT_EQ(rayo_run_with(runtime_, rayo_op_find("neg"), inputs, 1, outputs, 1, nullptr, &options),
            RAYO_INVALID_ARGUMENT);
  options.numerics = RAYO_POLICY_REPRODUCIBLE;
  EXPECT_EQ(rayo_run_with(runtime_, rayo_op_find("neg"), inputs, 1, outputs, 1, nullptr, &options), RAYO_OK)
      << last_error();
  rayo_run_options wrong{};
  EXPECT_EQ(rayo_run_with(runtime_, rayo_op_find("neg"), inputs, 1, outputs, 1, nullptr, &wrong),
            RAYO_INVALID_ARGUMENT);
}

TEST_F(Misuse, LargerStructsFromANewerHeaderAreTaken) {
  struct Newer {
    rayo_run_options known;
    uint64_t more[4];
  };
  float x[3] = {1, 2, 3};
  const View in(x, {3});
  const rayo_tensor *operands[] = {&in.tensor};
  Newer newer{RAYO_RUN_OPTIONS_INIT, {1, 2, 3, 4}};
  newer.known.struct_size = sizeof newer;
  EXPECT_EQ(rayo_run_with(runtime_, rayo_op_find("neg"), operands, 1, operands, 1, nullptr, &newer.known), RAYO_OK)
      << last_error();
}

TEST_F(Misuse, ErrorTextIsCutToTheCallersBuffer) {
  EXPECT_EQ(rayo_exp_f32(nullptr, 1, nullptr, nullptr), RAYO_INVALID_ARGUMENT);
  char small[8];
  const size_t full = rayo_last_error(small, sizeof small);
  EXPECT_GT(full, sizeof small);
  EXPECT_EQ(std::string(small), last_error().substr(0, 7));
  EXPECT_EQ(rayo_last_error(nullptr, 0), full);
}

}  // namespace
}  // namespace rayo_test
