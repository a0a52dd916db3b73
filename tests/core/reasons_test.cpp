// SPDX-License-Identifier: Apache-2.0
//
// Why a kernel was not chosen: rayo_explain has a text for each reason there is.
#include <map>
#include <string>

#include "api_helpers.hpp"

namespace {

using rayo_test::last_error;
using rayo_test::make_runtime;
using rayo_test::quiet_options;
using rayo_test::RuntimePtr;

struct Explained {
  std::string reason;
  uint32_t state = 0;
};

class Reasons : public testing::Test {
 protected:
  void SetUp() override {
    rayo_runtime_options options = quiet_options();
    options.flags |= RAYO_RUNTIME_ONLY_FILES | RAYO_RUNTIME_TRUST_FILES;
    const std::string file = std::string(RAYO_FIXTURE_DIR) + "/declining.so";
    const char *files[] = {file.c_str()};
    options.plugin_files = files;
    options.plugin_file_count = 1;
    runtime_ = make_runtime(options);
    ASSERT_NE(runtime_, nullptr);
  }

  // Each kernel's answer to neg of f32 with this shape and these strides, by the kernel's name.
  std::map<std::string, Explained> explain(const std::vector<int64_t> &shape, const int64_t *strides, bool in_place,
                                           uint32_t policy) {
    rayo_tensor in = rayo_tensor_make(data_, RAYO_F32, static_cast<int32_t>(shape.size()), shape.data(), strides);
    rayo_tensor out = rayo_tensor_make(in_place ? data_ : data_ + 8, RAYO_F32, in.dl.ndim, shape.data(), strides);
    const rayo_tensor *ins[] = {&in};
    const rayo_tensor *outs[] = {&out};
    rayo_call_desc desc = RAYO_CALL_DESC_INIT;
    desc.op = rayo_op_find("neg");
    desc.inputs = ins;
    desc.input_count = 1;
    desc.outputs = outs;
    desc.output_count = 1;
    rayo_run_options options = RAYO_RUN_OPTIONS_INIT;
    options.numerics = policy;
    desc.options = &options;
    std::map<std::string, Explained> all;
    rayo_explanation *explanation = nullptr;
    EXPECT_EQ(rayo_explain(runtime_.get(), &desc, &explanation), RAYO_OK) << last_error();
    for (uint32_t i = 0; i < rayo_explanation_count(explanation); ++i) {
      rayo_candidate candidate{};
      candidate.struct_size = sizeof candidate;
      candidate.struct_type = RAYO_TYPE_CANDIDATE;
      EXPECT_EQ(rayo_explanation_get(explanation, i, &candidate), RAYO_OK) << last_error();
      all[candidate.kernel] = {candidate.reason, candidate.state};
    }
    rayo_explanation_destroy(explanation);
    return all;
  }

  float data_[16] = {};
  RuntimePtr runtime_{nullptr, &rayo_runtime_destroy};
};

TEST_F(Reasons, OfItsOwnAndOfItsFields) {
  const auto all = explain({2}, nullptr, false, RAYO_POLICY_RELAXED);
  const std::pair<const char *, const char *> expected[] = {
      {"reason_1", "does not take these types"},          {"reason_2", "does not take this rank"},
      {"reason_3", "does not take these strides"},        {"reason_4", "does not take these attributes"},
      {"reason_5", "does not take these shapes"},         {"reason_6", "does not take this size"},
      {"reason_7", "needs a CPU feature that is absent"}, {"reason_8", "exceeds a limit of the device"},
      {"reason_9", "cannot keep the numerics asked for"}, {"reason_10", "supports another version of the op"},
      {"reason_11", "declined the call (reason 11)"},     {"schema", "supports schema versions 8 to 9, the op has 1"},
      {"dtype", "does not take T = f32 (takes T=f64)"},   {"alignment", "needs addresses aligned to 1073741824 bytes"}};
  for (const auto &[kernel, reason] : expected) {
    ASSERT_TRUE(all.contains(kernel)) << kernel;
    EXPECT_EQ(all.at(kernel).reason, reason) << kernel;
    EXPECT_EQ(all.at(kernel).state, RAYO_CANDIDATE_UNSUPPORTED) << kernel;
  }
}

TEST_F(Reasons, OfItsPrepare) {
  const auto all = explain({3}, nullptr, false, RAYO_POLICY_RELAXED);
  EXPECT_EQ(all.at("when_prepared").reason, "declines when it is prepared");
  EXPECT_EQ(all.at("when_prepared").state, RAYO_CANDIDATE_UNSUPPORTED);
  EXPECT_EQ(all.at("silently").reason, "RAYO_UNSUPPORTED");
  EXPECT_EQ(all.at("relaxed").state, RAYO_CANDIDATE_CHOSEN);
  EXPECT_FALSE(all.contains("reason_1")) << "another kernel of the plugin takes the call";
}

TEST_F(Reasons, OfTheCallsLayout) {
  const int64_t strides[] = {1, 2};
  EXPECT_EQ(explain({2, 2}, nullptr, false, RAYO_POLICY_RELAXED).at("rank").reason,
            "takes ranks up to 1, this call has 2");
  EXPECT_EQ(explain({2, 2}, strides, false, RAYO_POLICY_RELAXED).at("relaxed").reason, "takes compact operands only");
  EXPECT_EQ(explain({2}, nullptr, true, RAYO_POLICY_RELAXED).at("relaxed").reason, "does not work in place");
}

TEST_F(Reasons, OfTheCallersPolicy) {
  const Explained accurate = explain({3}, nullptr, false, RAYO_POLICY_ACCURATE).at("relaxed");
  EXPECT_EQ(accurate.reason, "numerics class relaxed is outside policy accurate");
  EXPECT_EQ(accurate.state, RAYO_CANDIDATE_MASKED);
  const auto reproducible = explain({3}, nullptr, false, RAYO_POLICY_REPRODUCIBLE);
  EXPECT_EQ(reproducible.at("relaxed").reason, "numerics class relaxed is outside policy reproducible");
  EXPECT_EQ(reproducible.at("when_prepared").reason, "numerics class strict is outside policy reproducible");
}

TEST_F(Reasons, WhatDeclinesWhenPreparedIsPassedOver) {
  float x[3] = {1, 2, 3};
  float y[3] = {};
  const int64_t shape[] = {3};
  const rayo_tensor in = rayo_tensor_make(x, RAYO_F32, 1, shape, nullptr);
  const rayo_tensor out = rayo_tensor_make(y, RAYO_F32, 1, shape, nullptr);
  const rayo_tensor *ins[] = {&in};
  const rayo_tensor *outs[] = {&out};
  rayo_run_options options = RAYO_RUN_OPTIONS_INIT;
  options.numerics = RAYO_POLICY_RELAXED;
  EXPECT_EQ(rayo_run_with(runtime_.get(), rayo_op_find("neg"), ins, 1, outs, 1, nullptr, &options), RAYO_OK)
      << last_error();
  EXPECT_EQ(y[1], 2.0f) << "by the kernel that copies";
  options.numerics = RAYO_POLICY_ACCURATE;
  EXPECT_EQ(rayo_run_with(runtime_.get(), rayo_op_find("neg"), ins, 1, outs, 1, nullptr, &options), RAYO_UNSUPPORTED);
  EXPECT_NE(last_error().find("neg"), std::string::npos) << last_error();
}

TEST_F(Reasons, HandlesAreChecked) {
  EXPECT_EQ(rayo_explanation_count(nullptr), 0u);
  EXPECT_EQ(rayo_explanation_chosen(nullptr), -1);
  EXPECT_STREQ(rayo_explanation_level(nullptr), "");
  rayo_candidate candidate{};
  candidate.struct_size = sizeof candidate;
  candidate.struct_type = RAYO_TYPE_CANDIDATE;
  EXPECT_EQ(rayo_explanation_get(nullptr, 0, &candidate), RAYO_INVALID_ARGUMENT);
  rayo_explanation_destroy(nullptr);
}

}  // namespace
