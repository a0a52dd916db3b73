// SPDX-License-Identifier: Apache-2.0
//
// RAYO_CAPTURE: each distinct call that is bound stands in the file once, in words that `rayo tune --shapes` reads.
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "fixture.hpp"

namespace rayo_test {
namespace {

class CaptureTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "rayo_capture_XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
    ::setenv("RAYO_CAPTURE", (folder_ + "/calls.jsonl").c_str(), 1);
  }
  void TearDown() override {
    ::unsetenv("RAYO_CAPTURE");
    std::filesystem::remove_all(folder_);
  }
  static rayo_runtime *open(uint32_t flags = 0) {
    const char *file = RAYO_SCALAR_PLUGIN;
    rayo_runtime_options options = RAYO_RUNTIME_OPTIONS_INIT;
    options.flags = flags | RAYO_RUNTIME_ONLY_FILES;
    options.plugin_files = &file;
    options.plugin_file_count = 1;
    rayo_runtime *runtime = nullptr;
    return rayo_runtime_create(&options, &runtime) == RAYO_OK ? runtime : nullptr;
  }
  std::vector<std::string> lines() const {
    std::ifstream file(folder_ + "/calls.jsonl");
    std::vector<std::string> all;
    for (std::string line; std::getline(file, line);) all.push_back(line);
    return all;
  }
  float x_[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  float y_[12] = {};
  std::string folder_;
};

TEST_F(CaptureTest, WritesEachDistinctCallOnce) {
  rayo_runtime *runtime = open();
  ASSERT_NE(runtime, nullptr) << last_error();
  const View two(x_, {2});
  const View out(y_, {2});
  const View three(x_, {3});
  const View out_three(y_, {3});
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(run(runtime, "neg", {&two}, {&out}), RAYO_OK) << last_error();
    EXPECT_EQ(run(runtime, "neg", {&three}, {&out_three}), RAYO_OK) << last_error();
  }
  rayo_runtime_destroy(runtime);
  EXPECT_EQ(lines(),
            (std::vector<std::string>{
                R"({"op":"neg","inputs":[{"dtype":"f32","shape":[2]}],"attributes":{},"layout":"contiguous"})",
                R"({"op":"neg","inputs":[{"dtype":"f32","shape":[3]}],"attributes":{},"layout":"contiguous"})"}));
  // Another process, or run, adds to it.
  runtime = open();
  ASSERT_NE(runtime, nullptr) << last_error();
  EXPECT_EQ(run(runtime, "abs", {&two}, {&out}), RAYO_OK) << last_error();
  rayo_runtime_destroy(runtime);
  EXPECT_EQ(lines().size(), 3u);
}

TEST_F(CaptureTest, HoldsAttributesOfEachKindAndInputsThatAreAbsent) {
  rayo_runtime *runtime = open();
  ASSERT_NE(runtime, nullptr) << last_error();
  const View a(x_, {2, 3});
  const View b(x_, {3, 2});
  const View square(y_, {2, 2});
  const double half = 0.5;
  const rayo_attr alpha[] = {rayo_attr_floats("alpha", &half, 1), RAYO_ATTR_END};
  EXPECT_EQ(run(runtime, "gemm", {&a, &b}, {&square}, alpha), RAYO_OK) << last_error();
  const View same(y_, {2, 3});
  const rayo_attr form[] = {{"approximate", RAYO_ATTR_STRING, 4, "tanh"}, RAYO_ATTR_END};
  EXPECT_EQ(run(runtime, "gelu", {&a}, {&same}, form), RAYO_OK) << last_error();
  const int64_t axes[] = {0, 1};
  const int64_t no = 0;
  const View total(y_, {});
  const rayo_attr both[] = {rayo_attr_ints("axes", axes, 2), rayo_attr_ints("keepdims", &no, 1), RAYO_ATTR_END};
  EXPECT_EQ(run(runtime, "reduce_sum", {&a}, {&total}, both), RAYO_OK) << last_error();
  float most = 5;
  const View bound(&most, {});
  EXPECT_EQ(run(runtime, "clip", {&a, nullptr, &bound}, {&same}), RAYO_OK) << last_error();
  rayo_runtime_destroy(runtime);
  const std::vector<std::string> all = lines();
  ASSERT_EQ(all.size(), 4u);
  EXPECT_NE(all[0].find("\"alpha\":0.5,\"beta\":1.0,\"transA\":0"), std::string::npos) << all[0];
  EXPECT_NE(all[1].find("\"attributes\":{\"approximate\":\"tanh\"}"), std::string::npos) << all[1];
  EXPECT_NE(all[2].find("\"axes\":[0,1],\"keepdims\":0"), std::string::npos) << all[2];
  EXPECT_NE(all[3].find("{\"dtype\":\"f32\",\"shape\":[2,3]},null,{\"dtype\":\"f32\",\"shape\":[]}"), std::string::npos)
      << all[3];
}

TEST_F(CaptureTest, AFileThatCannotBeWrittenFailsCreateWithItsName) {
  ::setenv("RAYO_CAPTURE", (folder_ + "/no/such/calls.jsonl").c_str(), 1);
  EXPECT_EQ(open(), nullptr);
  EXPECT_NE(last_error().find("RAYO_CAPTURE is '" + folder_ + "/no/such/calls.jsonl': it cannot be written"),
            std::string::npos)
      << last_error();
  rayo_runtime *runtime = open(RAYO_RUNTIME_NO_ENVIRONMENT);
  EXPECT_NE(runtime, nullptr) << last_error();
  rayo_runtime_destroy(runtime);
}

}  // namespace
}  // namespace rayo_test
