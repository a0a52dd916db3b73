// SPDX-License-Identifier: Apache-2.0
//
// The ABI's clients through the core: what ran against plugin-api alone must be found, checked, chosen and run by the
// real host as well.
#include <gtest/gtest.h>
#include <rayo/rayo.h>

#include <string>
#include <vector>

namespace {

std::string last_error() {
  char text[1024] = "";
  rayo_last_error(text, sizeof text);
  return text;
}

class ThroughCore : public ::testing::Test {
 protected:
  void open(const std::vector<const char *> &files) {
    rayo_runtime_options options = RAYO_RUNTIME_OPTIONS_INIT;
    options.flags = RAYO_RUNTIME_NO_ENVIRONMENT | RAYO_RUNTIME_ONLY_FILES;
    options.plugin_files = files.data();
    options.plugin_file_count = static_cast<uint32_t>(files.size());
    ASSERT_EQ(rayo_runtime_create(&options, &runtime), RAYO_OK) << last_error();
  }
  void TearDown() override { rayo_runtime_destroy(runtime); }

  rayo_status window(const rayo_attr *attrs, const std::vector<float> &x, std::vector<float> &y) {
    const int64_t in_shape[] = {static_cast<int64_t>(x.size())}, out_shape[] = {static_cast<int64_t>(y.size())};
    const rayo_tensor in = rayo_tensor_make(const_cast<float *>(x.data()), RAYO_F32, 1, in_shape, nullptr);
    const rayo_tensor out = rayo_tensor_make(y.data(), RAYO_F32, 1, out_shape, nullptr);
    const rayo_tensor *ins[] = {&in}, *outs[] = {&out};
    return rayo_run(runtime, rayo_op_find("acme.window"), ins, 1, outs, 1, attrs);
  }

  rayo_runtime *runtime = nullptr;
};

TEST_F(ThroughCore, EveryClientIsReady) {
  open({VENDOR_C11_FILE, MOCK_DEVICE_FILE, NULL_FILE});
  ASSERT_EQ(rayo_plugin_count(runtime), 3u);
  for (uint32_t i = 0; i < 3; ++i) {
    rayo_plugin_info info{};
    info.struct_size = sizeof info;
    info.struct_type = RAYO_TYPE_PLUGIN_INFO;
    ASSERT_EQ(rayo_plugin_get(runtime, i, &info), RAYO_OK) << last_error();
    EXPECT_EQ(info.state, RAYO_PLUGIN_READY) << info.file << ": " << info.reason;
  }
}

TEST_F(ThroughCore, VendorOpRunsWithDefaultsFilledIn) {
  open({VENDOR_C11_FILE});
  const int64_t size = 2;
  const rayo_attr attrs[] = {rayo_attr_ints("size", &size, 1), RAYO_ATTR_END};
  std::vector<float> y(3);
  ASSERT_EQ(window(attrs, {1, 5, 2, 3}, y), RAYO_OK) << last_error();
  EXPECT_EQ(y, (std::vector<float>{5, 5, 3}));
  const rayo_attr sums[] = {rayo_attr_ints("size", &size, 1), {"mode", RAYO_ATTR_STRING, 3, "sum"}, RAYO_ATTR_END};
  ASSERT_EQ(window(sums, {1, 5, 2, 3}, y), RAYO_OK) << last_error();
  EXPECT_EQ(y, (std::vector<float>{6, 7, 5}));
}

TEST_F(ThroughCore, VendorsErrorsReachTheCaller) {
  open({VENDOR_C11_FILE});
  std::vector<float> y(3);
  const int64_t size = 9, two = 2;
  const double limit = 4;
  const rayo_attr large[] = {rayo_attr_ints("size", &size, 1), RAYO_ATTR_END};
  EXPECT_EQ(window(large, {1, 5, 2, 3}, y), RAYO_INVALID_ARGUMENT);
  EXPECT_NE(last_error().find("size 9"), std::string::npos) << last_error();
  EXPECT_EQ(window(nullptr, {1, 5, 2, 3}, y), RAYO_INVALID_ARGUMENT) << "size is required";
  EXPECT_NE(last_error().find("size"), std::string::npos) << last_error();
  const rayo_attr hot[] = {rayo_attr_ints("size", &two, 1), rayo_attr_floats("limit", &limit, 1), RAYO_ATTR_END};
  EXPECT_EQ(window(hot, {1, 5, 2, 3}, y), RAYO_INVALID_ARGUMENT);
  EXPECT_NE(last_error().find("'limit'"), std::string::npos) << last_error();
}

TEST_F(ThroughCore, DeviceKernelRunsHostMemoryThroughItsQueue) {
  open({MOCK_DEVICE_FILE});
  const float a = 1, b = 2;
  float y = -1;
  EXPECT_EQ(rayo_add_f32(runtime, 1, &a, &b, &y), RAYO_OK) << last_error();
  EXPECT_EQ(y, 3);
}

TEST_F(ThroughCore, TwoRuntimesShareAPluginAndOutliveEachOther) {
  open({VENDOR_C11_FILE});
  rayo_runtime *first = runtime;
  open({VENDOR_C11_FILE});
  rayo_runtime_destroy(first);
  const int64_t size = 4;
  const double limit = 1;
  const rayo_attr attrs[] = {rayo_attr_ints("size", &size, 1), rayo_attr_floats("limit", &limit, 1), RAYO_ATTR_END};
  std::vector<float> y(1);
  EXPECT_EQ(window(attrs, {1, 5, 2, 3}, y), RAYO_INVALID_ARGUMENT);
  EXPECT_NE(last_error().find("'limit'"), std::string::npos) << last_error();
}

}  // namespace
