// SPDX-License-Identifier: Apache-2.0
//
// Calls, plans and explain through the C API: results, broadcasting, strides, in-place, rebinding.
#include <thread>

#include "fixture.hpp"

namespace rayo_test {
namespace {

class CApi : public ScalarRuntime {};

TEST_F(CApi, BroadcastsRowsAgainstColumns) {
  float a[3] = {1, 2, 3};
  float b[2] = {10, 20};
  float y[6] = {};
  const View column(a, {3, 1});
  const View row(b, {2});
  const View out(y, {3, 2});
  ASSERT_EQ(run(runtime_, "add", {&column, &row}, {&out}), RAYO_OK) << last_error();
  const float expected[6] = {11, 21, 12, 22, 13, 23};
  for (int i = 0; i < 6; ++i) EXPECT_EQ(y[i], expected[i]) << i;
}

TEST_F(CApi, ReadsAndWritesNegativeAndPermutedStrides) {
  float x[6] = {1, 2, 3, 4, 5, 6};
  float y[6] = {};
  const View reversed(x + 5, {2, 3}, {-3, -1});
  const View columns(y, {2, 3}, {1, 2});
  ASSERT_EQ(run(runtime_, "neg", {&reversed}, {&columns}), RAYO_OK) << last_error();
  const float expected[6] = {-6, -3, -5, -2, -4, -1};
  for (int i = 0; i < 6; ++i) EXPECT_EQ(y[i], expected[i]) << i;
}

TEST_F(CApi, WorksInPlaceWhereTheOpAllowsIt) {
  float x[5] = {-1, 2, -3, 4, -5};
  const View view(x, {5});
  ASSERT_EQ(run(runtime_, "relu", {&view}, {&view}), RAYO_OK) << last_error();
  EXPECT_EQ(x[0], 0.0F);
  EXPECT_EQ(x[3], 4.0F);
}

TEST_F(CApi, RefusesPartialOverlapAndTouchesNothing) {
  float x[6] = {1, 2, 3, 4, 5, 6};
  const View in(x, {5});
  const View out(x + 1, {5});
  EXPECT_EQ(run(runtime_, "neg", {&in}, {&out}), RAYO_INVALID_ARGUMENT);
  EXPECT_NE(last_error().find("overlaps"), std::string::npos) << last_error();
  for (int i = 0; i < 6; ++i) EXPECT_EQ(x[i], static_cast<float>(i + 1));
}

TEST_F(CApi, TakesInterleavedOperandsThatShareNoByte) {
  float x[8] = {1, 0, 2, 0, 3, 0, 4, 0};
  const View even(x, {4}, {2});
  const View odd(x + 1, {4}, {2});
  ASSERT_EQ(run(runtime_, "neg", {&even}, {&odd}), RAYO_OK) << last_error();
  EXPECT_EQ(x[7], -4.0F);
  EXPECT_EQ(x[6], 4.0F);
}

TEST_F(CApi, SeesEmptyAndRankZeroTensors) {
  float one = 4;
  float root = 0;
  const View scalar(&one, {});
  const View out(&root, {});
  ASSERT_EQ(run(runtime_, "sqrt", {&scalar}, {&out}), RAYO_OK) << last_error();
  EXPECT_EQ(root, 2.0F);
  const View nothing(nullptr, {0, 3});
  ASSERT_EQ(run(runtime_, "add", {&nothing, &scalar}, {&nothing}), RAYO_OK) << last_error();
  ASSERT_EQ(run(runtime_, "softmax", {&scalar}, {&out}), RAYO_OK) << last_error();
  EXPECT_EQ(root, 1.0F);
}

TEST_F(CApi, InfersShapes) {
  const View a(nullptr, {4, 1, 2, 3});
  const View b(nullptr, {5, 3, 7});
  const rayo_tensor *in[] = {&a.tensor, &b.tensor};
  rayo_shape shape;
  uint32_t count = 0;
  ASSERT_EQ(rayo_infer_shapes(runtime_, rayo_op_find("matmul"), in, 2, nullptr, &shape, 1, &count), RAYO_OK)
      << last_error();
  ASSERT_EQ(count, 1u);
  ASSERT_EQ(shape.ndim, 4);
  const int64_t expected[] = {4, 5, 2, 7};
  for (int i = 0; i < 4; ++i) EXPECT_EQ(shape.extents[i], expected[i]);
}

TEST_F(CApi, RepeatedCallsWithOtherAttributesAreNotConfused) {
  float x[4] = {1, 2, 3, 4};
  float y[4] = {};
  const View in(x, {2, 2});
  const View out(y, {2, 1});
  const View out_first(y, {1, 2});
  for (int round = 0; round < 3; ++round) {
    const int64_t last = 1;
    const int64_t first = 0;
    const rayo_attr along_last[] = {rayo_attr_ints("axes", &last, 1), RAYO_ATTR_END};
    const rayo_attr along_first[] = {rayo_attr_ints("axes", &first, 1), RAYO_ATTR_END};
    ASSERT_EQ(run(runtime_, "reduce_sum", {&in}, {&out}, along_last), RAYO_OK) << last_error();
    EXPECT_EQ(y[0], 3.0F);
    EXPECT_EQ(y[1], 7.0F);
    ASSERT_EQ(run(runtime_, "reduce_sum", {&in}, {&out_first}, along_first), RAYO_OK) << last_error();
    EXPECT_EQ(y[0], 4.0F);
    EXPECT_EQ(y[1], 6.0F);
  }
}

TEST_F(CApi, PlansRunFromManyThreadsAndRefuseOtherLayouts) {
  std::vector<float> x(1000, 2.0F);
  std::vector<float> y(1000);
  const View in(x.data(), {1000});
  const View out(y.data(), {1000});
  const rayo_tensor *inputs[] = {&in.tensor};
  const rayo_tensor *outputs[] = {&out.tensor};
  rayo_call_desc desc = RAYO_CALL_DESC_INIT;
  desc.op = rayo_op_find("sqrt");
  desc.inputs = inputs;
  desc.input_count = 1;
  desc.outputs = outputs;
  desc.output_count = 1;
  rayo_plan *plan = nullptr;
  ASSERT_EQ(rayo_plan_create(runtime_, &desc, &plan), RAYO_OK) << last_error();
  std::vector<std::thread> threads;
  std::vector<int> failures(4, 0);
  for (size_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      std::vector<float> mine(1000);
      const View result(mine.data(), {1000});
      const rayo_tensor *results[] = {&result.tensor};
      for (int round = 0; round < 200; ++round) {
        if (rayo_plan_run(plan, inputs, results) != RAYO_OK || mine[999] != 1.41421354F) ++failures[t];
      }
    });
  }
  for (std::thread &thread : threads) thread.join();
  EXPECT_EQ(failures, std::vector<int>(4, 0));
  const View shorter(x.data(), {999});
  const rayo_tensor *other[] = {&shorter.tensor};
  EXPECT_EQ(rayo_plan_run(plan, other, outputs), RAYO_PRECONDITION);
  rayo_plan_destroy(plan);
}

TEST_F(CApi, APlanOutlivesItsRuntimeOnlyToSaySo) {
  float x = 4;
  float y = 0;
  const View in(&x, {1});
  const View out(&y, {1});
  const rayo_tensor *inputs[] = {&in.tensor};
  const rayo_tensor *outputs[] = {&out.tensor};
  rayo_call_desc desc = RAYO_CALL_DESC_INIT;
  desc.op = rayo_op_find("sqrt");
  desc.inputs = inputs;
  desc.input_count = 1;
  rayo_plan *plan = nullptr;
  ASSERT_EQ(rayo_plan_create(runtime_, &desc, &plan), RAYO_OK) << last_error();
  rayo_runtime_destroy(runtime_);
  runtime_ = nullptr;
  EXPECT_EQ(rayo_plan_run(plan, inputs, outputs), RAYO_PRECONDITION);
  rayo_plan_destroy(plan);
}

TEST_F(CApi, ExplainNamesTheChosenKernel) {
  const View a(nullptr, {64, 64});
  const rayo_tensor *inputs[] = {&a.tensor, &a.tensor};
  rayo_call_desc desc = RAYO_CALL_DESC_INIT;
  desc.op = rayo_op_find("matmul");
  desc.inputs = inputs;
  desc.input_count = 2;
  rayo_explanation *explanation = nullptr;
  ASSERT_EQ(rayo_explain(runtime_, &desc, &explanation), RAYO_OK) << last_error();
  const int32_t chosen = rayo_explanation_chosen(explanation);
  ASSERT_GE(chosen, 0);
  rayo_candidate candidate{};
  candidate.struct_size = sizeof candidate;
  candidate.struct_type = RAYO_TYPE_CANDIDATE;
  ASSERT_EQ(rayo_explanation_get(explanation, static_cast<uint32_t>(chosen), &candidate), RAYO_OK);
  EXPECT_STREQ(candidate.device, "scalar");
  EXPECT_EQ(candidate.state, RAYO_CANDIDATE_CHOSEN);
  EXPECT_NE(std::string(candidate.reason), "");
  EXPECT_STREQ(rayo_explanation_level(explanation), "static");
  rayo_explanation_destroy(explanation);
}

void serial_for(void *self, uint64_t tasks, uint32_t, rayo_task_fn fn, void *ctx) {
  *static_cast<uint64_t *>(self) += tasks;
  for (uint64_t task = tasks; task-- > 0;) fn(ctx, task, 0);
}

TEST_F(CApi, UsesTheApplicationsExecutor) {
  uint64_t tasks = 0;
  rayo_executor executor{sizeof(rayo_executor), RAYO_TYPE_EXECUTOR, nullptr, &tasks, serial_for};
  ASSERT_EQ(rayo_runtime_set_threads(runtime_, 4), RAYO_OK) << last_error();
  ASSERT_EQ(rayo_set_executor(runtime_, &executor), RAYO_OK) << last_error();
  const int64_t n = 1 << 22;
  std::vector<float> x(static_cast<size_t>(n), 0.5F);
  std::vector<float> y(x.size());
  ASSERT_EQ(rayo_exp_f32(runtime_, n, x.data(), y.data()), RAYO_OK) << last_error();
  EXPECT_GT(tasks, 1u);
  for (const float value : y) ASSERT_EQ(value, y[0]);
  ASSERT_EQ(rayo_set_executor(runtime_, nullptr), RAYO_OK) << last_error();
  ASSERT_EQ(rayo_exp_f32(runtime_, n, x.data(), y.data()), RAYO_OK) << last_error();
}

// An application's pool may run other work while a call of ours waits in it, and that work may call us.
struct Nesting {
  rayo_runtime *runtime = nullptr;
  int depth = 0;
  int nested = 0;
};

void nesting_for(void *self, uint64_t tasks, uint32_t, rayo_task_fn fn, void *ctx) {
  auto &state = *static_cast<Nesting *>(self);
  for (uint64_t task = 0; task < tasks; ++task) {
    if (state.depth == 0) {
      ++state.depth;
      // Many shapes: some fall on whatever memory of the thread's the outer call is using.
      for (int64_t n = 1; n <= 64; ++n) {
        std::vector<float> x(static_cast<size_t>(n), 1.0F);
        std::vector<float> y(x.size());
        state.nested += rayo_exp_f32(state.runtime, n, x.data(), y.data()) == RAYO_OK && y[0] > 2.7F && y[0] < 2.8F;
      }
      --state.depth;
    }
    fn(ctx, task, 0);
  }
}

TEST_F(CApi, CallsMayNestInTheApplicationsExecutor) {
  Nesting nesting{runtime_};
  rayo_executor executor{sizeof(rayo_executor), RAYO_TYPE_EXECUTOR, nullptr, &nesting, nesting_for};
  ASSERT_EQ(rayo_runtime_set_threads(runtime_, 4), RAYO_OK) << last_error();
  ASSERT_EQ(rayo_set_executor(runtime_, &executor), RAYO_OK) << last_error();
  const int64_t n = 1 << 22;
  std::vector<float> x(static_cast<size_t>(n), 1.0F);
  std::vector<float> y(x.size());
  for (int repeat = 0; repeat < 2; ++repeat) {  // bound anew, then known
    nesting.nested = 0;
    ASSERT_EQ(rayo_exp_f32(runtime_, n, x.data(), y.data()), RAYO_OK) << last_error();
    EXPECT_GE(nesting.nested, 64);
    EXPECT_EQ(nesting.nested % 64, 0);
    for (const float value : y) ASSERT_EQ(value, y[0]);
  }
}

}  // namespace
}  // namespace rayo_test
