// SPDX-License-Identifier: Apache-2.0
//
// Where calls run: by residency, by name, by preference; and what a fallback leaves behind.
#include "device_fixture.hpp"

namespace rayo_test {
namespace {

class Residency : public DeviceTest {
 protected:
  std::string chosen_device(const rayo_tensor &a, const rayo_tensor &y, const char *device) {
    const rayo_tensor *in[] = {&a, &a};
    const rayo_tensor *out[] = {&y};
    rayo_run_options options = RAYO_RUN_OPTIONS_INIT;
    options.device = device;
    rayo_call_desc desc = RAYO_CALL_DESC_INIT;
    desc.op = add_;
    desc.inputs = in;
    desc.input_count = 2;
    desc.outputs = out;
    desc.output_count = 1;
    desc.options = &options;
    rayo_explanation *explanation = nullptr;
    EXPECT_EQ(rayo_explain(runtime_.get(), &desc, &explanation), RAYO_OK) << last_error();
    rayo_candidate candidate{};
    candidate.struct_size = sizeof candidate;
    candidate.struct_type = RAYO_TYPE_CANDIDATE;
    std::string name = "nobody";
    const int32_t chosen = rayo_explanation_chosen(explanation);
    if (chosen >= 0 && rayo_explanation_get(explanation, static_cast<uint32_t>(chosen), &candidate) == RAYO_OK) {
      name = candidate.device;
      reason_ = candidate.reason;
    }
    for (uint32_t i = 0; i < rayo_explanation_count(explanation); ++i) {
      if (rayo_explanation_get(explanation, i, &candidate) == RAYO_OK && std::string(candidate.device) == "mock0") {
        mock_reason_ = candidate.reason;
      }
    }
    rayo_explanation_destroy(explanation);
    return name;
  }

  const std::vector<int64_t> shape_{4};
  const std::vector<float> host_{1, 2, 3, 4};
  std::vector<float> result_ = std::vector<float>(4, -1.0F);
  std::string reason_;
  std::string mock_reason_;
};

TEST_F(Residency, HostTensorsStayOnTheHostUnderAutoAndOpenNoDevice) {
  const rayo_tensor x = on_host(host_.data(), shape_);
  const rayo_tensor y = on_host(result_.data(), shape_);
  ASSERT_EQ(add(x, x, y), RAYO_OK) << last_error();
  EXPECT_EQ(result_, (std::vector<float>{2, 4, 6, 8}));
  EXPECT_EQ(mock_switches().alive(), 0u) << "a call on host memory opened the device";
  EXPECT_EQ(chosen_device(x, y, "auto"), "scalar");
}

TEST_F(Residency, NamedDeviceRunsHostTensors) {
  const rayo_tensor x = on_host(host_.data(), shape_);
  const rayo_tensor y = on_host(result_.data(), shape_);
  for (const char *name : {"mock0", "mock", "mock0,auto"}) {
    std::fill(result_.begin(), result_.end(), -1.0F);
    mock_switches().arm(-1, RAYO_OK);
    ASSERT_EQ(add(x, x, y, name), RAYO_OK) << name << ": " << last_error();
    EXPECT_EQ(result_, (std::vector<float>{2, 4, 6, 8})) << name;
    EXPECT_GT(mock_switches().steps(), 0u) << name << ": it ran elsewhere";
    EXPECT_EQ(chosen_device(x, y, name), "mock0");
  }
  EXPECT_TRUE(fallbacks().empty());
}

TEST_F(Residency, TensorsOnADeviceRunThereUnderAuto) {
  const BufferPtr x = filled(find(), host_);
  const BufferPtr y = buffer(find(), 4);
  const rayo_tensor tx = on_device(x.get(), shape_);
  const rayo_tensor ty = on_device(y.get(), shape_);
  ASSERT_EQ(add(tx, tx, ty), RAYO_OK) << last_error();
  EXPECT_EQ(content(y.get(), 4), (std::vector<float>{2, 4, 6, 8}));
  EXPECT_EQ(chosen_device(tx, ty, "auto"), "mock0");
  EXPECT_NE(reason_.find("live on mock0"), std::string::npos) << reason_;
  EXPECT_TRUE(fallbacks().empty());
}

TEST_F(Residency, HostTensorsTravelWithThoseOnTheDevice) {
  const BufferPtr x = filled(find(), host_);
  const rayo_tensor tx = on_device(x.get(), shape_);
  const rayo_tensor other = on_host(host_.data(), shape_);
  const rayo_tensor ty = on_host(result_.data(), shape_);
  ASSERT_EQ(add(tx, other, ty), RAYO_OK) << last_error();
  EXPECT_EQ(result_, (std::vector<float>{2, 4, 6, 8}));
}

TEST_F(Residency, OpThatTheDeviceLacksRunsOnTheHostAndIsCounted) {
  const BufferPtr x = filled(find(), {-1, 2, -3, 4});
  const BufferPtr y = buffer(find(), 4);
  const rayo_tensor tx = on_device(x.get(), shape_);
  const rayo_tensor ty = on_device(y.get(), shape_);
  const rayo_tensor *in[] = {&tx};
  const rayo_tensor *out[] = {&ty};
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(rayo_run(runtime_.get(), rayo_op_find("relu"), in, 1, out, 1, nullptr), RAYO_OK) << last_error();
  }
  EXPECT_EQ(content(y.get(), 4), (std::vector<float>{0, 2, 0, 4}));
  const std::vector<rayo_fallback> all = fallbacks();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_STREQ(all[0].op, "relu");
  EXPECT_STREQ(all[0].device, "mock0");
  EXPECT_STREQ(all[0].reason, "unsupported");
  EXPECT_EQ(all[0].code, RAYO_FALLBACK_UNSUPPORTED);
  EXPECT_EQ(all[0].count, 3u);
  ASSERT_EQ(log_.size(), 1u) << "said once";
  EXPECT_NE(log_[0].find("relu: fell back from mock0"), std::string::npos) << log_[0];
}

TEST_F(Residency, InPlaceOnADeviceFallsBackToo) {
  const BufferPtr x = filled(find(), {-1, 2, -3, 4});
  const rayo_tensor tx = on_device(x.get(), shape_);
  const rayo_tensor *operands[] = {&tx};
  ASSERT_EQ(rayo_run(runtime_.get(), rayo_op_find("relu"), operands, 1, operands, 1, nullptr), RAYO_OK) << last_error();
  EXPECT_EQ(content(x.get(), 4), (std::vector<float>{0, 2, 0, 4}));
}

TEST_F(Residency, NamedDeviceThatLacksTheOpIsAnErrorAndAPreferredOneIsAFallback) {
  const rayo_tensor x = on_host(host_.data(), shape_);
  const rayo_tensor y = on_host(result_.data(), shape_);
  const rayo_tensor *in[] = {&x};
  const rayo_tensor *out[] = {&y};
  rayo_run_options options = RAYO_RUN_OPTIONS_INIT;
  options.device = "mock0";
  const rayo_op relu = rayo_op_find("relu");
  EXPECT_EQ(rayo_run_with(runtime_.get(), relu, in, 1, out, 1, nullptr, &options), RAYO_UNSUPPORTED);
  EXPECT_EQ(result_[0], -1.0F) << "nothing is written by a call that fails";
  options.device = "mock0,auto";
  EXPECT_EQ(rayo_run_with(runtime_.get(), relu, in, 1, out, 1, nullptr, &options), RAYO_OK) << last_error();
  EXPECT_EQ(result_, host_);
  options.device = "cuda7,auto";
  EXPECT_EQ(rayo_run_with(runtime_.get(), relu, in, 1, out, 1, nullptr, &options), RAYO_OK) << last_error();
  const std::vector<rayo_fallback> all = fallbacks();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].code, RAYO_FALLBACK_UNSUPPORTED);
  EXPECT_STREQ(all[1].device, "cuda7");
  EXPECT_EQ(all[1].code, RAYO_FALLBACK_NO_DEVICE);
  options.device = "cuda7";
  EXPECT_EQ(rayo_run_with(runtime_.get(), relu, in, 1, out, 1, nullptr, &options), RAYO_NOT_FOUND);
}

TEST_F(Residency, HostNameKeepsCallsFromDevices) {
  const BufferPtr x = filled(find(), host_);
  const rayo_tensor tx = on_device(x.get(), shape_);
  const rayo_tensor y = on_host(result_.data(), shape_);
  ASSERT_EQ(add(tx, tx, y, "host"), RAYO_OK) << last_error();
  EXPECT_EQ(result_, (std::vector<float>{2, 4, 6, 8}));
  EXPECT_TRUE(fallbacks().empty()) << "it was asked for";
}

TEST_F(Residency, PlansKeepToThePlaceTheyWereBoundTo) {
  const BufferPtr x = filled(find(), host_);
  const BufferPtr y = buffer(find(), 4);
  const rayo_tensor tx = on_device(x.get(), shape_);
  const rayo_tensor ty = on_device(y.get(), shape_);
  const rayo_tensor *in[] = {&tx, &tx};
  const rayo_tensor *out[] = {&ty};
  rayo_call_desc desc = RAYO_CALL_DESC_INIT;
  desc.op = add_;
  desc.inputs = in;
  desc.input_count = 2;
  desc.outputs = out;
  desc.output_count = 1;
  rayo_plan *plan = nullptr;
  ASSERT_EQ(rayo_plan_create(runtime_.get(), &desc, &plan), RAYO_OK) << last_error();
  EXPECT_EQ(rayo_plan_run(plan, in, out), RAYO_OK) << last_error();
  EXPECT_EQ(content(y.get(), 4), (std::vector<float>{2, 4, 6, 8}));
  const rayo_tensor host = on_host(host_.data(), shape_);
  const rayo_tensor *host_in[] = {&host, &host};
  EXPECT_EQ(rayo_plan_run(plan, host_in, out), RAYO_PRECONDITION);
  rayo_plan_destroy(plan);
}

TEST_F(Residency, WrongTensorsAreNamed) {
  const BufferPtr x = filled(find(), host_);
  const BufferPtr y = buffer(find(), 4);
  rayo_tensor tx = on_device(x.get(), shape_);
  const rayo_tensor ty = on_device(y.get(), shape_);
  const rayo_tensor beyond = on_device(x.get(), shape_, 4);
  EXPECT_EQ(add(beyond, beyond, ty), RAYO_INVALID_ARGUMENT);
  EXPECT_NE(last_error().find("beyond a buffer of 16 bytes"), std::string::npos) << last_error();
  tx.dl.data = &tx;
  EXPECT_EQ(add(tx, tx, ty), RAYO_INVALID_ARGUMENT);
  EXPECT_NE(last_error().find("rayo_buffer_tensor"), std::string::npos) << last_error();
  rayo_tensor foreign = on_host(host_.data(), shape_);
  foreign.dl.device.device_type = kDLMetal;
  EXPECT_EQ(add(foreign, foreign, ty), RAYO_UNSUPPORTED);
  const std::vector<int64_t> three{3};
  const rayo_tensor first = on_device(x.get(), three);
  const rayo_tensor second = on_device(x.get(), three, 4);
  EXPECT_EQ(add(first, first, second), RAYO_INVALID_ARGUMENT);
  EXPECT_NE(last_error().find("overlaps"), std::string::npos) << last_error();
}

}  // namespace
}  // namespace rayo_test
